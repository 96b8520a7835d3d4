import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { StockPolicyChanged } from '../../src/modules/inventory/contract.ts';
import { type Reaction, ReactsTo } from '../../src/shared/outbox/reaction.ts';
import type { StoredEvent } from '../../src/shared/outbox/stored-event.ts';
import { counts } from '../support/counts.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { TestRelay } from '../support/delivery.ts';
import { eventually } from '../support/eventually.ts';
import { describeOnBothEngines } from '../support/services.ts';

const EVENTS = counts(10_000, 1_000_000);
const SUBJECTS = 1_000;
const PUBLISHED_AT_ONCE = 1_000;
const DRAIN_MAX_MS = counts(60_000, 1_200_000);
/** What may be kept of a log of any length: kept events of a million would be half a gigabyte. */
const KEPT_MAX_BYTES = 32 * 1024 * 1024;
const TENANT = 'bounded';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Counts what it gets, and looks that it is in order: the number of an event is its version. */
@ReactsTo({ consumer: 'test.count', events: [StockPolicyChanged] })
class Count implements Reaction {
  count = 0;
  disorder = 0;
  readonly keptBytes: number[] = [];
  private readonly last = new Map<string, number>();

  handle({ subject, subjectVersion }: StoredEvent): void {
    if ((this.last.get(subject) ?? 0) >= subjectVersion) this.disorder += 1;
    this.last.set(subject, subjectVersion);
    this.count += 1;
    if (this.count % (EVENTS / 10) === 0) {
      collectGarbage();
      this.keptBytes.push(process.memoryUsage().heapUsed);
    }
  }
}

describeOnBothEngines(`A relay that drains ${EVENTS.toLocaleString('en')} events`, (engine) => {
  let database: FreshDatabase;
  let server: TestRelay | undefined;

  beforeAll(async () => {
    database = await freshDatabase(engine);
  });

  afterAll(async () => {
    await server?.close();
    await database.drop();
  });

  it(
    'hands over each once and in order, and keeps none of them in memory',
    async () => {
      const publisher = await TestRelay.open(database.url, { tenantId: TENANT });
      for (let from = 0; from < EVENTS; from += PUBLISHED_AT_ONCE) {
        const labels = Array.from({ length: PUBLISHED_AT_ONCE }, (_, index) => from + index + 1);
        await publisher.publish(...labels.map((number) => `s${number % SUBJECTS}@${number}`));
      }
      await publisher.close();

      const reaction = new Count();
      server = await TestRelay.open(database.url, { tenantId: TENANT, reactions: [reaction] });
      server.start();
      await eventually('all are drained', () => Promise.resolve(reaction.count >= EVENTS), DRAIN_MAX_MS);
      await server.settle();
      expect([reaction.count, reaction.disorder]).toEqual([EVENTS, 0]);
      const [first = 0] = reaction.keptBytes;
      expect(Math.max(...reaction.keptBytes) - first).toBeLessThan(KEPT_MAX_BYTES);
    },
    2 * DRAIN_MAX_MS,
  );
});
