import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Replays } from '../../../shared/outbox/replays.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { type DeadLetterView, DiscardDeadLetter } from '../contract.ts';
import { toDeadLetterView } from './dead-letter-view.ts';

/** An operator gives an event up, and says why. */
@CommandHandler(DiscardDeadLetter)
export class DiscardDeadLetterHandler implements ICommandHandler<DiscardDeadLetter> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly replays: Replays,
  ) {}

  execute(command: DiscardDeadLetter): Promise<DeadLetterView> {
    return this.unitOfWork.run(command, async (tx) =>
      toDeadLetterView(await this.replays.discard(tx, command.id, command.reason, command.ifMatch)),
    );
  }
}
