import { type Reaction, ReactsTo } from '../../../shared/outbox/reaction.ts';
import type { StoredEvent } from '../../../shared/outbox/stored-event.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { ProductCreated, productWanted } from '../../inventory/contract.ts';
import { LettersLeftWaiting } from '../contract.ts';
import { WaitingLetters } from './waiting-letters.ts';

/** Says which letters are to be replayed: those that wait for this, behind this one. */
interface Waiting {
  readonly waitsFor: string;
  readonly after: string | null;
}

/**
 * What stores and shops reported of a product before anybody knew it is processed now. There may be very many letters:
 * each commit replays some, and an event of our own brings the others their turn.
 */
@ReactsTo({ consumer: 'sync.replay-letters', events: [ProductCreated, LettersLeftWaiting] })
export class ReplayLettersWhenProductWasCreated implements Reaction {
  constructor(private readonly letters: WaitingLetters) {}

  async handle(event: StoredEvent, tx: Transaction): Promise<void> {
    const { waitsFor, after } = waitingOf(event);
    const left = await this.letters.replaySome(tx, waitsFor, after);
    if (left === null) return;
    tx.record([
      {
        type: LettersLeftWaiting.type,
        version: LettersLeftWaiting.version,
        subject: `letters/${waitsFor}`,
        subjectVersion: 1,
        locationId: null,
        data: { waitsFor, after: left.after },
        occurredAt: event.occurredAt,
      },
    ]);
  }
}

function waitingOf({ type, data }: StoredEvent): Waiting {
  return type === ProductCreated.type
    ? { waitsFor: productWanted((data as { sku: string }).sku), after: null }
    : (data as Waiting);
}
