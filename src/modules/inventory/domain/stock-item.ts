import { Aggregate } from '../../../shared/kernel/aggregate.ts';
import { type Instant, toIsoInstant } from '../../../shared/kernel/clock.ts';
import type { EventDefinition, PayloadOf } from '../../../shared/kernel/domain-event.ts';
import {
  type Balances,
  BALANCE_MAX,
  type MovementType,
  type RecordableMovement,
  type ReleaseCause,
  StockCommitted,
  StockHeld,
  StockHoldShortened,
  StockIncomingChanged,
  StockLow,
  StockMoved,
  StockOversold,
  StockPolicyChanged,
  StockReleased,
} from '../contract.ts';
import { InsufficientStock, QuantityLimit } from './inventory.errors.ts';
import { cautionPercentAt, cautionUnits, type KnownFreshness } from './location-freshness.ts';

/** All numbers but `version` are whole units. */
export interface StockItemState {
  readonly sku: string;
  readonly locationId: string;
  /** Sum of the item's movements; negative when facts took more than was known to be there. */
  readonly onHand: number;
  /** Units of ACTIVE reservations; never negative. */
  readonly held: number;
  /** Units of CONFIRMED reservations that wait for fulfilment; never negative. */
  readonly committed: number;
  /** Units of transfers IN_TRANSIT to here; never negative. */
  readonly incoming: number;
  /** Units that commands leave alone; never negative. */
  readonly safetyStock: number;
  /** The product's threshold, kept here so that a crossing is seen in the same change; null: no alarm wanted. */
  readonly lowStockThreshold: number | null;
  /** No hold of the item falls due before this; null while nothing is held. Tells without a look at the holds that none is due. */
  readonly noHoldDueBefore: Instant | null;
  /** 0 while nothing ever happened to the item. */
  readonly version: number;
  readonly updatedAt: Instant | null;
}

/** One immutable line of the ledger. */
export interface MovementEntry {
  readonly movementId: string;
  readonly sku: string;
  readonly locationId: string;
  /** The item's version after the movement: orders the ledger of one item. */
  readonly itemVersion: number;
  readonly type: MovementType;
  /** Signed change of on-hand units; 0 only for a COUNT that found what was known. */
  readonly delta: number;
  readonly onHandAfter: number;
  readonly reason: string | null;
  readonly reference: string | null;
  readonly occurredAt: Instant;
}

/** A movement of a transfer; the ledger's reference is the transfer. */
export interface TransferMovement {
  readonly movementId: string;
  readonly transferId: string;
}

/**
 * Units of one sku at one location. Commands can be refused and leave what is available at 0 or above; facts cannot
 * be refused and may leave it negative (DESIGN section 1 and rule 1).
 *
 * Every verb is one change: the version rises by one, `updatedAt` becomes `at`. Units are whole and at least 1, which
 * the callers have checked: a breach is a bug and thrown as a plain Error, not as a refusal.
 */
export class StockItem extends Aggregate<StockItemState> {
  private constructor(
    state: StockItemState,
    /** Of its location; undefined: nothing was ever heard from it. */
    readonly freshness: KnownFreshness,
  ) {
    super(state);
  }

  /** The item as it was stored. */
  static of(state: StockItemState, freshness: KnownFreshness): StockItem {
    return new StockItem(state, freshness);
  }

  /** A known sku at a known location where nothing has happened yet. */
  static unstocked(
    sku: string,
    locationId: string,
    lowStockThreshold: number | null,
    freshness: KnownFreshness,
  ): StockItem {
    const nothing = { onHand: 0, held: 0, committed: 0, incoming: 0, safetyStock: 0 };
    const never = { noHoldDueBefore: null, version: 0, updatedAt: null };
    return new StockItem({ sku, locationId, ...nothing, lowStockThreshold, ...never }, freshness);
  }

  /**
   * What commands may still take at the instant `at`; negative when facts, a raised safety stock or caution took it below.
   * Caution is for as long as the location is stale or silent: nothing is stored of it.
   */
  availableAt(at: Instant): number {
    return availableOf(this.state) - cautionUnits(this.state.onHand, cautionPercentAt(this.freshness, at));
  }

  /** At or below the threshold, by the balances alone: what only the clock takes away is not stored and sets off no alarm. */
  get isLow(): boolean {
    return isLow(this.state);
  }

  /** Nothing available, in the same sense. */
  get isOut(): boolean {
    return availableOf(this.state) <= 0;
  }

  /** True when more units are promised than are on hand. */
  get isOversold(): boolean {
    return unpromisedOf(this.state) < 0;
  }

