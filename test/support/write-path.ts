import { runInContext } from '../../src/shared/kernel/context.ts';
import type { EventDefinition } from '../../src/shared/kernel/domain-event.ts';
import { UuidV7Ids } from '../../src/shared/kernel/ids.ts';
import { Metrics } from '../../src/shared/operations/metrics.ts';
import { OUTBOX_TABLES } from '../../src/shared/outbox/outbox.module.ts';
import { retentionMarksTable } from '../../src/shared/housekeeping/retention-mark.table.ts';
import { EventRecorder } from '../../src/shared/outbox/event-recorder.ts';
import { INVENTORY_EVENTS } from '../../src/modules/inventory/contract.ts';
import { INVENTORY_TABLES } from '../../src/modules/inventory/inventory.module.ts';
import { RESERVATION_TABLES } from '../../src/modules/reservation/reservation.module.ts';
import { openDatabases } from '../../src/shared/persistence/data-source.ts';
import type { Engine } from '../../src/shared/persistence/engine/engine.ts';
import type { Reader } from '../../src/shared/persistence/reader.ts';
import { UnitOfWork, type UnitOfWorkLimits } from '../../src/shared/persistence/unit-of-work.ts';
import { readSettings } from '../../src/shared/settings.ts';
import { locationsTable } from '../../src/modules/inventory/storage/location.table.ts';
import type { LocationState } from '../../src/modules/inventory/domain/location.ts';

/** A write path of a test's own: real engine, real tables, no HTTP and no modules around it. */
export interface WritePath {
  readonly unitOfWork: UnitOfWork;
  readonly engine: Engine;
  readonly reader: Reader;
  readonly metrics: Metrics;
  close(): Promise<void>;
}

export const LIMITS: UnitOfWorkLimits = {
  worksMax: 1_000,
  batchWorksMax: 64,
  bulkSliceMs: 10,
  waitMaxMs: 20_000,
  attemptsMax: 8,
};

export interface WritePathOptions {
  readonly limits?: Partial<UnitOfWorkLimits>;
  /** Puts something between the unit of work and the engine, e.g. a fault. */
  readonly wrap?: (engine: Engine) => Engine;
  readonly environment?: Record<string, string>;
  /** What the server knows to record. */
  readonly events?: readonly EventDefinition[];
}

export async function openWritePath(
  url: string,
  {
    limits = {},
    wrap = (engine: Engine): Engine => engine,
    environment = {},
    events: known = INVENTORY_EVENTS,
  }: WritePathOptions = {},
): Promise<WritePath> {
  const tables = [...INVENTORY_TABLES, ...RESERVATION_TABLES, ...OUTBOX_TABLES, retentionMarksTable];
  const { engine, reader } = await openDatabases(readSettings({ DATABASE_URL: url, ...environment }), tables);
  const metrics = new Metrics();
  const events = new EventRecorder(known, new UuidV7Ids());
  const unitOfWork = new UnitOfWork(wrap(engine), tables, events, metrics, { ...LIMITS, ...limits });
  return {
    unitOfWork,
    engine,
    reader,
    metrics,
    close: async () => {
      await unitOfWork.close();
      await reader.close();
    },
  };
}

export function asTenant<T>(tenantId: string, work: () => T, correlationId = `test-${tenantId}`): T {
  return runInContext({ tenantId, clientId: 'test', correlationId, traceparent: null }, work);
}

/** A row to count on: its priority is the number, 0..1000. */
export function aCounter(locationId: string, count = 0): LocationState {
  return {
    locationId,
    name: 'counter',
    kind: 'STORE',
    priority: count,
    sellsOnline: true,
    createdAt: 0,
    updatedAt: 0,
    version: 1,
  };
}

/** Adds one to a counter that exists. */
export function increment(unitOfWork: UnitOfWork, locationId: string): Promise<number> {
  return unitOfWork.run({ keys: [{ table: 'locations', values: [locationId] }] }, async (tx) => {
    const row = await tx.get(locationsTable, locationId);
    if (row === undefined) throw new Error(`no counter ${locationId}`);
    await tx.put(locationsTable, { ...row, priority: row.priority + 1, version: row.version + 1 });
    return row.priority + 1;
  });
}

/** What is committed, seen through the reader; undefined when there is no such row. */
export async function readCounter(reader: Reader, locationId: string): Promise<LocationState | undefined> {
  return reader.one(
    reader.rows(locationsTable, 'location').andWhere('location.locationId = :locationId', { locationId }),
  );
}

/** A promise and its handles, to hold a work open until the test lets it go. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** The value of one series of a metric; 0 when it is not there yet. */
export async function metricValue(
  metrics: Metrics,
  name: string,
  labels: Record<string, string> = {},
): Promise<number> {
  const text = await metrics.registry.getSingleMetricAsString(name.replace(/_(sum|count)$/, ''));
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const line = text
    .split('\n')
    .find((candidate) => candidate.startsWith(name) && wanted.every((label) => candidate.includes(label)));
  return Number(line?.split(' ').at(-1) ?? 0);
}
