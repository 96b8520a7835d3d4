import { Injectable } from '@nestjs/common';
import type { EntityKey } from '../../../shared/kernel/entity-key.ts';
import type { Instant } from '../../../shared/kernel/clock.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { Settings } from '../../../shared/settings.ts';
import type { IncomingEvent } from '../contract.ts';
import { StoreStream } from '../domain/store-stream.ts';
import { type StoreEventRow, storeEventsTable } from './store-event.table.ts';
import { storeStreamsTable } from './store-stream.table.ts';

const MS_PER_DAY = 86_400_000;

const LEFT_PARKED = `SELECT epoch AS "epoch", sequence AS "sequence" FROM store_events
  WHERE tenant_id = :tenant AND location_id = :locationId AND status = 'PARKED' AND epoch < :epoch
  ORDER BY epoch, sequence LIMIT :limit`;

/** The streams of stores, and what has come in them. */
@Injectable()
export class StoreStreams {
  private readonly keepMs: number;

  constructor(settings: Settings) {
    this.keepMs = settings.syncEventsKeepDays * MS_PER_DAY;
  }

  /** @returns undefined when the store never opened one */
  async find(tx: Transaction, locationId: string): Promise<StoreStream | undefined> {
    const row = await tx.get(storeStreamsTable, locationId);
    return row === undefined ? undefined : StoreStream.of(row);
  }

  /** The stream was loaded before, or is new. */
  save(tx: Transaction, stream: StoreStream): void {
    tx.replace(storeStreamsTable, stream.state);
  }

  /** Whatever is known of the event of this id. */
  eventKey(locationId: string, eventId: string): EntityKey {
    return { table: storeEventsTable.name, group: 'event', values: [locationId, eventId] };
  }

  /** What has this number. */
  numberKey(locationId: string, epoch: number, sequence: number): EntityKey {
    return { table: storeEventsTable.name, values: [locationId, String(epoch), String(sequence)] };
  }

  /** The event's own row; its key was loaded. */
  loadedEvent(tx: Transaction, locationId: string, eventId: string): StoreEventRow | undefined {
    return tx.loadedGroup(storeEventsTable, 'event', locationId, eventId).find(({ status }) => status !== 'SPENT');
  }

  /** The row of a number; its key was loaded, or the row is of this batch. */
  loadedNumber(tx: Transaction, locationId: string, epoch: number, sequence: number): StoreEventRow | undefined {
    return tx.loaded(storeEventsTable, locationId, String(epoch), String(sequence));
  }

  /** A number that nothing had before. */
  insert(
    tx: Transaction,
    locationId: string,
    epoch: number,
    { id: eventId, sequence, content, contentHash }: IncomingEvent,
    status: 'APPLIED' | 'PARKED' | 'SPENT',
    at: Instant,
  ): StoreEventRow {
    const isParked = status === 'PARKED';
    const row: StoreEventRow = {
      locationId,
      epoch,
      sequence,
      eventId,
      contentHash,
      status,
      content: isParked ? content : null,
      receivedAt: at,
      expiresAt: isParked ? null : at + this.keepMs,
    };
    tx.insert(storeEventsTable, row);
    return row;
  }

  /** Becomes of an event what it stays: kept from now on for its time, so that a repeat is known. */
  finish(tx: Transaction, row: StoreEventRow, status: 'APPLIED' | 'DISCARDED' | 'SPENT', at: Instant): void {
    tx.replace(storeEventsTable, { ...row, status, content: null, expiresAt: at + this.keepMs });
  }

  /** Waits for somebody as a dead letter, which has its content. */
  die(tx: Transaction, row: StoreEventRow, status: 'DEAD' | 'ENDED'): void {
    tx.replace(storeEventsTable, { ...row, status, content: null, expiresAt: null });
  }

  /** Some of what earlier epochs had parked and that still waits, in order. */
  async leftParked(tx: Transaction, locationId: string, epoch: number, limit: number): Promise<StoreEventRow[]> {
    const left = await tx.select<{ epoch: number; sequence: number }>(LEFT_PARKED, { locationId, epoch, limit });
    await tx.load(left.map((one) => this.numberKey(locationId, one.epoch, one.sequence)));
    return left
      .map((one) => this.loadedNumber(tx, locationId, one.epoch, one.sequence))
      .filter((row): row is StoreEventRow => row?.status === 'PARKED');
  }
}
