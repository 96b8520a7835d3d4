import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { StockCommitted, StockHeld, StockMoved, StockReleased } from '../../src/modules/inventory/contract.ts';
import {
  ReservationCancelled,
  ReservationConfirmed,
  ReservationCreated,
  ReservationExpired,
  ReservationFulfilled,
  ReservationRefreshed,
  ReservationUpdated,
} from '../../src/modules/reservation/contract.ts';
import { idempotencyKeysTable } from '../../src/shared/http/idempotency-key.table.ts';
import type { EntityKey } from '../../src/shared/kernel/entity-key.ts';
import { type Reaction, ReactsTo } from '../../src/shared/outbox/reaction.ts';
import { Busy } from '../../src/shared/persistence/persistence.errors.ts';
import type { StoredEvent } from '../../src/shared/outbox/stored-event.ts';
import type { Transaction } from '../../src/shared/persistence/transaction.ts';

/** Under this client the notes are kept, as if they were answers: a table of their own would be none of the product's. */
export const NOTES_CLIENT = 'simulation.notes';
export const NOTES_CONSUMER = 'simulation.notes';

/** What a handler does about an event that it is handed. */
export type Handling = 'notes it' | 'fails' | 'is busy';

/** Decides how the handler behaves. */
export type Decide = (event: StoredEvent) => Handling;

const DECIDE = Symbol('decide');

/** Writes down which events of a subject it was handed, in their order, in the commit in which it is handed them. */
@ReactsTo({
  consumer: NOTES_CONSUMER,
  events: [
    StockMoved,
    StockHeld,
    StockReleased,
    StockCommitted,
    ReservationCreated,
    ReservationUpdated,
    ReservationRefreshed,
    ReservationConfirmed,
    ReservationFulfilled,
    ReservationCancelled,
    ReservationExpired,
  ],
})
export class Notes implements Reaction {
  constructor(@Inject(DECIDE) private readonly decide: Decide) {}

  keysOf({ subject }: StoredEvent): EntityKey[] {
    return [{ table: idempotencyKeysTable.name, values: [NOTES_CLIENT, subject] }];
  }

  async handle(event: StoredEvent, tx: Transaction): Promise<void> {
    const { subject, subjectVersion } = event;
    const noted = await tx.get(idempotencyKeysTable, NOTES_CLIENT, subject);
    await tx.put(idempotencyKeysTable, {
      clientId: NOTES_CLIENT,
      key: subject,
      fingerprint: '',
      status: 200,
      body: `${noted?.body ?? ''}${subjectVersion} `,
      headers: {},
      createdAt: 0,
      expiresAt: Number.MAX_SAFE_INTEGER,
      version: (noted?.version ?? 0) + 1,
    });
    // After the note, so that one that is not undone would be seen.
    const handling = this.decide(event);
    if (handling === 'is busy') throw new Busy('The handler cannot work now');
    if (handling === 'fails') throw new Error('The handler fails');
  }
}

/** A consumer besides those of the product. */
@Module({})
export class NotesModule {
  static forRoot(decide: Decide): DynamicModule {
    return { module: NotesModule, providers: [Notes, { provide: DECIDE, useValue: decide }] };
  }
}
