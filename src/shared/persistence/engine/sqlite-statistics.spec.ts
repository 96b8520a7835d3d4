import Database from 'better-sqlite3';
import { statisticsOf, tellPlanner } from './sqlite-statistics.ts';

const CARTS = 'SELECT * FROM carts WHERE tenant_id = ? AND cart_id = ? ORDER BY id DESC';

function aDatabase(): Database.Database {
  const database = new Database(':memory:');
  database.exec(`
    CREATE TABLE carts (tenant_id TEXT, id TEXT, cart_id TEXT, status TEXT, PRIMARY KEY (tenant_id, id)) WITHOUT ROWID;
    CREATE INDEX carts_by_cart ON carts (tenant_id, cart_id, id);
    CREATE INDEX carts_open ON carts (tenant_id, id) WHERE status = 'OPEN';
    CREATE TABLE keys (tenant_id TEXT, key TEXT, PRIMARY KEY (tenant_id, key));
    CREATE TABLE positions (position INTEGER PRIMARY KEY)`);
  return database;
}

const planOf = (database: Database.Database, sql: string): string =>
  (database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all('t', 'c') as { detail: string }[])
    .map(({ detail }) => detail)
    .join('; ');
const told = (database: Database.Database) =>
  database.prepare('SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY idx').raw().all();

describe('statisticsOf', () => {
  it('tells how many rows share the first columns: all of them the tenant, few of them anything that names one', () => {
    expect(statisticsOf({ partial: 0, columns: 'tenant_id,cart_id,id' })).toBe('1000000 1000000 10 1');
    expect(statisticsOf({ partial: 0, columns: 'tenant_id,status,id' })).toBe('1000000 1000000 200000 2');
    expect(statisticsOf({ partial: 1, columns: 'tenant_id,location_id,reservation_id' })).toBe('10000 10000 100 1');
  });
});

describe('tellPlanner', () => {
  it('tells of every index of every table, so that the planner uses it while tables are empty', () => {
    const database = aDatabase();
    expect(planOf(database, CARTS)).toContain('PRIMARY KEY (tenant_id=?)');
    tellPlanner(database);
    expect(planOf(database, CARTS)).toBe('SEARCH carts USING INDEX carts_by_cart (tenant_id=? AND cart_id=?)');
    expect(told(database)).toEqual([
      ['carts', 'carts', '1000000 1000000 10'],
      ['carts', 'carts_by_cart', '1000000 1000000 10 1'],
      ['carts', 'carts_open', '10000 10000 1'],
      ['keys', 'sqlite_autoindex_keys_1', '1000000 1000000 10'],
    ]);
  });

  it('writes nothing when it knows all, and tells of an index that has come since', () => {
    const database = aDatabase();
    tellPlanner(database);
    const before = database.prepare('SELECT total_changes() AS n').get();
    tellPlanner(database);
    expect(database.prepare('SELECT total_changes() AS n').get()).toEqual(before);
    database.exec('CREATE INDEX carts_by_status ON carts (tenant_id, status, id)');
    tellPlanner(database);
    expect(told(database)).toHaveLength(5);
  });

  it('leaves what the operator found out by ANALYZE', () => {
    const database = aDatabase();
    database.exec("INSERT INTO carts VALUES ('t', '1', 'c', 'OPEN'), ('t', '2', 'c', 'OPEN'); ANALYZE");
    const analysed = told(database);
    expect(analysed).toHaveLength(3);
    tellPlanner(database);
    expect(told(database)).toEqual(expect.arrayContaining(analysed));
    expect(told(database)).toHaveLength(4);
  });
});