  /**
   * Records goods that came or went.
   * RECEIPT, RETURN and a positive ADJUSTMENT are facts; SALE, WRITE_OFF and a negative ADJUSTMENT are commands.
   * @param movement.units at least 1; the sign follows from the type, only ADJUSTMENT brings its own (never 0)
   * @throws InsufficientStock when a command wants more than is available
   * @throws QuantityLimit when on-hand would pass BALANCE_MAX
   */
  move(
    movement: {
      readonly movementId: string;
      readonly type: RecordableMovement;
      readonly units: number;
      readonly reason: string | null;
      readonly reference: string | null;
    },
    at: Instant,
  ): MovementEntry {
    const { units, ...rest } = movement;
    const delta = signedUnits(movement.type, units);
    if (delta < 0) this.assertAvailable(-delta, at);
    return this.enter({ ...rest, delta }, {}, at);
  }

  /**
   * A fact: what a store reports has happened, so it is recorded even below zero.
   * @param movement.units as in `move`
   * @throws QuantityLimit when on-hand would pass BALANCE_MAX
   */
  recordFact(
    movement: {
      readonly movementId: string;
      readonly type: RecordableMovement;
      readonly units: number;
      readonly reference: string | null;
    },
    at: Instant,
  ): MovementEntry {
    const { units, ...rest } = movement;
    return this.enter({ ...rest, reason: null, delta: signedUnits(movement.type, units) }, {}, at);
  }

  /**
   * A fact: a shelf count found `counted` units. A count that found what was known is recorded too, because that
   * somebody looked is worth knowing.
   * @param counted 0 or more
   * @throws QuantityLimit when `counted` is above BALANCE_MAX
   */
  count(
    counted: number,
    movement: { readonly movementId: string; readonly reason: string | null },
    at: Instant,
  ): MovementEntry {
    assertNotNegative(counted, 'counted units');
    return this.settle(counted, movement, at);
  }

  /**
   * On-hand becomes what a count makes of it: what was counted, with what the count cannot have seen on top.
   * @param onHand may be negative: units may have left since then
   * @throws QuantityLimit when it is beyond BALANCE_MAX
   */
  settle(
    onHand: number,
    movement: { readonly movementId: string; readonly reason: string | null },
    at: Instant,
  ): MovementEntry {
    const delta = onHand - this.state.onHand;
    return this.enter({ ...movement, type: 'COUNT', delta, reference: null }, {}, at);
  }

  /** Sets the units that commands leave alone; never refused, and no change when it is the same as before. */
  setPolicy(safetyStock: number, at: Instant): void {
    assertNotNegative(safetyStock, 'safety stock');
    if (safetyStock !== this.state.safetyStock) this.changePolicy({ safetyStock }, at);
  }

  /** Takes over the product's threshold; no change when it is the same as before. */
  followThreshold(lowStockThreshold: number | null, at: Instant): void {
    assertNotNegative(lowStockThreshold ?? 0, 'low stock threshold');
    if (lowStockThreshold !== this.state.lowStockThreshold) this.changePolicy({ lowStockThreshold }, at);
  }

  /**
   * Sets units aside so that nobody else can take them.
   * @param holdId the caller's reference; inventory does not know what it stands for
   * @throws InsufficientStock when fewer than `units` are available
   */
  hold(units: number, holdId: string, expiresAt: Instant, at: Instant): void {
    assertUnits(units);
    this.assertAvailable(units, at);
    const next = { held: this.state.held + units, noHoldDueBefore: earlier(this.state.noHoldDueBefore, expiresAt) };
    this.apply(next, StockHeld, { holdId, units, expiresAt: toIsoInstant(expiresAt) }, at);
  }

  /** Gives back units that were set aside or committed. */
  release(units: number, from: 'HELD' | 'COMMITTED', holdId: string, cause: ReleaseCause, at: Instant): void {
    const property = from === 'HELD' ? 'held' : 'committed';
    this.assertHas(units, property);
    const left = this.state[property] - units;
    const next = { [property]: left, ...(property === 'held' && left === 0 ? { noHoldDueBefore: null } : {}) };
    this.apply(next, StockReleased, { holdId, units, from, cause }, at);
  }

  /** Held becomes committed. Never refused for want of stock: a hold, once given, holds (rule 6). */
  commit(units: number, holdId: string, at: Instant): void {
    this.assertHas(units, 'held');
    const { held, committed, noHoldDueBefore } = this.state;
    const next = {
      held: held - units,
      committed: committed + units,
      noHoldDueBefore: held === units ? null : noHoldDueBefore,
    };
    this.apply(next, StockCommitted, { holdId, units }, at);
  }

  /** Somebody has looked: no hold is due before `at` (null: there is none). Spares the next look. */
  knowNoHoldDueBefore(at: Instant | null): void {
    this.amend({ noHoldDueBefore: at });
  }

