import { Command, Query } from '@nestjs/cqrs';
import { type Static, Type } from 'typebox';
import type { Instant } from '../../shared/kernel/clock.ts';
import type { StreamPlace } from '../../shared/kernel/context.ts';
import { defineEvent } from '../../shared/kernel/domain-event.ts';
import type { EntityKey, Keyed } from '../../shared/kernel/entity-key.ts';
import type { Page } from '../../shared/kernel/page.ts';
import type { VersionMatch } from '../../shared/kernel/version-match.ts';

/*
 * The face of inventory: its commands (in), its queries and its events (out), as plain data. Another module imports
 * this file and nothing else of inventory.
 */

// ---------------------------------------------------------------- limits and words

/** Most units of one line, movement or count (DESIGN section 4). */
export const QUANTITY_MAX = 1_000_000;
/** No balance goes beyond plus or minus this (DESIGN section 4, QUANTITY_LIMIT). */
export const BALANCE_MAX = 1_000_000_000;
/** Most lines of one hold (DESIGN section 2, reservation). */
export const HOLD_LINES_MAX = 100;

export const LOCATION_KINDS = ['STORE', 'WAREHOUSE'] as const;
export type LocationKind = (typeof LOCATION_KINDS)[number];

/** Movements that a caller may record; the others are recorded by what they follow from. */
export const RECORDABLE_MOVEMENTS = ['RECEIPT', 'SALE', 'RETURN', 'ADJUSTMENT', 'WRITE_OFF'] as const;
export type RecordableMovement = (typeof RECORDABLE_MOVEMENTS)[number];
export const MOVEMENT_TYPES = [...RECORDABLE_MOVEMENTS, 'COUNT', 'TRANSFER_OUT', 'TRANSFER_IN', 'FULFILMENT'] as const;
export type MovementType = (typeof MOVEMENT_TYPES)[number];

export const TRANSFER_STATUSES = ['IN_TRANSIT', 'RECEIVED', 'CANCELLED'] as const;
export type TransferStatus = (typeof TRANSFER_STATUSES)[number];

export const STOCK_STATES = ['low', 'out', 'negative'] as const;
export type StockState = (typeof STOCK_STATES)[number];

export const FRESHNESS_STATUSES = ['DIRECT', 'LIVE', 'STALE', 'SILENT'] as const;
export type FreshnessStatus = (typeof FRESHNESS_STATUSES)[number];

// ---------------------------------------------------------------- plain data

