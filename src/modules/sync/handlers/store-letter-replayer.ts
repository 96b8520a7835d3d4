import type { DeadLetterRow } from '../../../shared/outbox/dead-letter.table.ts';
import { CannotProcess } from '../../../shared/outbox/failure.ts';
import { type Replayer, ReplaysLettersOf } from '../../../shared/outbox/replays.ts';
import { Clock } from '../../../shared/kernel/clock.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import type { StoreEventRow } from '../storage/store-event.table.ts';
import { StoreStreams } from '../storage/store-stream.repository.ts';
import { contentOf, placeOf, STORE_EVENTS_CONSUMER, StoreLetters } from './store-letters.ts';
import { StoreReports } from './store-reports.ts';

/**
 * Processes what a store sent once more: as of its place in the stream, wherever the stream is by now. Later events of
 * the store have not waited for it, so nothing waits behind it.
 */
@ReplaysLettersOf(STORE_EVENTS_CONSUMER)
export class StoreLetterReplayer implements Replayer {
  constructor(
    private readonly clock: Clock,
    private readonly streams: StoreStreams,
    private readonly reports: StoreReports,
    private readonly letters: StoreLetters,
  ) {}

  /** @throws CannotProcess */
  async replay(letter: DeadLetterRow, tx: Transaction): Promise<void> {
    const locationId = letter.locationId ?? '';
    const row = await this.rowOf(tx, locationId, letter.eventId);
    if (row?.status !== 'APPLIED') {
      const event = { place: placeOf(letter), content: contentOf(letter) };
      const [failure] = await this.reports.apply(tx, locationId, [event], true);
      if (failure) throw new CannotProcess(failure);
      // One that came again and waits for its turn has had it: its number is used up when the turn comes.
      if (row !== undefined) this.streams.finish(tx, row, 'APPLIED', this.clock.now());
    }
    await this.letters.closeAll(tx, locationId, [letter.eventId]);
  }

  /** Given up, the event is not applied when it comes again; but one that waits for its turn has come again already. */
  async release(letter: DeadLetterRow, tx: Transaction): Promise<void> {
    const row = await this.rowOf(tx, letter.locationId ?? '', letter.eventId);
    if (row?.status === 'DEAD' || row?.status === 'ENDED') {
      this.streams.finish(tx, row, 'DISCARDED', this.clock.now());
    }
  }

  private async rowOf(tx: Transaction, locationId: string, eventId: string): Promise<StoreEventRow | undefined> {
    await tx.load([this.streams.eventKey(locationId, eventId)]);
    return this.streams.loadedEvent(tx, locationId, eventId);
  }
}
