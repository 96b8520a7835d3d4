import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';
import type { DomainEvent } from '../../../shared/kernel/domain-event.ts';
import type { DeadLetterRow } from '../../../shared/outbox/dead-letter.table.ts';
import { DeadLetters } from '../../../shared/outbox/dead-letters.ts';
import { Replays } from '../../../shared/outbox/replays.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { DeadLetterDiscarded, type DeadLetterView, DiscardDeadLetter } from '../contract.ts';
import { toDeadLetterView } from './dead-letter-view.ts';

/** An operator gives an event up, and says why. */
@CommandHandler(DiscardDeadLetter)
export class DiscardDeadLetterHandler implements ICommandHandler<DiscardDeadLetter> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly replays: Replays,
    private readonly deadLetters: DeadLetters,
    private readonly clock: Clock,
  ) {}

  execute(command: DiscardDeadLetter): Promise<DeadLetterView> {
    return this.unitOfWork.run(command, async (tx) => {
      const before = await this.deadLetters.get(tx, command.id);
      const letter = await this.replays.discard(tx, command.id, command.reason, command.ifMatch);
      if (letter.version !== before.version) tx.record([discarded(letter, this.clock.now())]);
      return toDeadLetterView(letter);
    });
  }
}

function discarded(letter: DeadLetterRow, occurredAt: Instant): DomainEvent {
  const { type, version } = DeadLetterDiscarded;
  const { id: letterId, eventId, consumer, reason, locationId, version: subjectVersion } = letter;
  const data = { letterId, eventId, consumer, reason };
  return { type, version, subject: `letter/${letterId}`, subjectVersion, locationId, data, occurredAt };
}