export interface LocationView {
  readonly locationId: string;
  readonly name: string;
  readonly kind: LocationKind;
  readonly priority: number;
  readonly sellsOnline: boolean;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

export interface ProductView {
  readonly sku: string;
  readonly name: string;
  readonly lowStockThreshold: number | null;
  readonly active: boolean;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** How much the centre knows of a location's stock at the instant of the answer. */
export interface FreshnessView {
  /** DIRECT: the location never pushed, so its stock is kept here; the other three tell how long ago it was heard from. */
  readonly status: FreshnessStatus;
  /** The last number of what the location pushed that is part of its stock; null: DIRECT. */
  readonly lastSequence: number | null;
  /** When the centre received the last of its events; null: DIRECT, or none was taken so far. */
  readonly asOf: Instant | null;
  /** Whole seconds since the location was heard from; null: DIRECT. */
  readonly lagSeconds: number | null;
}

/** When a location that is not heard from counts as stale and as silent, and what of its on-hand is kept back then. */
export interface FreshnessPolicy {
  /** At least 1. */
  readonly staleAfterSeconds: number;
  /** At least `staleAfterSeconds`; equal to it: never stale, at once silent. */
  readonly silentAfterSeconds: number;
  /** Percent of on-hand that commands leave alone while it is stale: 0 to 100. */
  readonly staleCautionPercent: number;
  /** The same while it is silent. */
  readonly silentCautionPercent: number;
}

/**
 * Of every location that has no policy of its own. An agent polls at least twice a minute (docs/sync-protocol.md), so a
 * minute means that something is wrong; 15 minutes is what the copy that this replaces was late at the best of times.
 */
export const DEFAULT_FRESHNESS_POLICY: FreshnessPolicy = {
  staleAfterSeconds: 60,
  silentAfterSeconds: 900,
  staleCautionPercent: 0,
  silentCautionPercent: 0,
};

/** Everything that is known of how fresh a location is. */
export interface LocationFreshnessView extends FreshnessView, FreshnessPolicy {
  readonly locationId: string;
  /** When the centre last heard from it, whether or not it pushed; null: never. */
  readonly lastContactAt: Instant | null;
}

/** One sku at one location as it is now: `held` leaves out holds that are over, swept or not. */
export interface StockItemView {
  readonly sku: string;
  readonly locationId: string;
  readonly onHand: number;
  readonly held: number;
  readonly committed: number;
  readonly incoming: number;
  readonly safetyStock: number;
  /** What commands may still take: caution while the location is stale or silent is taken out. */
  readonly available: number;
  readonly version: number;
  readonly updatedAt: Instant | null;
  readonly freshness: FreshnessView;
}

export interface MovementView {
  readonly movementId: string;
  readonly type: MovementType;
  /** Signed change of on-hand units. */
  readonly delta: number;
  readonly onHandAfter: number;
  readonly reason: string | null;
  readonly reference: string | null;
  readonly occurredAt: Instant;
  readonly correlationId: string;
  /** Who recorded it, within the tenant; `unknown` where that was not stored yet. */
  readonly clientId: string;
  /** The key that was sent; null: nobody was asked for one, or a job or a reaction recorded it. */
  readonly keyId: string | null;
}

/** Units of one sku on their way from one location to another, or what became of them. */
export interface TransferView {
  readonly id: string;
  readonly sku: string;
  readonly fromLocationId: string;
  readonly toLocationId: string;
  /** Units that were dispatched. */
  readonly quantity: number;
  /** Units that arrived; null unless it is RECEIVED. */
  readonly received: number | null;
  readonly status: TransferStatus;
  /** Why it was received as it was, or cancelled. */
  readonly reason: string | null;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly version: number;
}

/** A wanted line: units of a sku, at a location or (null) wherever sourcing finds them. */
export interface HoldLine {
  readonly sku: string;
  readonly quantity: number;
  readonly locationId: string | null;
}

export interface Allocation {
  readonly locationId: string;
  readonly quantity: number;
}

/** What a line got: its allocations add up to its quantity. */
export interface SourcedLine extends HoldLine {
  readonly allocations: readonly Allocation[];
}

/** `over`: the hold, or a part of it, is due or gone; nothing was changed. */
export type HoldOutcome = 'done' | 'over';

// ---------------------------------------------------------------- keys, for callers that declare what they will touch

export function locationKey(locationId: string): EntityKey {
  return { table: 'locations', values: [locationId] };
}

/** How fresh a location is: read by whatever takes units there. */
export function freshnessKey(locationId: string): EntityKey {
  return { table: 'location_freshness', values: [locationId] };
}

/** Every row that a change of one stock item reads. */
export function stockKeys(sku: string, locationId: string): EntityKey[] {
  return [productKey(sku), locationKey(locationId), freshnessKey(locationId), stockItemKey(sku, locationId)];
}

export function productKey(sku: string): EntityKey {
  return { table: 'products', values: [sku] };
}

export function stockItemKey(sku: string, locationId: string): EntityKey {
  return { table: 'stock_items', values: [sku, locationId] };
}

/** All stock items of a sku: what an open line is sourced from. */
export function stockOfSkuKey(sku: string): EntityKey {
  return { table: 'stock_items', group: 'sku', values: [sku] };
}

/** All units that a hold has, over every item. */
export function holdKey(holdId: string): EntityKey {
  return { table: 'holds', group: 'holdId', values: [holdId] };
}

export function transferKey(transferId: string): EntityKey {
  return { table: 'transfers', values: [transferId] };
}

/** Every row that holding these lines will read. */
export function holdLineKeys(lines: readonly HoldLine[]): EntityKey[] {
  return lines.flatMap(({ sku, locationId }) =>
    locationId === null ? [productKey(sku), stockOfSkuKey(sku)] : stockKeys(sku, locationId),
  );
}

// ---------------------------------------------------------------- commands about the catalogue and the ledger

export class PutLocation extends Command<{ location: LocationView; created: boolean }> implements Keyed {
  constructor(
    readonly locationId: string,
    readonly wanted: { name: string; kind: LocationKind; priority: number; sellsOnline: boolean },
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [locationKey(this.locationId)];
  }
}

export class PutProduct extends Command<{ product: ProductView; created: boolean }> implements Keyed {
  constructor(
    readonly sku: string,
    readonly wanted: { name: string; lowStockThreshold: number | null; active: boolean },
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [productKey(this.sku), stockOfSkuKey(this.sku)];
  }
}

/** Quantity is 1..QUANTITY_MAX; for ADJUSTMENT also negative, never 0. */
export class RecordMovement extends Command<{ movementId: string; stock: StockItemView }> implements Keyed {
  constructor(
    readonly sku: string,
    readonly locationId: string,
    readonly movement: {
      type: RecordableMovement;
      quantity: number;
      reason: string | null;
      reference: string | null;
    },
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return stockKeys(this.sku, this.locationId);
  }
}

/** A fact: what a shelf count found. `counted` is 0..QUANTITY_MAX. */
export class CountStock extends Command<{ movementId: string; stock: StockItemView }> implements Keyed {
  constructor(
    readonly sku: string,
    readonly locationId: string,
    readonly counted: number,
    readonly reason: string | null,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return stockKeys(this.sku, this.locationId);
  }
}

/** A row of an import as it was read: a count, or a movement. Its fields are those of CountStock and RecordMovement. */
export type ImportedRow = { readonly sku: string; readonly locationId: string; readonly reason: string | null } & (
  | { readonly counted: number }
  | { readonly type: RecordableMovement; readonly quantity: number; readonly reference: string | null }
);

export interface NumberedRow {
  /** Counts from 1 over the whole import. */
  readonly number: number;
  readonly row: ImportedRow;
}

/** What became of a row. A refusal is told as a request of its own would have been. */
export type RowOutcome =
  | { readonly outcome: 'applied' | 'duplicate' }
  | {
      readonly outcome: 'refused';
      readonly code: string;
      readonly detail: string;
      readonly data: Readonly<Record<string, unknown>>;
    };

/** Most rows of one ImportRows: they share a work of the bulk class. */
export const IMPORT_ROWS_MAX = 1000;

/**
 * Carries out rows of an import, each by itself: one that is refused spoils no other. A row that was applied under this
 * Idempotency-Key at the same number with the same content is not applied again.
 */
export class ImportRows extends Command<readonly RowOutcome[]> {
  constructor(
    readonly idempotencyKey: string,
    readonly rows: readonly NumberedRow[],
  ) {
    super();
  }
}

/** What a store reports of one of its items, and which of its reports it is. Quantities are those of RecordMovement. */
export type StoreFact = { readonly sku: string; readonly place: StreamPlace } & (
  | { readonly type: RecordableMovement; readonly quantity: number; readonly reference: string | null }
  /** `cursor`: the position in the event log through which the store knew of the centre's changes. */
  | { readonly counted: number; readonly cursor: number }
);

/** What waits for a product to be created waits for this. */
export function productWanted(sku: string): string {
  return `${PRODUCT_WANTED}${sku}`;
}

/** @returns the sku that is waited for; null when it is something else */
export function skuWanted(waitsFor: string | null): string | null {
  return waitsFor?.startsWith(PRODUCT_WANTED) === true ? waitsFor.slice(PRODUCT_WANTED.length) : null;
}

const PRODUCT_WANTED = 'product/';

/** Null: it is recorded. Else why it cannot be, and what has to happen first (`product/<sku>`), where that is known. */
export type FactFailure = { readonly code: string; readonly detail: string; readonly waitsFor: string | null } | null;

/**
 * Records what happened in a store, in order, each by itself: even below zero, even for what is not for sale. A count
 * makes on-hand what was counted, with the centre's changes on top that the store did not know of (docs/decisions/0020).
 */
export class RecordStoreFacts extends Command<readonly FactFailure[]> implements Keyed {
  /** @param late later reports of the store may have been recorded already */
  constructor(
    readonly locationId: string,
    readonly facts: readonly StoreFact[],
    readonly late = false,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return this.facts.map(({ sku }) => stockItemKey(sku, this.locationId));
  }
}

/** Up to where a store has reported, and up to where it knew of what the centre changed (a position of the event log). */
export interface ReportedThrough {
  readonly locationId: string;
  readonly place: StreamPlace;
  readonly cursor: number;
}

/** On-hand units of an item at such a place; negative where facts took more than there was. */
export interface BalanceAsOf {
  readonly sku: string;
  readonly units: number;
}

/**
 * Makes each item's on-hand what its store had at that place, with what has changed since then on top, by COUNT
 * movements. What is right already is left alone, so that a repeat changes nothing.
 * @returns for each the code that it cannot be corrected for, or null
 */
export class CorrectBalances extends Command<readonly (string | null)[]> implements Keyed {
  constructor(
    readonly through: ReportedThrough,
    readonly balances: readonly BalanceAsOf[],
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return this.balances.map(({ sku }) => stockItemKey(sku, this.through.locationId));
  }
}

export class SetStockPolicy extends Command<StockItemView> implements Keyed {
  constructor(
    readonly sku: string,
    readonly locationId: string,
    readonly safetyStock: number,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return stockKeys(this.sku, this.locationId);
  }
}

// ---------------------------------------------------------------- commands about transfers

/** Quantity is 1..QUANTITY_MAX; the two locations differ. */
export class DispatchTransfer extends Command<TransferView> implements Keyed {
  constructor(readonly wanted: { sku: string; fromLocationId: string; toLocationId: string; quantity: number }) {
    super();
  }

