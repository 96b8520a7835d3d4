import { Injectable } from '@nestjs/common';
import type { StreamPlace } from '../../../shared/kernel/context.ts';
import type { DeadLetterRow } from '../../../shared/outbox/dead-letter.table.ts';
import { DeadLetters, openLettersKey } from '../../../shared/outbox/dead-letters.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import type { EventContent } from '../contract.ts';
import type { StoreEventRow } from '../storage/store-event.table.ts';
import type { ReportFailure } from './store-reports.ts';

/** Whose letters they are. */
export const STORE_EVENTS_CONSUMER = 'sync.store-events';

/** What a letter keeps of its event besides what every letter has. */
export interface StoreLetterOrigin {
  readonly epoch: number;
  readonly version: unknown;
  readonly occurredAt: unknown;
  readonly fault: string | null;
}

/** Dead letters of what stores have sent. */
@Injectable()
export class StoreLetters {
  constructor(private readonly letters: DeadLetters) {}

  bury(
    tx: Transaction,
    { eventId, locationId, epoch, sequence }: StoreEventRow,
    { type, version, occurredAt, data, fault }: EventContent,
    { code, detail, waitsFor }: ReportFailure,
  ): void {
    const origin: StoreLetterOrigin & Record<string, unknown> = { epoch, version, occurredAt, fault };
    this.letters.bury(tx, {
      eventId,
      consumer: STORE_EVENTS_CONSUMER,
      locationId,
      sequence,
      type: typeof type === 'string' && TYPE.test(type) ? type : null,
      data,
      origin,
      waitsFor,
      failure: { code, detail },
    });
  }

  /** Letters of these events that are open are closed: the events were applied. */
  async closeAll(tx: Transaction, locationId: string, eventIds: readonly string[]): Promise<void> {
    if (eventIds.length === 0) return;
    await tx.load(eventIds.map((eventId) => openLettersKey(STORE_EVENTS_CONSUMER, eventId)));
    for (const eventId of eventIds) {
      for (const letter of await this.letters.openOf(tx, STORE_EVENTS_CONSUMER, eventId)) {
        if (letter.locationId === locationId) this.letters.close(tx, letter, 'REPLAYED');
      }
    }
  }
}

/** A type that a person can read; what else came under that name is no type. */
const TYPE = /^[\x20-\x7e]{1,64}$/;

/** Where it stands among what its store has sent. */
export function placeOf({ sequence, origin }: DeadLetterRow): StreamPlace {
  return { epoch: (origin as unknown as StoreLetterOrigin).epoch, sequence: sequence ?? 0 };
}

/** The event as it came. */
export function contentOf({ type, data, origin }: DeadLetterRow): EventContent {
  const { version, occurredAt, fault } = origin as unknown as StoreLetterOrigin;
  return { type, version, occurredAt, data, fault };
}
