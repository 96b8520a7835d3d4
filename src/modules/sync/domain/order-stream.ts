import { Aggregate } from '../../../shared/kernel/aggregate.ts';
import type { Instant } from '../../../shared/kernel/clock.ts';
import type { WantedLine } from '../../reservation/contract.ts';
import type { OrderAlarm, OrderStatus } from '../contract.ts';
import { OrderAlreadyCreated, OrderAlreadyFulfilled } from './order.errors.ts';

/** Most events of one order that wait for an earlier one, and most that are dead. */
export const ORDER_PARKED_MAX = 100;

/** Most conflicts that are kept of one order: whoever has so many has one mistake, not so many. */
export const ORDER_CONFLICTS_MAX = 100;

export interface OrderState {
  readonly orderId: string;
  readonly status: OrderStatus;
  /** All versions below are used up. */
  readonly nextVersion: number;
  /** The version that has died and that the later ones wait for. */
  readonly blockedBy: number | null;
  /** The version that cancelled it. */
  readonly cancelledBy: number | null;
  /** Events that wait for their turn. */
  readonly parked: number;
  /** Events whose dead letters are open. */
  readonly dead: number;
  /** Kept events that contradict another one. */
  readonly conflicts: number;
  /** The reservation that holds or has its units. */
  readonly reservationId: string | null;
  /** As they were asked for when it was created. */
  readonly lines: readonly WantedLine[];
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly version: number;
}

/**
 * What is to be done with an event that nobody knows yet. `due`: carry it out now; `parked`: keep it until its turn;
 * `stale`: the order has gone on without it; `refused`: there is no room to keep it.
 */
export type Place = 'due' | 'parked' | 'stale' | 'refused';

/** The same for one that cannot be carried out, whatever comes before it. `dead`: it is, and others may wait for it. */
export type DeadPlace = 'dead' | 'refused';

/**
 * The events of one order of an outside shop, put in order: versions count from 1, and each is used up once
 * (docs/decisions/0021). An event beyond a gap waits for it, and so does everything behind one that has died. Only a
 * cancellation waits for nothing: it ends the order at once, and what comes later is stale, whatever its version.
 */
export class OrderStream extends Aggregate<OrderState> {
  /** The stream as it was stored. */
  static of(state: OrderState): OrderStream {
    return new OrderStream(state);
  }

  /** One of which nothing is known. Its version 0 becomes 1 with the first change. */
  static begin(orderId: string, at: Instant): OrderStream {
    return new OrderStream({
      orderId,
      status: 'NEW',
      nextVersion: 1,
      blockedBy: null,
      cancelledBy: null,
      parked: 0,
      dead: 0,
      conflicts: 0,
      reservationId: null,
      lines: [],
      createdAt: at,
      updatedAt: at,
      version: 0,
    });
  }

  get isCancelled(): boolean {
    return this.state.status === 'CANCELLED';
  }

  /** The version whose turn it is; null: no turn is given while a dead event is in the way, or after the end. */
  get turn(): number | null {
    return this.isCancelled || this.state.blockedBy !== null ? null : this.state.nextVersion;
  }

  /** Nothing waits for anything: only then may the order be forgotten. */
  get isAtRest(): boolean {
    return this.state.parked === 0 && this.state.dead === 0;
  }

  get hasRoomForConflicts(): boolean {
    return this.state.conflicts < ORDER_CONFLICTS_MAX;
  }

  /** Where an event belongs whose id and version are both new. */
  placeOf(version: number, isCancellation: boolean): Place {
    if (this.isCancelled || version < this.state.nextVersion) return 'stale';
    if (isCancellation || version === this.turn) return 'due';
    return this.state.parked < ORDER_PARKED_MAX ? 'parked' : 'refused';
  }

  /** The same for an event that cannot be carried out. */
  placeOfDead(version: number): DeadPlace {
    return version === this.turn || this.state.dead < ORDER_PARKED_MAX ? 'dead' : 'refused';
  }

