import { locationsTable } from '../../src/modules/inventory/storage/location.table.ts';
import { Unavailable } from '../../src/shared/persistence/persistence.errors.ts';
import { BadWire, type Weather } from '../support/bad-wire.ts';
import { counts } from '../support/counts.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, freshKey, problemOf } from '../support/http.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnPostgres } from '../support/services.ts';
import { ShopClient, stockPath } from '../support/shop.ts';
import { lossesAndDoubles, OPENING_UNITS, type Sent, Shoppers, withoutRefusals } from '../support/shoppers.ts';
import { rowsOf } from '../support/sql.ts';
import { asTenant, openWritePath } from '../support/write-path.ts';
import { ServerProcess } from '../support/start-process.ts';

const STATEMENT_MAX_MS = 2_000;
const BUSY_MAX_MS = 500;
/** What a statement that is not answered costs: the server of the database gives up first, and then we do. */
const MUTE_MAX_MS = STATEMENT_MAX_MS + 1_000;
/** Of a request in a black hole: the wait for its batch, for a connection, for the statement; and what a slow machine adds. */
const QUEUE_WAIT_MAX_MS = 1_000;
const ANSWER_MAX_MS = QUEUE_WAIT_MAX_MS + BUSY_MAX_MS + MUTE_MAX_MS + 1_400;
/** docs/reliability.md: so long after the wire is good again everything is served, and readiness says so. */
const RECOVERY_MAX_MS = 2 * MUTE_MAX_MS + BUSY_MAX_MS;
const SHOPPERS = 8;
const ANSWERS = counts(60, 3_000);
const READER_CONNECTIONS = 2;
/** Two for writing: one for the batch, one for what looks whether it can be used; half as many as for reads for all tenants. */
const CONNECTIONS_MAX = 2 + READER_CONNECTIONS + READER_CONNECTIONS / 2;

const BAD: readonly (Weather & { readonly name: string })[] = [
  { name: 'is reset at random', kind: 'resets', oneIn: 40 },
  { name: 'breaks in the middle of what it carries', kind: 'halves', oneIn: 40 },
  { name: 'brings no answers', kind: 'answers vanish' },
  { name: 'is a black hole', kind: 'black hole' },
];

