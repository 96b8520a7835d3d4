import { Command, Query } from '@nestjs/cqrs';
import { Type } from 'typebox';
import type { Instant } from '../../shared/kernel/clock.ts';
import { DEAD_LETTER_STATUSES, type DeadLetterStatus } from '../../shared/kernel/dead-letter-status.ts';
import { defineEvent } from '../../shared/kernel/domain-event.ts';
import type { EntityKey, Keyed } from '../../shared/kernel/entity-key.ts';
import type { Page } from '../../shared/kernel/page.ts';
import type { VersionMatch } from '../../shared/kernel/version-match.ts';
import {
  freshnessKey,
  type FreshnessPolicy,
  type FreshnessView,
  locationKey,
  type MovementView,
} from '../inventory/contract.ts';
import type { WantedLine } from '../reservation/contract.ts';

/*
 * The face of sync: its commands (in) and its queries, as plain data. Another module imports this file and nothing else
 * of sync.
 */

// ---------------------------------------------------------------- dead letters: plain data

/** An event that a consumer could not process, and what became of it. */
export interface DeadLetterView {
  readonly id: string;
  readonly eventId: string;
  readonly consumer: string;
  readonly locationId: string | null;
  readonly orderId: string | null;
  readonly sequence: number | null;
  /** Null: it came with no type that is a text. */
  readonly type: string | null;
  /** As it came. */
  readonly data: unknown;
  readonly code: string;
  readonly detail: string;
  /** Failed ones, replays included. */
  readonly attempts: number;
  readonly status: DeadLetterStatus;
  /** Why it was discarded. */
  readonly reason: string | null;
  readonly createdAt: Instant;
  readonly closedAt: Instant | null;
  readonly version: number;
}

/** What a replay would change: rows by what they are called, as the API shows them. */
export interface ReplayRehearsal {
  readonly before: Readonly<Record<string, readonly object[]>>;
  readonly after: Readonly<Record<string, readonly object[]>>;
  /** What it would fail with; null: it would succeed. */
  readonly failure: { readonly code: string; readonly detail: string } | null;
  /** Of the dead letter, so that the replay can be made conditional on it. */
  readonly version: number;
}

// ---------------------------------------------------------------- dead letters: commands

/** None can be named beforehand: what a replay touches is known to the letter's consumer only. */
const NO_KEYS: readonly EntityKey[] = [];

/**
 * Processes the letter's event again. It is REPLAYED when that works, and what waits behind it goes on in order; else it
 * stays DEAD with one more attempt. A letter that is closed stays as it is.
 */
export class ReplayDeadLetter extends Command<DeadLetterView> implements Keyed {
  readonly keys = NO_KEYS;

  constructor(
    readonly id: string,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }
}

/** Tells what a replay would change, and changes nothing. */
export class RehearseReplay extends Command<ReplayRehearsal> {
  constructor(
    readonly id: string,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }
}

/** Gives the letter's event up; what waits behind it goes on in order. A letter that is closed stays as it is. */
export class DiscardDeadLetter extends Command<DeadLetterView> implements Keyed {
  readonly keys = NO_KEYS;

  constructor(
    readonly id: string,
    readonly reason: string,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }
}

// ---------------------------------------------------------------- dead letters: queries

export class GetDeadLetter extends Query<DeadLetterView> {
  constructor(readonly id: string) {
    super();
  }
}

/** Oldest first. */
export class ListDeadLetters extends Query<Page<DeadLetterView>> {
  constructor(
    readonly status: DeadLetterStatus,
    readonly limit: number,
    readonly cursor: string | null,
  ) {
    super();
  }
}

// ---------------------------------------------------------------- orders of outside shops: plain data

/** The highest version of an order: far below what a double can count. */
export const ORDER_VERSION_MAX = 1_000_000_000;
/** Characters that are kept of an event's data: three times as many as a hundred of the longest lines. */
export const ORDER_EVENT_DATA_MAX = 65_536;
/** Most events of one call. */
export const ORDER_EVENTS_MAX = 1000;
/** Most events that one RecordOrderEvents carries out in one commit: about 10 ms, as long as bulk works may take. */
export const ORDER_EVENTS_PER_WORK = 50;

/**
 * How far an order has come, by the events of it that were applied: NEW is one of which none was, SHIPPED one that left
 * the shelves whole.
 */
