import { Injectable } from '@nestjs/common';
import type { Instant } from '../../../shared/kernel/clock.ts';
import type { EntityKey } from '../../../shared/kernel/entity-key.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { Settings } from '../../../shared/settings.ts';
import type { OrderEvent } from '../contract.ts';
import { ORDER_PARKED_MAX, OrderStream } from '../domain/order-stream.ts';
import { orderConflictsTable } from './order-conflict.table.ts';
import { type OrderEventRow, type OrderEventStatus, orderEventsTable } from './order-event.table.ts';
import { ordersTable } from './order.table.ts';

const MS_PER_DAY = 86_400_000;

@Injectable()
export class Orders {
  private readonly orderKeepMs: number;
  private readonly eventKeepMs: number;

  constructor(settings: Settings) {
    this.orderKeepMs = settings.reservationKeepDays * MS_PER_DAY;
    this.eventKeepMs = settings.syncEventsKeepDays * MS_PER_DAY;
  }

  /** What is looked at for any event: its order, what is known under its id and its version, and what comes next. */
  keysOf({ id, orderId, version }: OrderEvent): EntityKey[] {
    return [
      { table: ordersTable.name, values: [orderId] },
      { table: orderEventsTable.name, group: 'named', values: [id] },
      eventKey(orderId, version),
      eventKey(orderId, version + 1),
    ];
  }

  async stream(tx: Transaction, orderId: string, at: Instant): Promise<OrderStream> {
    const row = await tx.get(ordersTable, orderId);
    return row === undefined ? OrderStream.begin(orderId, at) : OrderStream.of(row);
  }

  /** Stores a stream that has changed. */
  save(tx: Transaction, stream: OrderStream): Promise<void> {
    const { state } = stream;
    return tx.put(ordersTable, { ...state, expiresAt: stream.isAtRest ? state.updatedAt + this.orderKeepMs : null });
  }

  /** The event of this id, whatever its order; a version that was used up by a repeat of it is not meant. */
  async eventNamed(tx: Transaction, id: string): Promise<OrderEventRow | undefined> {
    const rows = await tx.group(orderEventsTable, 'named', id);
    return rows.find(({ status }) => status !== 'SKIPPED');
  }

  eventAt(tx: Transaction, orderId: string, version: number): Promise<OrderEventRow | undefined> {
    return tx.get(orderEventsTable, orderId, String(version));
  }

  /** Loads what may get its turn next, in one statement. */
  async loadNext(tx: Transaction, { state }: OrderStream): Promise<void> {
    if (state.parked <= 1) return;
    const { orderId, nextVersion } = state;
    await tx.load(Array.from({ length: ORDER_PARKED_MAX }, (_, index) => eventKey(orderId, nextVersion + index)));
  }

  /** Parked events of an order, in order. */
  async parked(tx: Transaction, orderId: string): Promise<OrderEventRow[]> {
    const rows = await tx.group(orderEventsTable, 'waiting', orderId);
    return rows.filter(({ status }) => status === 'PARKED').sort((a, b) => a.orderVersion - b.orderVersion);
  }

  /** An event that was not known. */
  add(tx: Transaction, event: OrderEvent, status: OrderEventStatus, receivedAt: Instant): OrderEventRow {
    const { id: eventId, orderId, version: orderVersion, content, contentHash } = event;
    const row = { orderId, orderVersion, eventId, content, contentHash, status, deadLetterId: null, receivedAt };
    return this.put(tx, { ...row, expiresAt: null }, status, receivedAt);
  }

  /** Something has become of an event. */
  put(
    tx: Transaction,
    row: OrderEventRow,
    status: OrderEventStatus,
    at: Instant,
    deadLetterId = row.deadLetterId,
  ): OrderEventRow {
    const waits = status === 'PARKED' || status === 'DEAD';
    const changed = { ...row, status, deadLetterId, expiresAt: waits ? null : at + this.eventKeepMs };
    // Its place was looked at before: whoever adds an event has asked whether there is one.
    tx.replace(orderEventsTable, changed);
    return changed;
  }

  /** An event that was added just now is not kept after all. */
  forget(tx: Transaction, row: OrderEventRow): void {
    tx.remove(orderEventsTable, row);
  }

  /** Keeps what contradicts an event, for somebody to look at. @returns false when it was kept before */
  async addConflict(tx: Transaction, event: OrderEvent, receivedAt: Instant): Promise<boolean> {
    const { id: eventId, orderId, version: orderVersion, content, contentHash } = event;
    if ((await tx.get(orderConflictsTable, orderId, String(orderVersion), eventId, contentHash)) !== undefined) {
      return false;
    }
    const kept = { orderId, orderVersion, eventId, contentHash, content, receivedAt };
    tx.insert(orderConflictsTable, { ...kept, expiresAt: receivedAt + this.eventKeepMs });
    return true;
  }
}

function eventKey(orderId: string, version: number): EntityKey {
  return { table: orderEventsTable.name, values: [orderId, String(version)] };
}
