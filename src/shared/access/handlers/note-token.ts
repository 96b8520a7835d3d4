import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock, toIsoInstant } from '../../kernel/clock.ts';
import { UnitOfWork } from '../../persistence/unit-of-work.ts';
import { NoteToken } from '../contract.ts';
import { accessEvent, TokenIssued } from '../events.ts';

/** A token is stored nowhere; that it was given out is an event, which is there before the caller has the token. */
@CommandHandler(NoteToken)
export class NoteTokenHandler implements ICommandHandler<NoteToken> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  execute({ tokenId, keyId, expiresAt }: NoteToken): Promise<void> {
    return this.unitOfWork.run({ keys: [] }, (tx) => {
      const data = { tokenId, keyId, expiresAt: toIsoInstant(expiresAt) };
      tx.record([accessEvent(TokenIssued, `token/${tokenId}`, 1, data, this.clock.now())]);
      return Promise.resolve();
    });
  }
}