describeOnPostgres(`A server behind a bad wire to its database, TEST_SEED=${SEED}`, () => {
  let database: FreshDatabase;
  let wire: BadWire;
  let server: ServerProcess;
  let place: string;
  let sku: string;
  const sent: Sent[] = [];

  beforeAll(async () => {
    database = await freshDatabase('postgres');
    wire = await BadWire.before(database.url, new Random(SEED));
    server = await ServerProcess.start({
      DATABASE_URL: wire.url,
      AUTH: 'off',
      DATABASE_BUSY_MAX_MS: String(BUSY_MAX_MS),
      DATABASE_STATEMENT_MAX_MS: String(STATEMENT_MAX_MS),
      QUEUE_WAIT_MAX_MS: String(QUEUE_WAIT_MAX_MS),
      READER_CONNECTIONS_MAX: String(READER_CONNECTIONS),
    });
    const shop = new ShopClient(server.api);
    place = await shop.location();
    sku = await shop.product();
    await shop.receive(sku, place, OPENING_UNITS);
  });
  afterAll(async () => {
    await server.kill();
    await wire.close();
    await database.drop();
  });

  it('answers right, though later, while the wire is slow', async () => {
    wire.turn({ kind: 'slow', ms: 20 });
    // Busy is right, too: on a slow machine a batch may take longer than others wait for their turn.
    await shopUntil(
      (answers) => answers.filter((answer) => !isRefused(answer)).length >= ANSWERS / 4,
      (answer) => {
        if (isRefused(answer)) problemOf(answer, 503, 'BUSY');
      },
    );
    wire.turn({ kind: 'clear' });
  });

  it.each(BAD)('answers right or 503, never hangs, and goes on by itself after the wire $name', async (weather) => {
    wire.turn(weather);
    const isMute = weather.kind === 'black hole' || weather.kind === 'answers vanish';
    await shopUntil(
      (answers) => answers.some(isRefused) && (isMute || answers.length >= ANSWERS),
      (answer) => {
        if (isRefused(answer)) expectUnavailable(answer);
        else expectSuccess(answer);
      },
      isMute ? probeWhileMute : undefined,
    );
    wire.turn({ kind: 'clear' });
    await eventually('it takes changes again', async () => (await receive(freshKey())).status === 201, RECOVERY_MAX_MS);
    await eventually(
      'it reads again',
      async () => (await server.api.get(stockPath(sku, place))).status === 200,
      RECOVERY_MAX_MS,
    );
    await eventually(
      'it is ready',
      async () => (await server.api.get('/health/ready')).status === 200,
      RECOVERY_MAX_MS,
    );
  });

  it('has lost and doubled nothing, and holds no connection too many', async () => {
    expect(await lossesAndDoubles(server.api, place, sku, withoutRefusals(sent))).toEqual([]);
    expect(await brokenInvariants(server.api, { commandsOnly: true })).toEqual([]);
    await eventually('the database has none of the old connections', async () => {
      const [held] = await rowsOf<{ held: number }>(
        database.url,
        "SELECT COUNT(*)::int AS held FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'holdfast'",
      );
      return (held?.held ?? Infinity) <= CONNECTIONS_MAX;
    });
    expect(wire.connections).toBeLessThanOrEqual(CONNECTIONS_MAX);
  });

  /** In a black hole nothing hangs: whatever is asked is answered, and readiness says no. */
  async function probeWhileMute(): Promise<void> {
    const answers = await Promise.all([
      answeredInTime(() => server.api.get(stockPath(sku, place))),
      answeredInTime(() => receive(freshKey())),
      answeredInTime(() => server.api.get('/v1/reservations')),
    ]);
    answers.forEach(expectUnavailable);
    expect((await server.api.get('/health/ready')).status).toBe(503);
    expect((await server.api.get('/health/live')).status).toBe(200);
  }

  async function receive(key: string): Promise<Answer> {
    const path = stockPath(sku, place, '/movements');
    const one: Sent = { method: 'POST', path, body: { type: 'RECEIPT', quantity: 1 }, key };
    one.answer = await server.api.send(one.method, one.path, one.body, { key });
    sent.push(one);
    return one.answer;
  }

  /** Shoppers as long as it takes, and each of their answers is looked at. */
  async function shopUntil(
    isEnough: (answers: readonly Answer[]) => boolean,
    look: (answer: Answer) => void,
    meanwhile: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const before = sent.length;
    const answers = (): Answer[] => sent.slice(before).flatMap(({ answer }) => answer ?? []);
    const shoppers = new Shoppers(server.api, place, sku, sent);
    shoppers.start(SHOPPERS);
    await eventually('enough is answered', () => Promise.resolve(isEnough(answers())));
    await meanwhile();
    await shoppers.stop();
    expect(answers()).toHaveLength(sent.length - before);
    answers().forEach(look);
  }
});

describeOnPostgres('A batch whose connection goes mute in the middle', () => {
  it('gives up after one time-out: a ROLLBACK behind what is not answered would wait as long again', async () => {
    const database = await freshDatabase('postgres');
    const wire = await BadWire.before(database.url, new Random(SEED));
    const path = await openWritePath(wire.url, {
      environment: { DATABASE_BUSY_MAX_MS: String(BUSY_MAX_MS), DATABASE_STATEMENT_MAX_MS: String(STATEMENT_MAX_MS) },
    });
    try {
      const from = performance.now();
      const work = asTenant('t', () =>
        path.unitOfWork.run({ keys: [] }, async (tx) => {
          wire.turn({ kind: 'black hole' });
          await tx.get(locationsTable, 'nowhere');
        }),
      );
      await expect(work).rejects.toThrow(Unavailable);
      expect(performance.now() - from).toBeLessThan(2 * MUTE_MAX_MS - 500);
    } finally {
      wire.turn({ kind: 'clear' });
      await path.close();
      await wire.close();
      await database.drop();
    }
  });
});

function isRefused({ status }: Answer): boolean {
  return status >= 300;
}

function expectSuccess(answer: Answer): void {
  if (isRefused(answer)) throw new Error(`Refused: ${answer.status} ${answer.text}`);
}

/** BUSY: it never got as far as the database. */
function expectUnavailable(answer: Answer): void {
  const { code } = answer.body as { code?: string };
  problemOf(answer, 503, code === 'BUSY' ? 'BUSY' : 'UNAVAILABLE');
  expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
}

async function answeredInTime(ask: () => Promise<Answer>): Promise<Answer> {
  const from = performance.now();
  const answer = await ask();
  expect(performance.now() - from).toBeLessThan(ANSWER_MAX_MS);
  return answer;
}