  /** What is alarming about an event that is stale. */
  alarmOf(version: number, type: string): OrderAlarm | null {
    const { cancelledBy } = this.state;
    if (cancelledBy === null) return null;
    // Paid before it was cancelled, and told late: the shop knows that it has to pay back.
    if (type === 'order.paid') return version > cancelledBy ? 'PAID_AFTER_CANCELLED' : null;
    // In whatever order it happened, the goods are gone.
    return type === 'order.shipped' ? 'SHIPPED_AFTER_CANCELLED' : null;
  }

  /** @throws OrderAlreadyCreated */
  assertNotCreated(): void {
    if (this.state.status !== 'NEW') throw new OrderAlreadyCreated(this.state.status);
  }

  /** @throws OrderAlreadyFulfilled */
  assertNotShipped(): void {
    if (this.state.status === 'SHIPPED') throw new OrderAlreadyFulfilled();
  }

  /**
   * Its units are held.
   * @throws OrderAlreadyCreated
   */
  create(version: number, hold: { reservationId: string; lines: readonly WantedLine[] }, at: Instant): void {
    this.assertNotCreated();
    this.use(version, { ...hold, status: 'HELD' }, at);
  }

  /** Its units are committed. @param reservationId another one than before when its units were held anew */
  pay(version: number, reservationId: string, at: Instant): void {
    const status = this.state.status === 'SHIPPED' ? 'SHIPPED' : 'PAID';
    this.use(version, { reservationId, status }, at);
  }

  /** @param complete whether all of its units have left the shelves */
  ship(version: number, complete: boolean, at: Instant): void {
    this.use(version, complete ? { status: 'SHIPPED' } : {}, at);
  }

  /**
   * Ends it, whatever is missing before: what waits for its turn is stale now.
   * @throws OrderAlreadyFulfilled
   */
  cancel(version: number, at: Instant): void {
    this.assertNotShipped();
    this.use(version, { status: 'CANCELLED', cancelledBy: version, blockedBy: null, parked: 0 }, at);
  }

  /** An event takes its place in the line. */
  park(at: Instant): void {
    this.amendAt({ parked: this.state.parked + 1 }, at);
  }

  /** The turn has come to an event that was parked. */
  unpark(at: Instant): void {
    this.amendAt({ parked: this.state.parked - 1 }, at);
  }

  /** Uses a version up for which there is nothing to do: a repeat, a conflict, an event that is stale or given up. */
  passOver(version: number, at: Instant): void {
    this.use(version, {}, at);
  }

  /**
   * An event cannot be carried out. Is it its turn, the later ones wait for it; else it waits for its turn, which is when
   * they begin to.
   */
  die(version: number, at: Instant): void {
    const { dead } = this.state;
    if (version === this.turn) this.use(version, { dead: dead + 1, blockedBy: version }, at);
    else this.amendAt({ dead: dead + 1 }, at);
  }

  /** The turn has come to an event that had died before. */
  block(version: number, at: Instant): void {
    this.use(version, { blockedBy: version }, at);
  }

  /** A dead event is dead no more: it was carried out, given up, or is parked now. */
  settleDead(version: number, at: Instant): void {
    const { dead, blockedBy } = this.state;
    this.amendAt({ dead: dead - 1, blockedBy: blockedBy === version ? null : blockedBy }, at);
  }

  /** Somebody has sent what contradicts an event. */
  noteConflict(at: Instant): void {
    this.amendAt({ conflicts: this.state.conflicts + 1 }, at);
  }

  private use(version: number, next: Partial<Omit<OrderState, 'version'>>, at: Instant): void {
    const isTurn = version === this.state.nextVersion || next.status === 'CANCELLED' || this.isCancelled;
    const nextVersion = isTurn ? Math.max(this.state.nextVersion, version + 1) : this.state.nextVersion;
    this.amendAt({ ...next, nextVersion }, at);
  }

  private amendAt(next: Partial<Omit<OrderState, 'version'>>, updatedAt: Instant): void {
    this.change({ ...next, updatedAt });
  }
}
