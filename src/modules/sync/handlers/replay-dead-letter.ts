import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';
import type { DomainEvent } from '../../../shared/kernel/domain-event.ts';
import type { DeadLetterRow } from '../../../shared/outbox/dead-letter.table.ts';
import { DeadLetters } from '../../../shared/outbox/dead-letters.ts';
import { Replays } from '../../../shared/outbox/replays.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { DeadLetterReplayed, type DeadLetterView, ReplayDeadLetter } from '../contract.ts';
import { toDeadLetterView } from './dead-letter-view.ts';

/** An operator has mended what was wrong, or believes so: the event is processed once more. */
@CommandHandler(ReplayDeadLetter)
export class ReplayDeadLetterHandler implements ICommandHandler<ReplayDeadLetter> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly replays: Replays,
    private readonly deadLetters: DeadLetters,
    private readonly clock: Clock,
  ) {}

  execute(command: ReplayDeadLetter): Promise<DeadLetterView> {
    return this.unitOfWork.run(command, async (tx) => {
      const before = await this.deadLetters.get(tx, command.id);
      const letter = await this.replays.replay(tx, command.id, command.ifMatch);
      if (letter.version !== before.version) tx.record([replayed(letter, this.clock.now())]);
      return toDeadLetterView(letter);
    });
  }
}

function replayed(letter: DeadLetterRow, occurredAt: Instant): DomainEvent {
  const { type, version } = DeadLetterReplayed;
  const { id: letterId, eventId, consumer, status, locationId, version: subjectVersion } = letter;
  const data = { letterId, eventId, consumer, status };
  return { type, version, subject: `letter/${letterId}`, subjectVersion, locationId, data, occurredAt };
}
