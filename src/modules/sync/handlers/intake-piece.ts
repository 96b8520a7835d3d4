import type { Instant } from '../../../shared/kernel/clock.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import type { EventContent, IncomingEvent, StoreEventOutcome, StoreEventResult } from '../contract.ts';
import { readOccurredAt } from '../domain/occurred-at.ts';
import type { Placement, StoreStream } from '../domain/store-stream.ts';
import type { NewConflict } from '../storage/store-conflict.repository.ts';
import type { StoreEventRow } from '../storage/store-event.table.ts';
import type { StoreStreams } from '../storage/store-stream.repository.ts';

/** An event whose turn has come. */
export interface Turn {
  readonly row: StoreEventRow;
  readonly content: EventContent;
  /** It waited before, in this epoch or another, so that letters about it may be open. */
  readonly waited: boolean;
  /** Where its result stands; null when an earlier call has told of it. */
  readonly result: number | null;
}

export interface IntakeLimits {
  /** Most events of a store that wait for holes to be filled. */
  readonly parkedMax: number;
  /** How far a store's clock may be off before the result says so, in milliseconds. */
  readonly clockToleranceMs: number;
}

const OUTCOMES = {
  apply: 'applied',
  park: 'parked',
  refuse: 'refused',
  duplicate: 'duplicate',
  conflict: 'conflict',
} as const satisfies Record<Placement['kind'], StoreEventOutcome>;

/** Finds out for some events of one stream, in the order of their numbers, which of them have their turn. */
export class IntakePiece {
  readonly turns: Turn[] = [];
  readonly conflicts: NewConflict[] = [];
  readonly results: StoreEventResult[] = [];

  /** @param stream whose events by id, and whose numbers that are taken already, were loaded */
  constructor(
    private readonly tx: Transaction,
    private readonly streams: StoreStreams,
    private readonly stream: StoreStream,
    private readonly limits: IntakeLimits,
    private readonly at: Instant,
  ) {}

  place(event: IncomingEvent): void {
    const { tx, streams, stream, at } = this;
    const { locationId, epoch } = stream.state;
    const byId = streams.loadedEvent(tx, locationId, event.id);
    const byNumber = stream.isTaken(event.sequence)
      ? streams.loadedNumber(tx, locationId, epoch, event.sequence)
      : undefined;
    const placement = stream.place(event, { byId, byNumber }, this.limits.parkedMax, at);
    if (placement.kind === 'apply' || placement.kind === 'park') {
      if (byId !== undefined) this.leave(byId);
      const row = streams.insert(tx, locationId, epoch, event, placement.kind === 'apply' ? 'APPLIED' : 'PARKED', at);
      if (placement.kind === 'apply') {
        const { content } = event;
        this.turns.push({ row, content, waited: byId !== undefined, result: this.results.length });
      }
    } else if ('spends' in placement) {
      if (placement.spends) streams.insert(tx, locationId, epoch, event, 'SPENT', at);
      if (placement.kind === 'conflict') {
        const isOfId = byId !== undefined && byId.contentHash !== event.contentHash;
        this.conflicts.push({ event, contradicts: isOfId ? 'ID' : 'SEQUENCE' });
      }
    }
    this.results.push(this.resultOf(event, OUTCOMES[placement.kind]));
  }

  /** The next number, whose row was loaded: it was parked, and all before it have come. */
  takeParked(): void {
    const { locationId, epoch, nextSequence } = this.stream.state;
    const row = this.streams.loadedNumber(this.tx, locationId, epoch, nextSequence);
    this.stream.takeParked();
    // A letter about it, from an earlier epoch, may have been replayed meanwhile.
    if (row?.status === 'PARKED' && row.content !== null) {
      this.turns.push({ row, content: row.content, waited: true, result: null });
    }
  }

  /** What became of an event whose turn had come. */
  tell({ result }: Turn, code: string): void {
    const told = result === null ? undefined : this.results[result];
    if (result !== null && told !== undefined) this.results[result] = { ...told, outcome: 'dead', code };
  }

  /** It waited in an epoch that is over, and has come again. */
  private leave(row: StoreEventRow): void {
    this.streams.finish(this.tx, row, 'SPENT', this.at);
    if (row.status === 'PARKED') this.stream.ended(1);
  }

  private resultOf({ id, sequence, content }: IncomingEvent, outcome: StoreEventOutcome): StoreEventResult {
    const told = readOccurredAt(content.occurredAt);
    const isOff = told !== null && Math.abs(told - this.at) > this.limits.clockToleranceMs;
    return isOff ? { id, sequence, outcome, flags: ['CLOCK'] } : { id, sequence, outcome };
  }
}
