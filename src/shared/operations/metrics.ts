import { Injectable } from '@nestjs/common';
import {
  collectDefaultMetrics,
  Counter,
  exponentialBuckets,
  Gauge,
  Histogram,
  type Metric,
  Registry,
} from 'prom-client';
import { GaugeReading } from './gauge-reading.ts';

export const TRANSACTION_TYPES = [
  'RECEIPT',
  'SALE',
  'RETURN',
  'ADJUSTMENT',
  'WRITE_OFF',
  'COUNT',
  'TRANSFER_OUT',
  'TRANSFER_IN',
  'FULFILMENT',
  'HOLD',
  'RELEASE',
  'COMMIT',
] as const;
export type TransactionType = (typeof TRANSACTION_TYPES)[number];
export type TransactionStatus = 'success' | 'refused' | 'error';

export const WORK_OUTCOMES = ['committed', 'refused', 'failed', 'busy', 'unavailable'] as const;
export type WorkOutcome = (typeof WORK_OUTCOMES)[number];

export const IMPORT_OUTCOMES = ['applied', 'duplicate', 'refused'] as const;
export type ImportOutcome = (typeof IMPORT_OUTCOMES)[number];

export const STORE_EVENT_OUTCOMES = ['applied', 'duplicate', 'parked', 'refused', 'conflict', 'dead'] as const;
export type StoreEventOutcome = (typeof STORE_EVENT_OUTCOMES)[number];

export const WORK_CLASSES = ['interactive', 'bulk'] as const;
export type WorkClass = (typeof WORK_CLASSES)[number];

export const RESERVATION_OUTCOMES = [
  'created',
  'updated',
  'refreshed',
  'confirmed',
  'fulfilled',
  'cancelled',
  'expired',
  'refused',
] as const;
export type ReservationOutcome = (typeof RESERVATION_OUTCOMES)[number];

export const DELIVERY_OUTCOMES = ['delivered', 'failed', 'set_aside'] as const;
export type DeliveryOutcome = (typeof DELIVERY_OUTCOMES)[number];

export const FEED_KINDS = ['poll', 'changes', 'stock', 'snapshot'] as const;
export type FeedKind = (typeof FEED_KINDS)[number];

export const ORDER_EVENT_OUTCOMES = ['applied', 'duplicate', 'stale', 'parked', 'refused', 'conflict', 'dead'] as const;
export type OrderEventOutcome = (typeof ORDER_EVENT_OUTCOMES)[number];

export const ORDER_ALARM_KINDS = ['PAID_WITHOUT_STOCK', 'PAID_AFTER_CANCELLED', 'SHIPPED_AFTER_CANCELLED'] as const;
export type OrderAlarmKind = (typeof ORDER_ALARM_KINDS)[number];

export const RATE_LIMIT_SCOPES = ['key', 'address', 'guesses'] as const;
export type RateLimitScope = (typeof RATE_LIMIT_SCOPES)[number];
export const REFUSAL_REASONS = ['unauthenticated', 'forbidden', 'not_found', 'rate_limited'] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export const HOARDING_CAPS = ['reservations-of-client', 'units-of-client', 'units-of-cart', 'renewals'] as const;
export type HoardingCap = (typeof HOARDING_CAPS)[number];

/** Distinct values of the label `store`; locations past it are counted together, so that no caller can flood the registry. */
export const STORE_LABELS_MAX = 2000;
export const OTHER_STORES = 'other';

const HTTP_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** 1, 2, 4 … 4096: up to the largest BATCH_WORKS_MAX. */
const BATCH_WORKS = exponentialBuckets(1, 2, 13);
/** A scrape comes every 5 to 60 s and Prometheus gives it 10 s; these leave room for several values. */
const GAUGE_LIMITS = { readMaxMs: 1000, freshMs: 3000 };

let ofProcess: readonly Metric[] | undefined;

