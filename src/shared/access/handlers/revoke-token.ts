import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../kernel/clock.ts';
import { currentContext } from '../../kernel/context.ts';
import { UnitOfWork } from '../../persistence/unit-of-work.ts';
import { RevokeToken } from '../contract.ts';
import { accessEvent, TokenRevoked } from '../events.ts';
import { revokedTokensTable } from '../revoked-token.table.ts';

/** Remembers a token that was given back for as long as it would have been good. */
@CommandHandler(RevokeToken)
export class RevokeTokenHandler implements ICommandHandler<RevokeToken> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  execute({ tokenId, expiresAt }: RevokeToken): Promise<void> {
    return this.unitOfWork.run({ keys: [] }, async (tx) => {
      // Two requests with one token may give it back at the same time.
      if ((await tx.get(revokedTokensTable, tokenId)) === undefined) {
        await tx.put(revokedTokensTable, { id: tokenId, expiresAt });
        const data = { tokenId, keyId: currentContext().keyId ?? null };
        tx.record([accessEvent(TokenRevoked, `token/${tokenId}`, 2, data, this.clock.now())]);
      }
    });
  }
}