export const ORDER_STATUSES = ['NEW', 'HELD', 'PAID', 'SHIPPED', 'CANCELLED'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** What an event of an order says, as JSON values. It may be anything. */
export type OrderEventContent = Omit<EventContent, 'version'>;

/** An event as a shop sends it. */
export interface OrderEvent {
  readonly id: string;
  readonly orderId: string;
  /** Counts the events of the order from 1. */
  readonly version: number;
  readonly content: OrderEventContent;
  /** Names order, type, occurredAt and data as they came, also where not all of it is kept. */
  readonly contentHash: string;
}

/**
 * What became of an event. `stale`: the order had gone on without it; `refused`: nothing was kept, it may be sent again;
 * `conflict`: its id or its version belongs to another event.
 */
export const ORDER_EVENT_OUTCOMES = ['applied', 'duplicate', 'stale', 'parked', 'refused', 'conflict', 'dead'] as const;
export type OrderEventOutcome = (typeof ORDER_EVENT_OUTCOMES)[number];

/** What somebody has to look at although the event is done with: money was taken, or goods left, for a cancelled order. */
export const ORDER_ALARMS = ['PAID_AFTER_CANCELLED', 'SHIPPED_AFTER_CANCELLED'] as const;
export type OrderAlarm = (typeof ORDER_ALARMS)[number];

export interface OrderEventResult {
  readonly id: string;
  readonly orderId: string;
  readonly version: number;
  readonly outcome: OrderEventOutcome;
  /** Why it is dead. */
  readonly code?: string;
  readonly flags?: readonly OrderAlarm[];
}

/** What is known of an order. */
export interface OrderView {
  readonly orderId: string;
  readonly status: OrderStatus;
  /** All versions below are used up. */
  readonly nextVersion: number;
  /** The version whose dead letter the later ones wait for. */
  readonly blockedBy: number | null;
  /** Versions that wait, in order. */
  readonly parked: readonly number[];
  readonly deadLetters: readonly { readonly id: string; readonly version: number }[];
  /** Events that contradict another one, newest first, at most `CONFLICTS_SHOWN_MAX`. */
  readonly conflicts: readonly OrderConflictView[];
  /** The one that holds or has its units. */
  readonly reservationId: string | null;
  /** As they were asked for when it was created. */
  readonly lines: readonly WantedLine[];
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /** Of this row; it rises with every change. */
  readonly rowVersion: number;
}

export const CONFLICTS_SHOWN_MAX = 20;

export interface OrderConflictView extends Omit<OrderEventContent, 'fault'> {
  readonly id: string;
  readonly version: number;
  readonly receivedAt: Instant;
}

// ---------------------------------------------------------------- orders of outside shops: commands and queries

/**
 * Carries out events of orders, at most `ORDER_EVENTS_PER_WORK`, each by itself: one that dies spoils no other. They come
 * in any order and as often as they like.
 * @returns a result for each event, in their order
 */
export class RecordOrderEvents extends Command<readonly OrderEventResult[]> {
  constructor(readonly events: readonly OrderEvent[]) {
    super();
  }
}

export class GetOrder extends Query<OrderView> {
  constructor(readonly orderId: string) {
    super();
  }
}

// ---------------------------------------------------------------- stores: plain data

/** Most events of one call. */
export const STORE_EVENTS_MAX = 1_000;
/** Numbers of a stream, and epochs, are whole numbers that a double holds exactly. */
export const SEQUENCE_MAX = Number.MAX_SAFE_INTEGER;

/** What an event says, as JSON values: what its content is compared by. It may be anything. */
export interface EventContent {
  readonly type: unknown;
  readonly version: unknown;
  readonly occurredAt: unknown;
  readonly data: unknown;
  /** What is wrong with how it was written, so that it cannot be read at all. */
  readonly fault: string | null;
}

/** An event as a store sends it. */
export interface IncomingEvent {
  readonly id: string;
  readonly sequence: number;
  readonly content: EventContent;
  /** Names type, version, occurredAt and data as they came, also where not all of it is kept. */
  readonly contentHash: string;
}

export const STORE_EVENT_OUTCOMES = ['applied', 'duplicate', 'parked', 'refused', 'conflict', 'dead'] as const;
export type StoreEventOutcome = (typeof STORE_EVENT_OUTCOMES)[number];

export const EVENT_FLAGS = ['CLOCK'] as const;
export type EventFlag = (typeof EVENT_FLAGS)[number];

/** What became of an event. */
export interface StoreEventResult {
  readonly id: string;
  readonly sequence: number;
  readonly outcome: StoreEventOutcome;
  /** Why it is dead. */
  readonly code?: string;
  readonly flags?: readonly EventFlag[];
}

export interface PushedEvents {
  /** In the order of the events. */
  readonly results: readonly StoreEventResult[];
  readonly nextSequence: number;
  /** Numbers that have not come although later ones have. */
  readonly missing: readonly (readonly [from: number, to: number])[];
}

export interface OpenedStream {
  readonly epoch: number;
  readonly nextSequence: number;
}

/** Where a store stands. */
export interface StoreView {
  readonly locationId: string;
  /** 0: its agent never opened a stream. */
  readonly epoch: number;
  readonly nextSequence: number;
  /** Numbers that have not come although later ones have, and since when they are missed. */
  readonly missing: readonly { readonly from: number; readonly to: number; readonly since: Instant }[];
  /** Since the store was last heard from, whether or not it pushed; null: it never was. */
  readonly lagSeconds: number | null;
  /** Events that wait for what is missing. */
  readonly parked: number;
  /** Events that could not be recorded, as open dead letters. */
  readonly dead: number;
  /** Events that contradicted what came before, ever. */
  readonly conflicts: number;
  /** How fresh its stock is, as every answer about it says. */
  readonly freshness: FreshnessView;
  /** Units by which the last reconciliation found store and centre apart, and that were not corrected. */
  readonly drift: number;
}

export const CONTRADICTED = ['ID', 'SEQUENCE'] as const;
export type Contradicted = (typeof CONTRADICTED)[number];

/** An event that contradicted what came before, as it came. */
export interface StoreConflictView {
  readonly eventId: string;
  readonly epoch: number;
  readonly sequence: number;
  /** Which of the two was known with another content. */
  readonly contradicts: Contradicted;
  readonly type: unknown;
  readonly version: unknown;
  readonly occurredAt: unknown;
  readonly data: unknown;
  readonly receivedAt: Instant;
}

// ---------------------------------------------------------------- reconciliations

/** What a store has of an item. */
export interface StoreBalance {
  readonly sku: string;
  readonly onHand: number;
}

/** Up to where a store had reported, and what it knew of the centre's changes, when it looked at its balances. */
export interface BalancePlace {
  readonly epoch: number;
  readonly sequence: number;
  /** That of a feed. */
  readonly cursor: string;
}

/** An item of which store and centre have different units. */
export interface Difference {
  readonly sku: string;
  /** What the store has; 0 when it did not name the sku. */
  readonly store: number;
  /** What the centre believes that it had then. */
  readonly central: number;
  /** `store - central`: what a correction adds. */
  readonly difference: number;
  /** The newest entries of its ledger here, for whoever looks for the reason; of many differences only the first have them. */
  readonly movements: readonly Omit<MovementView, 'clientId' | 'keyId'>[];
  /** Why it cannot be corrected. */
  readonly code?: string;
}

export interface ReconciliationView extends BalancePlace {
  readonly id: string;
  readonly locationId: string;
  /** Whether the centre was corrected. */
  readonly applied: boolean;
  /** By sku. Of those that are stored, the first 10,000. */
  readonly differences: readonly Difference[];
  readonly differencesTotal: number;
  /** Units that are still apart, over all differences. */
  readonly drift: number;
  readonly createdAt: Instant;
}

/** Most differences that are kept of one reconciliation; its answer had all of them. */
export const DIFFERENCES_KEPT_MAX = 10_000;

/**
 * Whether a balance of this place can be compared with what the centre has. Refuses with NOT_FOUND, CURSOR_GONE,
 * STALE_EPOCH and SEQUENCE_AHEAD.
 */
export class CheckBalancePlace extends Query<void> {
  constructor(
    readonly locationId: string,
    readonly place: BalancePlace,
  ) {
    super();
  }
}

/** Corrects the centre where it is wanted, keeps what was found, and tells the store's drift. */
export class FileReconciliation extends Command<ReconciliationView> {
  constructor(
    readonly locationId: string,
    readonly place: BalancePlace,
    readonly differences: readonly Difference[],
    readonly apply: boolean,
  ) {
    super();
  }
}

export class GetReconciliation extends Query<ReconciliationView> {
  constructor(
    readonly locationId: string,
    readonly id: string,
  ) {
    super();
  }
}

/** Newest first; without their differences. */
export class ListReconciliations extends Query<Page<ReconciliationView>> {
  constructor(
    readonly locationId: string,
    readonly limit: number,
    readonly cursor: string | null,
  ) {
    super();
  }
}

// ---------------------------------------------------------------- stores: queries

/** Refuses with NOT_FOUND when there is no such location. */
export class GetStore extends Query<StoreView> {
  constructor(readonly locationId: string) {
    super();
  }
}

/** Stores that have ever opened a stream, by location id. */
export class ListStores extends Query<Page<StoreView>> {
  constructor(
    readonly limit: number,
    readonly cursor: string | null,
  ) {
    super();
  }
}

/** Oldest first. Refuses with NOT_FOUND when there is no such location. */
export class ListStoreConflicts extends Query<Page<StoreConflictView>> {
  constructor(
    readonly locationId: string,
    readonly limit: number,
    readonly cursor: string | null,
  ) {
    super();
  }
}

// ---------------------------------------------------------------- stores: keys and commands

export function storeStreamKey(locationId: string): EntityKey {
  return { table: 'store_streams', values: [locationId] };
}

/** A store's agent begins anew: numbers count from 1 again, and what is sent under an older epoch is refused. */
export class OpenStoreStream extends Command<OpenedStream> implements Keyed {
  constructor(readonly locationId: string) {
    super();
  }

  get keys(): EntityKey[] {
    return [storeStreamKey(this.locationId), locationKey(this.locationId), freshnessKey(this.locationId)];
  }
}

/** Makes dead letters of what the store's earlier epochs had parked, piece by piece. Safe to repeat. */
export class EndParkedEvents extends Command<void> {
  constructor(readonly locationId: string) {
    super();
  }
}

/**
 * Takes what a store has sent, each event by itself, in the order of their numbers, and in several commits: what was
 * taken before a failure stays, and is a duplicate when it comes again.
 */
export class PushStoreEvents extends Command<PushedEvents> {
  constructor(
    readonly locationId: string,
    readonly epoch: number,
    readonly events: readonly IncomingEvent[],
  ) {
    super();
  }
}

// ---------------------------------------------------------------- feeds: queries

/** Where a store's stream stands; one that was never opened is at epoch 0. */
export class GetStreamPosition extends Query<OpenedStream> {
  constructor(readonly locationId: string) {
    super();
  }
}

/** Products that some events died for want of may have been created meanwhile; then the events are processed now. */
export class ReplayLettersOfNewProducts extends Command<void> {
  constructor(readonly skus: readonly string[]) {
    super();
  }
}

// ---------------------------------------------------------------- how carefully a store's stock is sold

/** What was ordered for a store; without an order the defaults, at version 0. */
export interface StorePolicyView extends FreshnessPolicy {
  readonly locationId: string;
  readonly version: number;
  readonly updatedAt: Instant | null;
}

export function storePolicyKey(locationId: string): EntityKey {
  return { table: 'store_policies', values: [locationId] };
}

/** Orders how long a store may be out of hearing, and what of its stock is kept back then. */
export class PutStorePolicy extends Command<StorePolicyView> implements Keyed {
  constructor(
    readonly locationId: string,
    readonly wanted: FreshnessPolicy,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [locationKey(this.locationId), freshnessKey(this.locationId), storePolicyKey(this.locationId)];
  }
}

/** Refuses with NOT_FOUND when there is no such location. */
export class GetStorePolicy extends Query<StorePolicyView> {
  constructor(readonly locationId: string) {
    super();
  }
}

// ---------------------------------------------------------------- events

/** Dead letters still wait for something that is there now, behind the letter `after`: their turn is next. */
export const LettersLeftWaiting = defineEvent(
  'sync.letters.left-waiting',
  1,
  Type.Object(
    {
      waitsFor: Type.String({ maxLength: 500 }),
      after: Type.Union([Type.String({ maxLength: 64 }), Type.Null()]),
    },
    { additionalProperties: false },
  ),
);

const closed = { additionalProperties: false } as const;
const eventId = Type.String({ maxLength: 500 });

/** An operator had the event of a dead letter processed once more. */
export const DeadLetterReplayed = defineEvent(
  'sync.dead-letter.replayed',
  1,
  Type.Object(
    {
      letterId: eventId,
      eventId,
      consumer: Type.String({ maxLength: 64 }),
      /** DEAD: it has failed again. */
      status: Type.Enum([...DEAD_LETTER_STATUSES]),
    },
    closed,
  ),
);

/** An operator gave the event of a dead letter up. */
export const DeadLetterDiscarded = defineEvent(
  'sync.dead-letter.discarded',
  1,
  Type.Object(
    {
      letterId: eventId,
      eventId,
      consumer: Type.String({ maxLength: 64 }),
      reason: Type.Union([Type.String({ maxLength: 500 }), Type.Null()]),
    },
    closed,
  ),
);

const locationId = Type.String({ pattern: '^[A-Za-z0-9._:-]{1,64}$' });

/** It was ordered how long a store may be out of hearing, and what of its stock is kept back then. */
export const StorePolicyChanged = defineEvent(
  'sync.store.policy-changed',
  1,
  Type.Object(
    {
      locationId,
      staleAfterSeconds: Type.Integer({ minimum: 1 }),
      silentAfterSeconds: Type.Integer({ minimum: 1 }),
      staleCautionPercent: Type.Integer({ minimum: 0, maximum: 100 }),
      silentCautionPercent: Type.Integer({ minimum: 0, maximum: 100 }),
    },
    closed,
  ),
);

/** The agent of a store begins a new epoch. */
export const StoreStreamOpened = defineEvent(
  'sync.store.stream-opened',
  1,
  Type.Object({ locationId, epoch: Type.Integer({ minimum: 1 }) }, closed),
);

export const SYNC_EVENTS = [
  LettersLeftWaiting,
  DeadLetterReplayed,
  DeadLetterDiscarded,
  StorePolicyChanged,
  StoreStreamOpened,
] as const;
