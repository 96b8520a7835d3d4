import { Injectable } from '@nestjs/common';
import type { Failure } from '../../../shared/outbox/failure.ts';
import { ReceivedEvents } from '../../../shared/outbox/received-events.ts';
import type { RecordableMovement } from '../../inventory/contract.ts';
import type { EventContent } from '../contract.ts';
import { readOccurredAt } from '../domain/occurred-at.ts';
import { STORE_EVENT_UPCASTERS, STORE_EVENTS } from '../domain/store-event-types.ts';

/** What a store reports, in the newest version of its type. */
export type StoreReport =
  | {
      readonly kind: 'movement';
      readonly type: RecordableMovement;
      readonly sku: string;
      readonly quantity: number;
      readonly reference: string | null;
    }
  | { readonly kind: 'count'; readonly sku: string; readonly counted: number; readonly cursor: number }
  | { readonly kind: 'pickup'; readonly reservationId: string };

const MOVEMENTS: Readonly<Record<string, RecordableMovement>> = {
  sale: 'SALE',
  return: 'RETURN',
  receipt: 'RECEIPT',
  adjustment: 'ADJUSTMENT',
  'write-off': 'WRITE_OFF',
};

/** Reads what stores send; what cannot be read is told, never thrown. */
@Injectable()
export class StoreEventReader {
  private readonly events = new ReceivedEvents(STORE_EVENTS, STORE_EVENT_UPCASTERS);

  read({ type, version, occurredAt, data, fault }: EventContent): StoreReport | Failure {
    if (fault !== null) return { code: 'VALIDATION_FAILED', detail: fault };
    const read = this.events.read(type, version, data);
    if ('code' in read) return read;
    if (readOccurredAt(occurredAt) === null) {
      return { code: 'VALIDATION_FAILED', detail: 'occurredAt must be an instant in UTC, as 2026-11-22T09:00:00.000Z' };
    }
    return toReport(read.type, read.data);
  }
}

function toReport(type: string, data: unknown): StoreReport {
  const movement = MOVEMENTS[type];
  if (movement !== undefined) {
    const { sku, quantity, reference = null } = data as { sku: string; quantity: number; reference?: string | null };
    return { kind: 'movement', type: movement, sku, quantity, reference };
  }
  if (type === 'pickup') {
    return { kind: 'pickup', reservationId: (data as { reservationId: string }).reservationId };
  }
  const { sku, counted, cursor } = data as { sku: string; counted: number; cursor: string };
  return { kind: 'count', sku, counted, cursor: Number(cursor) };
}