  /** A hold of this item was made to end earlier: a change, because what may be taken comes back earlier, too. */
  shortenHold(units: number, holdId: string, expiresAt: Instant, at: Instant): void {
    this.assertHas(units, 'held');
    const next = { noHoldDueBefore: earlier(this.state.noHoldDueBefore, expiresAt) };
    this.apply(next, StockHoldShortened, { holdId, units, expiresAt: toIsoInstant(expiresAt) }, at);
  }

  /**
   * Committed units leave on-hand.
   * @throws InsufficientStock while fewer than `units` are on hand (rule 6)
   */
  fulfil(
    units: number,
    holdId: string,
    movement: { readonly movementId: string; readonly reference: string | null },
    at: Instant,
  ): MovementEntry {
    const { onHand } = this.state;
    this.assertHas(units, 'committed');
    if (onHand < units) this.refuse(units, onHand);
    return this.handOver(units, holdId, movement, at);
  }

  /** A fact: committed units were handed over, although on-hand may be short of them. */
  handOver(
    units: number,
    holdId: string,
    movement: { readonly movementId: string; readonly reference: string | null },
    at: Instant,
  ): MovementEntry {
    this.assertHas(units, 'committed');
    const { committed } = this.state;
    const entry = { ...movement, type: 'FULFILMENT', delta: -units, reason: null } as const;
    return this.enter(entry, { committed: committed - units }, at, { holdId });
  }

  /**
   * A command: units leave for another location.
   * @throws InsufficientStock when fewer than `units` are available
   */
  dispatch(units: number, { transferId, movementId }: TransferMovement, at: Instant): MovementEntry {
    assertUnits(units);
    this.assertAvailable(units, at);
    const entry = { movementId, type: 'TRANSFER_OUT', delta: -units, reason: null, reference: transferId } as const;
    return this.enter(entry, {}, at);
  }

  /**
   * Units are on their way here.
   * @throws QuantityLimit when more than BALANCE_MAX would be on their way
   */
  expect(units: number, transferId: string, at: Instant): void {
    assertUnits(units);
    const incoming = this.state.incoming + units;
    if (incoming > BALANCE_MAX) throw new QuantityLimit(this.state.sku, this.state.locationId);
    this.apply({ incoming }, StockIncomingChanged, { transferId, delta: units }, at);
  }

  /** Units that were on their way here will not come. */
  expectNoMore(units: number, transferId: string, at: Instant): void {
    this.assertHas(units, 'incoming');
    this.apply({ incoming: this.state.incoming - units }, StockIncomingChanged, { transferId, delta: -units }, at);
  }

  /**
   * A fact: units that were on their way are here, `received` of them whole. All of them come in, and what is missing is
   * written off in a second change.
   * @param units all that were dispatched
   * @param received 0 to `units`
   * @param movement.lossId names the second movement, if there is one
   * @throws QuantityLimit when on-hand would pass BALANCE_MAX with all of them
   */
  receive(
    units: number,
    received: number,
    movement: TransferMovement & { readonly lossId: string; readonly reason: string | null },
    at: Instant,
  ): MovementEntry[] {
    this.assertHas(units, 'incoming');
    const before = this.state;
    const { movementId, lossId, reason, transferId: reference } = movement;
    const arrival = { movementId, type: 'TRANSFER_IN', delta: units, reason, reference } as const;
    const entries = [this.enter(arrival, { incoming: before.incoming - units }, at)];
    const missing = units - received;
    if (missing > 0) {
      const loss = { movementId: lossId, type: 'WRITE_OFF', delta: -missing, reason, reference } as const;
      // Only what has just come in is lost: nothing that was there before became less, so there is nothing to alarm.
      entries.push(this.enter(loss, {}, at, {}, before));
    }
    return entries;
  }

  /**
   * Dispatched units are back: their transfer was cancelled.
   * @throws QuantityLimit when on-hand would pass BALANCE_MAX
   */
  takeBack(units: number, movement: TransferMovement & { readonly reason: string | null }, at: Instant): MovementEntry {
    assertUnits(units);
    const { movementId, transferId: reference, reason } = movement;
    return this.enter({ movementId, type: 'TRANSFER_IN', delta: units, reason, reference }, {}, at);
  }

  private changePolicy(next: Partial<Pick<StockItemState, 'safetyStock' | 'lowStockThreshold'>>, at: Instant): void {
    const { safetyStock, lowStockThreshold } = this.state;
    this.apply(next, StockPolicyChanged, { safetyStock, lowStockThreshold, ...next }, at);
  }