  get keys(): EntityKey[] {
    const { sku, fromLocationId, toLocationId } = this.wanted;
    const places = [fromLocationId, toLocationId];
    return places.flatMap((place) => stockKeys(sku, place));
  }
}

/** Facts: the units have arrived, `quantity` (0 or more; null: all that were dispatched) of them whole. */
export class ReceiveTransfer extends Command<TransferView> implements Keyed {
  constructor(
    readonly transferId: string,
    readonly quantity: number | null,
    readonly reason: string | null,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [transferKey(this.transferId)];
  }
}

/** The units go back to where they came from. */
export class CancelTransfer extends Command<TransferView> implements Keyed {
  constructor(
    readonly transferId: string,
    readonly reason: string | null,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [transferKey(this.transferId)];
  }
}

// ---------------------------------------------------------------- commands about holds

/** Refuses with UNKNOWN_PRODUCT or UNKNOWN_LOCATION when a line names something that is not in the catalogue. */
export class CheckHoldLines extends Command<void> implements Keyed {
  constructor(readonly lines: readonly HoldLine[]) {
    super();
  }

  get keys(): EntityKey[] {
    return holdLineKeys(this.lines);
  }
}

/**
 * Makes the hold be exactly these lines until `expiresAt`: what it has already stays where it is, only the difference
 * is held or released; all or nothing. Lines of the same sku and asked location are answered as one.
 *
 * `held` is what the caller believes that the hold has, line by line (none: a new one), so that the units of a line stay
 * its own. When inventory has given some of them back because they were due, the answer is `over` and nothing changes.
 */
export class HoldStock extends Command<{ outcome: HoldOutcome; lines: readonly SourcedLine[] }> implements Keyed {
  constructor(
    readonly holdId: string,
    readonly lines: readonly HoldLine[],
    readonly held: readonly SourcedLine[],
    readonly expiresAt: Instant,
    readonly at: Instant,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    const lineKeys = holdLineKeys(this.lines);
    return this.held.length === 0 ? lineKeys : [holdKey(this.holdId), ...lineKeys];
  }
}

/**
 * Moves the hold's expiry. `heldUnits` is what the caller believes that the hold has; when inventory has given some of
 * them back because they were due, the answer is `over` and nothing changes.
 */
export class RenewHold extends Command<HoldOutcome> implements Keyed {
  constructor(
    readonly holdId: string,
    readonly heldUnits: number,
    readonly expiresAt: Instant,
    readonly at: Instant,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [holdKey(this.holdId)];
  }
}

/** Held becomes committed: it no longer expires and waits for fulfilment. `heldUnits` as in RenewHold. */
export class CommitHold extends Command<HoldOutcome> implements Keyed {
  constructor(
    readonly holdId: string,
    readonly heldUnits: number,
    readonly at: Instant,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [holdKey(this.holdId)];
  }
}

/** Gives back whatever the hold still has, held or committed. Releasing twice does nothing. */
export class ReleaseHold extends Command<void> implements Keyed {
  constructor(
    readonly holdId: string,
    readonly cause: ReleaseCause,
    readonly at: Instant,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [holdKey(this.holdId)];
  }
}

export const RELEASE_CAUSES = ['CANCELLED', 'CHANGED', 'EXPIRED'] as const;
export type ReleaseCause = (typeof RELEASE_CAUSES)[number];

/**
 * Committed units leave on-hand as FULFILMENT movements: those at one location, or (null) all.
 * Refuses with INSUFFICIENT_STOCK while on-hand is short at any of them, unless it is a fact that they were handed over
 * (`late`: later reports of the store may have been recorded already).
 */
export class FulfilHold extends Command<void> implements Keyed {
  constructor(
    readonly holdId: string,
    readonly locationId: string | null,
    readonly reference: string | null,
    readonly at: Instant,
    readonly fact: 'in order' | 'late' | null = null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [holdKey(this.holdId), ...(this.locationId === null ? [] : [locationKey(this.locationId)])];
  }
}

/** Refuses with NOT_FOUND when there is no such location: for one that a path names. */
export class FindLocation extends Command<void> implements Keyed {
  constructor(readonly locationId: string) {
    super();
  }

