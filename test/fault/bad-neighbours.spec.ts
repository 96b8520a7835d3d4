import Database from 'better-sqlite3';
import pg from 'pg';
import { counts } from '../support/counts.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, freshKey, problemOf, RawBody } from '../support/http.ts';
import { IMPORT_PATH, ndjson, NDJSON, resultsIn } from '../support/importing.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { describeOnPostgres, type Engine, superuserUrl } from '../support/services.ts';
import { ShopClient, stockPath } from '../support/shop.ts';
import { OPENING_UNITS, type Sent, Shoppers } from '../support/shoppers.ts';
import { ServerProcess } from '../support/start-process.ts';

const BUSY_MAX_MS = 600;
/** docs/reliability.md: so long after the neighbour has gone everything is served. */
const RECOVERY_MAX_MS = 5_000;
const QUEUE_WORKS_MAX = 8;
const BATCH_WORKS_MAX = 4;
const SETTINGS = {
  AUTH: 'off',
  DATABASE_BUSY_MAX_MS: String(BUSY_MAX_MS),
  QUEUE_WORKS_MAX: String(QUEUE_WORKS_MAX),
  READY_QUEUE_WORKS_MAX: String(QUEUE_WORKS_MAX),
  BATCH_WORKS_MAX: String(BATCH_WORKS_MAX),
};
const CALLERS = 60;
const ANSWERS = counts(80, 3_000);
const IMPORTED_ROWS = 1_500;

/** What somebody else does to the database, and how it ends. */
interface Nuisance {
  readonly name: string;
  readonly begin: (url: string, stockOf: { sku: string; place: string }) => Promise<() => Promise<void>>;
}

function bySqlite(name: string, ...statements: string[]): Nuisance {
  return {
    name,
    begin: (url) => {
      const database = new Database(fileOf(url));
      for (const statement of statements) database.exec(statement);
      return Promise.resolve(() => {
        database.close();
        return Promise.resolve();
      });
    },
  };
}

function byPostgres(name: string, statement: string): Nuisance {
  return {
    name,
    begin: async (url, { sku, place }) => {
      const client = new pg.Client({ connectionString: superuserUrl(url) });
      await client.connect();
      await client.query('BEGIN');
      const isOfItem = statement.includes('$1');
      await client.query(statement, isOfItem ? [sku, place] : []);
      return () => client.end();
    },
  };
}

const fileOf = (url: string): string => url.slice('sqlite:'.length);

const NUISANCES: Readonly<Record<Engine, readonly Nuisance[]>> = {
  sqlite: [
    bySqlite('the lock for writing', 'BEGIN IMMEDIATE'),
    bySqlite('the file for itself', 'BEGIN EXCLUSIVE', 'CREATE TABLE unwanted (id TEXT)'),
  ],
  postgres: [
    byPostgres('a table', 'LOCK TABLE stock_items IN EXCLUSIVE MODE'),
    byPostgres('a row', 'SELECT 1 FROM stock_items WHERE sku = $1 AND location_id = $2 FOR UPDATE'),
    byPostgres('the lock of the event log', 'SELECT pg_advisory_lock(4815162342)'),
  ],
};

