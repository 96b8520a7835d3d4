import type { Command } from '@nestjs/cqrs';
import {
  CancelTransfer,
  CountStock,
  DispatchTransfer,
  type FreshnessReport,
  type HoldLine,
  PutLocation,
  PutProduct,
  ReceiveTransfer,
  RecordMovement,
  type RecordableMovement,
  ReportFreshness,
  SetStockPolicy,
} from '../../src/modules/inventory/contract.ts';
import {
  CancelReservation,
  ConfirmReservation,
  CreateReservation,
  ExpireDueReservations,
  FulfilReservation,
  RefreshReservation,
  UpdateReservation,
} from '../../src/modules/reservation/contract.ts';
import type { Keyed } from '../../src/shared/kernel/entity-key.ts';

/** What a caller can ask for, as plain data. `ifMatch`: the version that the caller believes in. */
export type Request =
  | { kind: 'putLocation'; locationId: string; priority: number; sellsOnline: boolean }
  | { kind: 'putProduct'; sku: string; lowStockThreshold: number | null; active: boolean }
  | {
      kind: 'move';
      sku: string;
      locationId: string;
      type: RecordableMovement;
      quantity: number;
      ifMatch: number | null;
    }
  | { kind: 'count'; sku: string; locationId: string; counted: number; ifMatch: number | null }
  | { kind: 'policy'; sku: string; locationId: string; safetyStock: number; ifMatch: number | null }
  | { kind: 'create'; lines: readonly HoldLine[]; ttlSeconds: number | null; cartId: string | null }
  | { kind: 'update'; id: string; lines: readonly HoldLine[]; ttlSeconds: number | null; ifMatch: number | null }
  | { kind: 'refresh'; id: string; ttlSeconds: number | null; ifMatch: number | null }
  | { kind: 'confirm'; id: string; orderId: string; ifMatch: number | null }
  | { kind: 'cancel'; id: string; ifMatch: number | null }
  | { kind: 'fulfil'; id: string; locationId: string | null; ifMatch: number | null }
  | { kind: 'dispatch'; sku: string; fromLocationId: string; toLocationId: string; quantity: number }
  | { kind: 'receive'; id: string; quantity: number | null; ifMatch: number | null }
  | { kind: 'cancelTransfer'; id: string; ifMatch: number | null }
  | { kind: 'report'; locationId: string; report: FreshnessReport }
  | { kind: 'sweep'; ids: readonly string[] };

export type RequestOf<Kind extends Request['kind']> = Extract<Request, { kind: Kind }>;

/** A request on its way: under an Idempotency-Key or not, with a correlation id of its own. */
export interface Sent {
  readonly request: Request;
  readonly key: string | null;
  readonly correlationId: string;
}

/** What came back. `unavailable`: 500 or 503, from which the caller cannot tell whether it was done. */
export type Outcome =
  | { readonly kind: 'answer'; readonly body: unknown; readonly replayed: boolean }
  | { readonly kind: 'refusal'; readonly code: string; readonly details: object }
  | { readonly kind: 'unavailable' };

export function toCommand(request: Request): Command<unknown> & Keyed {
  const ifMatch = 'ifMatch' in request && request.ifMatch !== null ? [request.ifMatch] : null;
  switch (request.kind) {
    case 'putLocation': {
      const { locationId, priority, sellsOnline } = request;
      return new PutLocation(locationId, { name: `Place ${locationId}`, kind: 'STORE', priority, sellsOnline });
    }
    case 'putProduct': {
      const { sku, lowStockThreshold, active } = request;
      return new PutProduct(sku, { name: `Thing ${sku}`, lowStockThreshold, active });
    }
    case 'move': {
      const { sku, locationId, type, quantity } = request;
      return new RecordMovement(sku, locationId, { type, quantity, reason: null, reference: null }, ifMatch);
    }
    case 'count':
      return new CountStock(request.sku, request.locationId, request.counted, null, ifMatch);
    case 'policy':
      return new SetStockPolicy(request.sku, request.locationId, request.safetyStock, ifMatch);
    case 'create':
      return new CreateReservation(request.lines, request.ttlSeconds, request.cartId);
    case 'update':
      return new UpdateReservation(request.id, request.lines, request.ttlSeconds, ifMatch);
    case 'refresh':
      return new RefreshReservation(request.id, request.ttlSeconds, ifMatch);
    case 'confirm':
      return new ConfirmReservation(request.id, request.orderId, ifMatch);
    case 'cancel':
      return new CancelReservation(request.id, null, ifMatch);
    case 'fulfil':
      return new FulfilReservation(request.id, request.locationId, ifMatch);
    case 'dispatch': {
      const { sku, fromLocationId, toLocationId, quantity } = request;
      return new DispatchTransfer({ sku, fromLocationId, toLocationId, quantity });
    }
    case 'receive':
      return new ReceiveTransfer(request.id, request.quantity, null, ifMatch);
    case 'cancelTransfer':
      return new CancelTransfer(request.id, null, ifMatch);
    case 'report':
      return new ReportFreshness(request.locationId, request.report);
    case 'sweep':
      return new ExpireDueReservations(request.ids);
  }
}