  get keys(): EntityKey[] {
    return [locationKey(this.locationId)];
  }
}

/** Refuses with UNKNOWN_LOCATION when there is no such location. */
export class CheckLocation extends Command<void> implements Keyed {
  constructor(readonly locationId: string) {
    super();
  }

  get keys(): EntityKey[] {
    return [locationKey(this.locationId)];
  }
}

// ---------------------------------------------------------------- commands about freshness

/** What a location's keeper tells of it; what is left out stays as it is. */
export interface FreshnessReport {
  /** The location was heard from. */
  readonly contactAt?: Instant;
  /** It pushed just now, which is a contact, too: its stock has everything through `lastSequence`. */
  readonly pushed?: {
    readonly lastSequence: number;
    /** When something of it that is new was received; null: nothing was new. */
    readonly receivedAt: Instant | null;
  };
  /** Its numbers begin anew. */
  readonly restarted?: true;
  readonly policy?: FreshnessPolicy;
}

/**
 * Tells how fresh a location is. Join it to the work that brings in what was pushed, so that `lastSequence` and the stock
 * are one commit. Refuses with NOT_FOUND when there is no such location.
 */
export class ReportFreshness extends Command<LocationFreshnessView> implements Keyed {
  constructor(
    readonly locationId: string,
    readonly report: FreshnessReport,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [locationKey(this.locationId), freshnessKey(this.locationId)];
  }
}

// ---------------------------------------------------------------- queries (they see what is committed, never a batch)

/** How fresh each of the locations is, in the order in which they are named; one that was never heard from is DIRECT. */
export class GetFreshness extends Query<readonly LocationFreshnessView[]> {
  constructor(readonly locationIds: readonly string[]) {
    super();
  }
}

export class GetLocation extends Query<LocationView> {
  constructor(readonly locationId: string) {
    super();
  }
}

export class ListLocations extends Query<Page<LocationView>> {
  constructor(
    readonly limit: number,
    readonly cursor: string | null,
  ) {
    super();
  }
}

export class GetProduct extends Query<ProductView> {
  constructor(readonly sku: string) {
    super();
  }
}

export class ListProducts extends Query<Page<ProductView>> {
  constructor(
    readonly limit: number,
    readonly cursor: string | null,
  ) {
    super();
  }
}

export interface SkuStockView {
  readonly sku: string;
  readonly totals: Pick<StockItemView, 'onHand' | 'held' | 'committed' | 'incoming' | 'available'>;
  readonly locations: readonly StockItemView[];
}

export class GetSkuStock extends Query<SkuStockView> {
  constructor(readonly sku: string) {
    super();
  }
}

/** What there is of one sku, everywhere or at one location; as `SkuStockView` and `StockItemView` say it. */
export interface AvailabilityView {
  readonly sku: string;
  readonly onHand: number;
  readonly held: number;
  readonly committed: number;
  readonly incoming: number;
  readonly available: number;
  /** False when there is no such product: all numbers are 0. */
  readonly known: boolean;
}

/**
 * Totals of many skus, each once, in the order of first mention. Refuses with UNKNOWN_LOCATION when there is no such
 * location; an unknown sku is answered as such.
 */
export class GetAvailability extends Query<readonly AvailabilityView[]> {
  constructor(
    readonly skus: readonly string[],
    readonly locationId: string | null,
  ) {
    super();
  }
}

export class GetStockItem extends Query<StockItemView> {
  constructor(
    readonly sku: string,
    readonly locationId: string,
  ) {
    super();
  }
}

export class ListStock extends Query<Page<StockItemView>> {
  constructor(
    readonly filter: { skus: readonly string[] | null; locationId: string | null; state: StockState | null },
    readonly limit: number,
    readonly cursor: string | null,
  ) {
    super();
  }
}

/** Units of a stock item that a hold has. */
export interface HeldUnits {
  readonly holdId: string;
  readonly units: number;
  readonly state: 'HELD' | 'COMMITTED';
  /** Null once they are committed. */
  readonly expiresAt: Instant | null;
}

/** A stock item with its holds, balances as they are stored: holds that are over count as held until they are released. */
export interface StockWithHolds extends StockItemView {
  readonly holds: readonly HeldUnits[];
}

/** Stock items of a location by sku, each as one instant sees it together with its holds. For whoever keeps a copy. */
export class ListStockWithHolds extends Query<readonly StockWithHolds[]> {
  constructor(
    readonly locationId: string,
    /** Those behind it; null: from the first. */
    readonly afterSku: string | null,
    readonly limit: number,
  ) {
    super();
  }
}

/** What the centre believes that a store had at that place: of these skus, those of which there is an item. */
export class GetBalancesAsOf extends Query<readonly BalanceAsOf[]> {
  constructor(
    readonly through: ReportedThrough,
    readonly skus: readonly string[],
  ) {
    super();
  }
}

/** The same of all items of the location behind a sku, in their order. */
export class ListBalancesAsOf extends Query<readonly BalanceAsOf[]> {
  constructor(
    readonly through: ReportedThrough,
    readonly afterSku: string,
    readonly limit: number,
  ) {
    super();
  }
}

export class ListMovements extends Query<Page<MovementView>> {
  constructor(
    readonly sku: string,
    readonly locationId: string,
    readonly limit: number,
    readonly cursor: string | null,
  ) {
    super();
  }
}

export class GetTransfer extends Query<TransferView> {
  constructor(readonly transferId: string) {
    super();
  }
}

export class ListTransfers extends Query<Page<TransferView>> {
  constructor(
    readonly filter: {
      status: TransferStatus | null;
      sku: string | null;
      fromLocationId: string | null;
      toLocationId: string | null;
    },
    readonly limit: number,
    readonly cursor: string | null,
  ) {
    super();
  }
}

// ---------------------------------------------------------------- events

const id = Type.String({ pattern: '^[A-Za-z0-9._:-]{1,64}$' });
const units = Type.Integer({ minimum: 1 });
/** ISO-8601 UTC with milliseconds. */
const instant = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' });
const balance = Type.Integer({ minimum: -BALANCE_MAX, maximum: BALANCE_MAX });
const text = Type.Union([Type.String({ maxLength: 500 }), Type.Null()]);

/**
 * The item's balances after the change; every stock event carries them, so that a consumer needs no second call.
 * `available` is without caution, which depends on when somebody looks.
 */
const balances = Type.Object(
  {
    onHand: balance,
    held: Type.Integer({ minimum: 0 }),
    committed: Type.Integer({ minimum: 0 }),
    incoming: Type.Integer({ minimum: 0 }),
    safetyStock: Type.Integer({ minimum: 0 }),
    available: Type.Integer(),
  },
  { additionalProperties: false },
);
export type Balances = Static<typeof balances>;

const closed = { additionalProperties: false } as const;

/** Somebody said what the sku is; until then nothing can be recorded of it. */
export const ProductCreated = defineEvent(
  'inventory.product.created',
  1,
  Type.Object(
    {
      sku: id,
      name: Type.String({ maxLength: 500 }),
      lowStockThreshold: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
      active: Type.Boolean(),
    },
    closed,
  ),
);

/** What is said of a product was replaced. */
export const ProductChanged = defineEvent(
  'inventory.product.changed',
  1,
  Type.Object(
    {
      sku: id,
      name: Type.String({ maxLength: 500 }),
      lowStockThreshold: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
      active: Type.Boolean(),
    },
    closed,
  ),
);

const location = Type.Object(
  {
    locationId: id,
    name: Type.String({ maxLength: 500 }),
    kind: Type.Enum([...LOCATION_KINDS]),
    priority: Type.Integer({ minimum: 0, maximum: 1000 }),
    sellsOnline: Type.Boolean(),
  },
  closed,
);

/** Somebody said for the first time what the location is. */
export const LocationCreated = defineEvent('inventory.location.created', 1, location);

/** What is said of a location was replaced. */
export const LocationChanged = defineEvent('inventory.location.changed', 1, location);

export const StockMoved = defineEvent(
  'inventory.stock.moved',
  1,
  Type.Object(
    {
      sku: id,
      locationId: id,
      movementId: id,
      movementType: Type.Enum([...MOVEMENT_TYPES]),
      delta: Type.Integer(),
      reason: text,
      reference: text,
      /** Of a FULFILMENT: whose committed units left. */
      holdId: Type.Optional(id),
      stock: balances,
    },
    closed,
  ),
);

export const StockHeld = defineEvent(
  'inventory.stock.held',
  1,
  Type.Object({ sku: id, locationId: id, holdId: id, units, expiresAt: instant, stock: balances }, closed),
);

/** Units that were held until later are now held until `expiresAt`. */
export const StockHoldShortened = defineEvent(
  'inventory.stock.hold-shortened',
  1,
  Type.Object({ sku: id, locationId: id, holdId: id, units, expiresAt: instant, stock: balances }, closed),
);

export const StockReleased = defineEvent(
  'inventory.stock.released',
  1,
  Type.Object(
    {
      sku: id,
      locationId: id,
      holdId: id,
      units,
      from: Type.Union([Type.Literal('HELD'), Type.Literal('COMMITTED')]),
      cause: Type.Enum([...RELEASE_CAUSES]),
      stock: balances,
    },
    closed,
  ),
);

export const StockCommitted = defineEvent(
  'inventory.stock.committed',
  1,
  Type.Object({ sku: id, locationId: id, holdId: id, units, stock: balances }, closed),
);

/** Units are on their way to the item (`delta` above 0), or will not come after all (below 0). Their arrival is a movement. */
export const StockIncomingChanged = defineEvent(
  'inventory.stock.incoming-changed',
  1,
  Type.Object({ sku: id, locationId: id, transferId: id, delta: Type.Integer(), stock: balances }, closed),
);

/** Facts took more than there is: `shortBy` units are promised that are not on hand. */
export const StockOversold = defineEvent(
  'inventory.stock.oversold',
  1,
  Type.Object({ sku: id, locationId: id, shortBy: units, stock: balances }, closed),
);

/** Available units came down to the product's threshold or below; once per crossing. */
export const StockLow = defineEvent(
  'inventory.stock.low',
  1,
  Type.Object({ sku: id, locationId: id, lowStockThreshold: Type.Integer({ minimum: 0 }), stock: balances }, closed),
);

/** What may be taken, or what counts as low, was set anew. */
export const StockPolicyChanged = defineEvent(
  'inventory.stock.policy-changed',
  1,
  Type.Object(
    {
      sku: id,
      locationId: id,
      safetyStock: Type.Integer({ minimum: 0 }),
      lowStockThreshold: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
      stock: balances,
    },
    closed,
  ),
);

const transferred = { transferId: id, sku: id, fromLocationId: id, toLocationId: id, quantity: units };

export const TransferDispatched = defineEvent('inventory.transfer.dispatched', 1, Type.Object(transferred, closed));

/** All `quantity` units have left transit; `received` of them arrived, the rest is written off. */
export const TransferReceived = defineEvent(
  'inventory.transfer.received',
  1,
  Type.Object({ ...transferred, received: Type.Integer({ minimum: 0 }), reason: text }, closed),
);

/** The units are back at the source. */
export const TransferCancelled = defineEvent(
  'inventory.transfer.cancelled',
  1,
  Type.Object({ ...transferred, reason: text }, closed),
);

export const INVENTORY_EVENTS = [
  ProductCreated,
  ProductChanged,
  LocationCreated,
  LocationChanged,
  StockMoved,
  StockHeld,
  StockHoldShortened,
  StockReleased,
  StockCommitted,
  StockIncomingChanged,
  StockOversold,
  StockLow,
  StockPolicyChanged,
  TransferDispatched,
  TransferReceived,
  TransferCancelled,
] as const;
