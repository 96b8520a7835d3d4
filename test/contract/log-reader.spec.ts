import fc from 'fast-check';
import { StockLow, StockPolicyChanged } from '../../src/modules/inventory/contract.ts';
import type { DomainEvent } from '../../src/shared/kernel/domain-event.ts';
import { SystemPace } from '../../src/shared/kernel/pace.ts';
import { runInContext } from '../../src/shared/kernel/context.ts';
import { type LogFilter, type LogPage, LogReader } from '../../src/shared/outbox/log-reader.ts';
import { RecentEvents } from '../../src/shared/outbox/recent-events.ts';
import type { LoggedEvent } from '../../src/shared/outbox/stored-event.ts';
import type { UnitOfWork } from '../../src/shared/persistence/unit-of-work.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { asTenant, openWritePath, type WritePath } from '../support/write-path.ts';

const STOCK = { onHand: 0, held: 0, committed: 0, incoming: 0, safetyStock: 0, available: 0 };
const DEAF = { onEventsStored: () => () => undefined, onPurged: () => undefined } as unknown as UnitOfWork;

/** What one server has written is handed on from memory, what others have is read: nobody must see a difference. */
describeOnBothEngines('A reader of the log', (engine) => {
  let database: FreshDatabase;
  let own: WritePath;
  let other: WritePath;
  /** Of the server that writes `own`. */
  let log: LogReader;
  /** Remembers nothing. */
  let forgetful: LogReader;
  const looks = { recalled: 0, read: 0 };

  beforeAll(async () => {
    database = await freshDatabase(engine);
    own = await openWritePath(database.url);
    other = await openWritePath(database.url);
    const pace = new SystemPace();
    const recent = new RecentEvents(own.unitOfWork, pace);
    const ask = recent.after.bind(recent);
    recent.after = (position) => {
      const events = ask(position);
      looks[events === null ? 'read' : 'recalled'] += 1;
      return events;
    };
    log = new LogReader(own.reader, recent);
    forgetful = new LogReader(own.reader, new RecentEvents(DEAF, pace));
  });

  afterAll(async () => {
    await Promise.all([own.close(), other.close()]);
    await database.drop();
  });

  function write({ by, tenantId, ...event }: Written & { readonly tenantId: string }): Promise<void> {
    const { unitOfWork } = by === 'own' ? own : other;
    const context = { tenantId, clientId: 'test', correlationId: 'test', traceparent: null, origin: event.origin };
    return runInContext(context, () =>
      unitOfWork.run({ keys: [] }, (tx) => {
        tx.record([eventOf(event)]);
        return Promise.resolve();
      }),
    );
  }

  it('brings whoever follows it the same from memory as from the database, whoever wrote it and whatever he asks for', async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(written, { minLength: 1, maxLength: 12 }),
        filters,
        fc.integer({ min: 1, max: 4 }),
        async (all, filter, limit) => {
          runs += 1;
          const tenantOf = ({ tenant }: Written): string => `${tenant}-${runs}`;
          const before = await asTenant('a', () => forgetful.head());
          for (const one of all) await write({ ...one, tenantId: tenantOf(one) });
          const head = await asTenant('a', () => forgetful.head());
          for (let after = before; after <= head; after += 1) {
            await asTenant(`a-${runs}`, async () => {
              expect(await drained((from) => log.next(from, filter, limit), after)).toEqual(
                await drained((from) => forgetful.after(from, filter, limit), after),
              );
            });
          }
        },
      ),
      { numRuns: 25 },
    );
    expect(looks.recalled).toBeGreaterThan(25);
    expect(looks.read).toBeGreaterThan(25);
  });
});

/** All that pages bring, from a position to the end of the log. */
async function drained(page: (from: number) => Promise<LogPage>, after: number): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for (let from = after; ;) {
    const next = await page(from);
    events.push(...next.events);
    if (!next.more && !next.fromMemory) return events;
    expect(next.upTo).toBeGreaterThan(from);
    from = next.upTo;
  }
}

interface Written {
  readonly by: 'own' | 'other';
  readonly tenant: string;
  readonly kind: 'low' | 'policy';
  readonly locationId: string | null;
  readonly origin: string | null;
}

const place = fc.constantFrom('L1', 'L2', null);
const written: fc.Arbitrary<Written> = fc.record({
  by: fc.constantFrom('own' as const, 'own' as const, 'own' as const, 'other' as const),
  tenant: fc.constantFrom('a', 'a', 'b'),
  kind: fc.constantFrom('low' as const, 'policy' as const),
  locationId: place,
  origin: place,
});

const types = fc.constantFrom([StockLow.type], [StockPolicyChanged.type], [StockLow.type, StockPolicyChanged.type]);
const filters: fc.Arbitrary<LogFilter> = fc.record(
  { types, locationId: fc.constant('L1'), anywhere: types, notFrom: fc.constant('L1') },
  { requiredKeys: [] },
);

function eventOf({ kind, locationId }: Pick<Written, 'kind' | 'locationId'>): DomainEvent {
  const { type, version } = kind === 'low' ? StockLow : StockPolicyChanged;
  const about = { sku: 'A', locationId: 'L', stock: STOCK };
  const data =
    kind === 'low' ? { ...about, lowStockThreshold: 1 } : { ...about, safetyStock: 0, lowStockThreshold: null };
  return { type, version, subject: 'stock/A/L', subjectVersion: 1, locationId, data, occurredAt: 0 };
}