function describeNeighbours(engine: Engine): void {
  let database: FreshDatabase;
  let server: ServerProcess;
  let place: string;
  let sku: string;
  const sent: Sent[] = [];

  beforeAll(async () => {
    database = await freshDatabase(engine);
    server = await ServerProcess.start({ ...SETTINGS, DATABASE_URL: database.url });
    const shop = new ShopClient(server.api);
    place = await shop.location();
    sku = await shop.product();
    await shop.receive(sku, place, OPENING_UNITS);
  });
  afterAll(async () => {
    await server.kill();
    await database.drop();
  });

  it.each(NUISANCES[engine])(
    'is refused as BUSY while a neighbour holds $name, and read meanwhile',
    async ({ begin }) => {
      const end = await begin(database.url, { sku, place });
      const refused: Answer[] = [];
      let made = 0;
      try {
        const calls = Array.from({ length: CALLERS }, async () => {
          const answer = await receive();
          if (answer.status === 201) made += 1;
          else refused.push(answer);
        });
        const tooMany = CALLERS - QUEUE_WORKS_MAX - 2 * BATCH_WORKS_MAX;
        await eventually('what does not fit into the queue is refused at once', () =>
          Promise.resolve(refused.length >= tooMany),
        );
        const reads = await Promise.all(Array.from({ length: 10 }, () => server.api.get(stockPath(sku, place))));
        expect(reads.map(({ status }) => status)).toEqual(reads.map(() => 200));
        // The rest waits for the lock no longer than it should.
        await Promise.all(calls);
      } finally {
        await end();
      }
      expect(made).toBe(0);
      for (const answer of refused) {
        problemOf(answer, 503, 'BUSY');
        expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      }
      await eventually('it takes changes again', async () => (await receive()).status === 201, RECOVERY_MAX_MS);
    },
  );

  it('shares the database with a second server, and either answers right or says that it is busy', async () => {
    const second = await ServerProcess.start({ ...SETTINGS, DATABASE_URL: database.url });
    try {
      const before = sent.length;
      const both = [server, second].map(({ api }) => new Shoppers(api, place, sku, sent));
      both.forEach((shoppers) => {
        shoppers.start(4);
      });
      await eventually('both have served enough', () =>
        Promise.resolve(sent.slice(before).filter(({ answer }) => answer !== undefined).length >= ANSWERS),
      );
      await Promise.all(both.map((shoppers) => shoppers.stop()));
      for (const { answer } of sent.slice(before)) {
        if (answer === undefined || answer.status >= 300) problemOf(answer as Answer, 503, 'BUSY');
      }
      expect(await brokenInvariants(second.api, { commandsOnly: true })).toEqual([]);
    } finally {
      await second.kill();
    }
  });

  it('has lost and doubled nothing', async () => {
    // One after the other: the queue is short here.
    for (const one of sent) {
      if (one.answer?.status !== 503) continue;
      one.answer = await eventually('a repeat is answered', async () => {
        const answer = await server.api.send(one.method, one.path, one.body, { key: one.key });
        return answer.status === 503 ? undefined : answer;
      });
    }
    expect(await brokenInvariants(server.api, { commandsOnly: true })).toEqual([]);
    const ledger = await new ShopClient(server.api).ledger(sku, place);
    const movements = sent.filter(({ path }) => path.endsWith('/movements'));
    expect(movements.map(({ answer }) => answer?.status)).toEqual(movements.map(() => 201));
    expect(ledger).toHaveLength(movements.length + 1);
  });

  if (engine === 'sqlite') {
    it('goes on while a reader keeps the log from starting anew, and copies what it kept when it has gone', async () => {
      const reader = new Database(fileOf(database.url));
      const watch = new Database(fileOf(database.url));
      const log = (): { log: number; checkpointed: number } => {
        const [state] = watch.pragma('wal_checkpoint(NOOP)') as [{ log: number; checkpointed: number }];
        return state;
      };
      try {
        reader.exec('BEGIN');
        reader.prepare('SELECT COUNT(*) FROM stock_items').get();
        await importMany();
        await importMany();
        const kept = log().log;
        expect(log().checkpointed).toBeLessThan(kept);
        reader.close();
        await eventually('what the reader kept is copied', async () => {
          await importMany();
          const { log: pages, checkpointed } = log();
          // Either all of it is in the file, or the log has begun anew since.
          return checkpointed >= kept || pages < kept;
        });
      } finally {
        reader.close();
        watch.close();
      }
    });
  }

  async function importMany(): Promise<void> {
    const rows = Array.from({ length: IMPORTED_ROWS }, () => ({
      sku,
      locationId: place,
      type: 'RECEIPT',
      quantity: 1,
    }));
    const answer = await server.api.post(IMPORT_PATH, new RawBody(ndjson(rows), NDJSON), { key: freshKey() });
    expect(resultsIn(answer.text).summary?.applied).toBe(IMPORTED_ROWS);
  }

  async function receive(): Promise<Answer> {
    const one: Sent = {
      method: 'POST',
      path: stockPath(sku, place, '/movements'),
      body: { type: 'RECEIPT', quantity: 1 },
      key: freshKey(),
    };
    one.answer = await server.api.send(one.method, one.path, one.body, { key: one.key });
    sent.push(one);
    return one.answer;
  }
}

describe('A server whose SQLite file has bad neighbours', () => {
  describeNeighbours('sqlite');
});
describeOnPostgres('A server whose database has bad neighbours', () => {
  describeNeighbours('postgres');
});