  /**
   * One ledger entry, with what else changes in the same step and what else its event tells.
   * @param alarmsSince what the alarms compare with
   */
  private enter(
    entry: Pick<MovementEntry, 'movementId' | 'type' | 'delta' | 'reason' | 'reference'>,
    besides: Partial<Pick<StockItemState, 'committed' | 'incoming'>>,
    at: Instant,
    told: { readonly holdId?: string } = {},
    alarmsSince: StockItemState = this.state,
  ): MovementEntry {
    const { sku, locationId } = this.state;
    const { movementId, type: movementType, delta, reason, reference } = entry;
    const onHand = this.state.onHand + delta;
    if (Math.abs(onHand) > BALANCE_MAX) throw new QuantityLimit(sku, locationId);
    const data = { movementId, movementType, delta, reason, reference, ...told };
    this.apply({ ...besides, onHand }, StockMoved, data, at, alarmsSince);
    return { ...entry, sku, locationId, itemVersion: this.version, onHandAfter: onHand, occurredAt: at };
  }

  /**
   * The change itself, its event, then the alarms that it sets off.
   * @param before what the alarms compare with
   */
  private apply<Definition extends EventDefinition>(
    next: Partial<StockItemState>,
    definition: Definition,
    data: StockEventData<Definition>,
    at: Instant,
    before: StockItemState = this.state,
  ): void {
    this.change({ ...next, updatedAt: at });
    this.publish(definition, data, at);
    const unpromised = unpromisedOf(this.state);
    // Only facts can get here: commands stop at what is available, which is never above the unpromised units.
    if (unpromised < 0 && unpromised < unpromisedOf(before)) {
      this.publish(StockOversold, { shortBy: -unpromised }, at);
    }
    const { lowStockThreshold } = this.state;
    if (lowStockThreshold !== null && isLow(this.state) && !isLow(before)) {
      this.publish(StockLow, { lowStockThreshold }, at);
    }
  }

  private publish<Definition extends EventDefinition>(
    { type, version }: Definition,
    data: StockEventData<Definition>,
    at: Instant,
  ): void {
    const { sku, locationId } = this.state;
    this.record({
      type,
      version,
      subject: stockSubject(sku, locationId),
      subjectVersion: this.version,
      locationId,
      data: { sku, locationId, ...data, stock: balancesOf(this.state) },
      occurredAt: at,
    });
  }

  private assertAvailable(units: number, at: Instant): void {
    const available = this.availableAt(at);
    if (units > available) this.refuse(units, available);
  }

  private refuse(requested: number, available: number): never {
    const { sku, locationId } = this.state;
    throw new InsufficientStock([{ sku, locationId, requested, available: Math.max(0, available) }]);
  }

  private assertHas(units: number, property: 'held' | 'committed' | 'incoming'): void {
    assertUnits(units);
    const present = this.state[property];
    if (units > present) {
      const { sku, locationId } = this.state;
      throw new Error(`Bug: ${units} ${property} units of ${sku} at ${locationId} are to go, but there are ${present}`);
    }
  }
}

/** The name of an item in the event log. */
export function stockSubject(sku: string, locationId: string): string {
  return `stock/${sku}/${locationId}`;
}

/** What an event says besides the item and its balances, which every one of them carries. */
type StockEventData<Definition> = Omit<PayloadOf<Definition>, 'sku' | 'locationId' | 'stock'>;

function signedUnits(type: RecordableMovement, units: number): number {
  if (type === 'ADJUSTMENT') {
    assertUnits(Math.abs(units));
    return units;
  }
  assertUnits(units);
  return type === 'SALE' || type === 'WRITE_OFF' ? -units : units;
}

function earlier(a: Instant | null, b: Instant): Instant {
  return a === null ? b : Math.min(a, b);
}

/** Units on hand that are promised to nobody. */
function unpromisedOf({ onHand, held, committed }: StockItemState): number {
  return onHand - held - committed;
}

/** Without caution. */
function availableOf(state: StockItemState): number {
  return unpromisedOf(state) - state.safetyStock;
}

function isLow(state: StockItemState): boolean {
  return state.lowStockThreshold !== null && availableOf(state) <= state.lowStockThreshold;
}

function balancesOf(state: StockItemState): Balances {
  const { onHand, held, committed, incoming, safetyStock } = state;
  return { onHand, held, committed, incoming, safetyStock, available: availableOf(state) };
}

function assertUnits(units: number): void {
  if (!Number.isSafeInteger(units) || units < 1) throw new Error(`Bug: ${units} is no whole number of units from 1`);
}

function assertNotNegative(units: number, what: string): void {
  if (!Number.isSafeInteger(units) || units < 0) throw new Error(`Bug: ${units} ${what}, want a whole number from 0`);
}
