import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Replays } from '../../../shared/outbox/replays.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { type DeadLetterView, ReplayDeadLetter } from '../contract.ts';
import { toDeadLetterView } from './dead-letter-view.ts';

/** An operator has mended what was wrong, or believes so: the event is processed once more. */
@CommandHandler(ReplayDeadLetter)
export class ReplayDeadLetterHandler implements ICommandHandler<ReplayDeadLetter> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly replays: Replays,
  ) {}

  execute(command: ReplayDeadLetter): Promise<DeadLetterView> {
    return this.unitOfWork.run(command, async (tx) =>
      toDeadLetterView(await this.replays.replay(tx, command.id, command.ifMatch)),
    );
  }
}
