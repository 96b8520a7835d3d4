import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '../../persistence/unit-of-work.ts';
import { RevokeToken } from '../contract.ts';
import { revokedTokensTable } from '../revoked-token.table.ts';

/** Remembers a token that was given back for as long as it would have been good. */
@CommandHandler(RevokeToken)
export class RevokeTokenHandler implements ICommandHandler<RevokeToken> {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  execute({ tokenId, expiresAt }: RevokeToken): Promise<void> {
    return this.unitOfWork.run({ keys: [] }, async (tx) => {
      // Two requests with one token may give it back at the same time.
      if ((await tx.get(revokedTokensTable, tokenId)) === undefined) {
        await tx.put(revokedTokensTable, { id: tokenId, expiresAt });
      }
    });
  }
}