/**
 * What is of the process, however many apps it has had: prom-client never stops what it starts for it, an observer of garbage
 * collections among them, so one of these for each app would keep all of them in memory.
 */
function metricsOfProcess(): readonly Metric[] {
  if (ofProcess === undefined) {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const named = registry.getMetricsAsArray().map(({ name }) => registry.getSingleMetric(name));
    ofProcess = named.filter((metric) => metric !== undefined);
  }
  return ofProcess;
}

/**
 * Everything that is measured, with its names and units: the one place to look them up and to add to them (docs/operations.md
 * lists them). Each app has a registry of its own; what is of the process is the same in all of them. Labels are bounded: no
 * sku, no ids but those of locations.
 *
 * One call costs about 0.3 to 0.9 microseconds; labelled children of prom-client save next to nothing of that.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  private readonly transactions = this.counter(
    'inventory_transactions_total',
    'Movements, holds, releases and commits by type, status and location id.',
    ['type', 'status', 'store'],
  );
  private readonly httpSeconds = this.histogram(
    'http_request_duration_seconds',
    'Time from the arrival of a request to the end of its answer, in seconds, by route pattern and status.',
    HTTP_SECONDS,
    ['method', 'route', 'status'],
  );
  private readonly batchWorks = this.histogram(
    'unit_of_work_batch_works',
    'Works that shared one commit.',
    BATCH_WORKS,
  );
  private readonly commitSeconds = this.histogram(
    'unit_of_work_commit_duration_seconds',
    'Time of one COMMIT, in seconds.',
    COMMIT_SECONDS,
  );
  private readonly queueWorks = this.gauge('unit_of_work_queue_works', 'Works that wait for a batch, by class.', [
    'class',
  ]);
  private readonly versionConflicts = this.counter(
    'unit_of_work_version_conflicts_total',
    'Batches that were run again because another writer was faster.',
  );
  private readonly works = this.counter('unit_of_work_works_total', 'Works by outcome.', ['outcome']);
  private readonly reservations = this.counter('reservations_total', 'What happened to reservations, by outcome.', [
    'outcome',
  ]);
  private readonly oversold = this.counter(
    'inventory_oversold_events_total',
    'Times that a fact left a stock item oversold.',
  );
  private readonly lowStock = this.counter(
    'inventory_low_stock_events_total',
    'Times that a stock item fell to the low-stock threshold of its product.',
  );
  private readonly deliveries = this.counter(
    'outbox_delivery_attempts_total',
    'Events handed to consumers, by consumer and outcome; set_aside: it waits behind an earlier one of its subject.',
    ['consumer', 'outcome'],
  );
  private readonly purgedRows = this.counter(
    'retention_purged_rows_total',
    'Rows that were kept for their time and are gone, by kind.',
    ['kind'],
  );
  private readonly importRows = this.counter('inventory_import_rows_total', 'Rows of imports, by outcome.', [
    'outcome',
  ]);
  private readonly openFeeds = this.gauge('sync_open_feeds', 'Waiting polls and open streams, by kind.', ['kind']);
  private readonly toldChanges = this.counter('sync_feed_changes_total', 'Changes that feeds have told, by kind.', [
    'kind',
  ]);
  private readonly droppedFeeds = this.counter(
    'sync_dropped_feeds_total',
    'Streams that were cut because nobody read them, by kind.',
    ['kind'],
  );
  private readonly storeEvents = this.counter(
    'sync_store_events_total',
    'Events that stores have sent, by store and what was answered.',
    ['store', 'outcome'],
  );
  private readonly orderEvents = this.counter(
    'sync_order_events_total',
    'Events of orders that outside shops have sent, by outcome.',
    ['outcome'],
  );
  private readonly orderAlarms = this.counter(
    'sync_order_alarms_total',
    'Orders that need a person: paid without stock, or paid or shipped although they are cancelled.',
    ['alarm'],
  );
  private readonly rateLimited = this.counter(
    'http_rate_limited_requests_total',
    'Requests that were refused by a limit per key or address, by limit and cost class.',
    ['limit', 'cost'],
  );
  private readonly capped = this.counter(
    'reservations_capped_total',
    'Reservations, changes and renewals that a storefront was refused because it holds as much as it may, by cap.',
    ['cap'],
  );
  private readonly refusedConnections = this.counter(
    'http_refused_connections_total',
    'Connections that were closed at once because there were too many, in all or of one address.',
    ['limit'],
  );
  private readonly auditEntries = this.counter(
    'audit_entries_total',
    'Entries that this server has added to the audit.',
  );
  private readonly auditFailures = this.counter(
    'audit_failures_total',
    'Times that the audit of a tenant could not be written, for another reason than a busy database.',
  );
  private readonly refusedAttempts = this.counter(
    'access_refused_attempts_total',
    'Requests that were answered 401, 403, 404 (to a key) or 429.',
    ['reason'],
  );
  private readonly failedReads = this.counter(
    'metrics_failed_reads_total',
    'Gauges that could not be read at a scrape, by gauge.',
    ['gauge'],
  );
  private readonly stores = new Set<string>();

  constructor() {
    for (const metric of metricsOfProcess()) this.registry.registerMetric(metric);
    // A counter that starts at zero lets an alert see its first step.
    for (const outcome of WORK_OUTCOMES) this.works.inc({ outcome }, 0);
    for (const outcome of IMPORT_OUTCOMES) this.importRows.inc({ outcome }, 0);
    for (const outcome of ORDER_EVENT_OUTCOMES) this.orderEvents.inc({ outcome }, 0);
    for (const alarm of ORDER_ALARM_KINDS) this.orderAlarms.inc({ alarm }, 0);
    for (const reason of REFUSAL_REASONS) this.refusedAttempts.inc({ reason }, 0);
    for (const outcome of RESERVATION_OUTCOMES) this.reservations.inc({ outcome }, 0);
    for (const kind of FEED_KINDS) {
      this.setOpenFeeds(kind, 0);
      this.toldChanges.inc({ kind }, 0);
      this.droppedFeeds.inc({ kind }, 0);
    }
    for (const limit of ['all', 'address']) this.refusedConnections.inc({ limit }, 0);
    for (const cap of HOARDING_CAPS) this.capped.inc({ cap }, 0);
    for (const limit of RATE_LIMIT_SCOPES) this.rateLimited.inc({ limit, cost: 'any' }, 0);
    for (const workClass of WORK_CLASSES) this.setQueueDepth(workClass, 0);
  }

  /**
   * @param store the location id; ids beyond the first `STORE_LABELS_MAX` are counted as `other`
   * @param count transactions of this kind, at least 1
   */
  countTransaction(type: TransactionType, status: TransactionStatus, store: string, count = 1): void {
    this.transactions.inc({ type, status, store: this.storeLabel(store) }, count);
  }

  /** @param route the pattern of the route, never the path that was asked for */
  observeHttpRequest(method: string, route: string, status: number, seconds: number): void {
    this.httpSeconds.observe({ method, route, status }, seconds);
  }

  observeBatch({ works, commitSeconds }: { works: number; commitSeconds: number }): void {
    this.batchWorks.observe(works);
    this.commitSeconds.observe(commitSeconds);
  }

  setQueueDepth(workClass: WorkClass, works: number): void {
    this.queueWorks.set({ class: workClass }, works);
  }

  countVersionConflict(): void {
    this.versionConflicts.inc();
  }

  countWork(outcome: WorkOutcome, count = 1): void {
    this.works.inc({ outcome }, count);
  }

  countReservation(outcome: ReservationOutcome, count = 1): void {
    this.reservations.inc({ outcome }, count);
  }

  /** @param rows at least 1 */
  countImportRows(outcome: ImportOutcome, rows: number): void {
    this.importRows.inc({ outcome }, rows);
  }

  /**
   * @param store the location id; ids beyond the first `STORE_LABELS_MAX` are counted as `other`
   * @param events at least 1
   */
  countStoreEvents(store: string, outcome: StoreEventOutcome, events: number): void {
    this.storeEvents.inc({ store: this.storeLabel(store), outcome }, events);
  }

  countOrderEvent(outcome: OrderEventOutcome): void {
    this.orderEvents.inc({ outcome });
  }

  countOrderAlarm(alarm: OrderAlarmKind): void {
    this.orderAlarms.inc({ alarm });
  }

  /** @param cost the class of the request; `any` where it does not matter */
  countRateLimited(limit: RateLimitScope, cost: string): void {
    this.rateLimited.inc({ limit, cost });
  }

  countRefusedConnection(limit: 'all' | 'address'): void {
    this.refusedConnections.inc({ limit });
  }

  countCapped(cap: HoardingCap): void {
    this.capped.inc({ cap });
  }

  countOversold(): void {
    this.oversold.inc();
  }

  countLowStock(): void {
    this.lowStock.inc();
  }

  countDeliveries(consumer: string, outcome: DeliveryOutcome, count: number): void {
    this.deliveries.inc({ consumer, outcome }, count);
  }

  countAuditEntries(entries: number): void {
    this.auditEntries.inc(entries);
  }

  countAuditFailure(): void {
    this.auditFailures.inc();
  }

  countRefusedAttempt(reason: RefusalReason): void {
    this.refusedAttempts.inc({ reason });
  }

  setOpenFeeds(kind: FeedKind, feeds: number): void {
    this.openFeeds.set({ kind }, feeds);
  }

  countToldChanges(kind: FeedKind, changes: number): void {
    this.toldChanges.inc({ kind }, changes);
  }

  countDroppedFeed(kind: FeedKind): void {
    this.droppedFeeds.inc({ kind });
  }

  /** @param kind what was kept, a plural; there are few of them */
  countPurged(kind: string, rows: number): void {
    this.purgedRows.inc({ kind }, rows);
  }

  /**
   * Adds a gauge whose value is read when it is asked for, at most every three seconds. A read that fails or takes
   * longer than a second leaves the gauge out of that scrape and is counted; the scrape itself succeeds.
   * @param read the value over all tenants: a scrape belongs to none
   * @throws Error when the name is taken
   */
  registerGauge(name: string, help: string, read: () => Promise<number>): void {
    const reading = new GaugeReading(read, () => this.failedReads.inc({ gauge: name }), GAUGE_LIMITS);
    new Gauge({
      name,
      help,
      registers: [this.registry],
      async collect() {
        const value = await reading.current();
        if (value === null) this.remove();
        else this.set(value);
      },
    });
  }

  /**
   * The same with a series for each value of a label.
   * @param read what each value of the label has, over all tenants; one that is missing has no series
   */
  registerGaugeBy(name: string, help: string, label: string, read: () => Promise<ReadonlyMap<string, number>>): void {
    const reading = new GaugeReading(read, () => this.failedReads.inc({ gauge: name }), GAUGE_LIMITS);
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      async collect() {
        const values = await reading.current();
        this.reset();
        values?.forEach((value, of) => {
          this.set({ [label]: of }, value);
        });
      },
    });
  }

  /** The text exposition format of Prometheus, version 0.0.4. */
  exposition(): Promise<string> {
    return this.registry.metrics();
  }

  private storeLabel(store: string): string {
    if (this.stores.has(store)) return store;
    if (this.stores.size >= STORE_LABELS_MAX) return OTHER_STORES;
    this.stores.add(store);
    return store;
  }

  private counter<Label extends string>(name: string, help: string, labelNames: Label[] = []): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private gauge<Label extends string>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  private histogram<Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: Label[] = [],
  ): Histogram<Label> {
    return new Histogram({
      name,
      help,
      buckets,
      labelNames,
      registers: [this.registry],
    });
  }
}
