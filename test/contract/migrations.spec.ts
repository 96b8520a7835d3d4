import { DataSource, type DataSourceOptions } from 'typeorm';
import { StockAndReservations0001 } from '../../migrations/0001-stock-and-reservations.ts';
import { freshDatabase, type FreshDatabase } from '../support/databases.ts';
import { describeOnBothEngines, type Engine } from '../support/services.ts';
import { openWritePath } from '../support/write-path.ts';

/** What the first release stored of one receipt, and of two reservations of which one waits to be handed over. */
const OLD_ROWS = [
  ...(['CONFIRMED', 'ACTIVE'] as const).flatMap((status) => [
    `INSERT INTO reservations (tenant_id, id, status, lines, ttl_seconds, expires_at, lifetime_ends_at, created_at,
       updated_at, version) VALUES ('t', '${status}', '${status}', '[]', 900, 1, 1, 1, 1, 1)`,
    `INSERT INTO reservation_places (tenant_id, location_id, reservation_id) VALUES ('t', 'S1', '${status}')`,
  ]),
  `INSERT INTO movements (tenant_id, sku, location_id, item_version, movement_id, type, delta, on_hand_after, reason,
     reference, occurred_at, correlation_id) VALUES ('t', 'A', 'S1', 1, 'm-1', 'RECEIPT', 5, 5, NULL, NULL, 1, 'c-1')`,
  `INSERT INTO outbox_events (tenant_id, event_id, type, version, subject, subject_version, location_id, payload,
     occurred_at, correlation_id) VALUES ('t', 'e-1', 'x', 1, 'stock/A/S1', 1, 'S1', '{}', 1, 'c-1')`,
];

describeOnBothEngines('The migrations', (engine) => {
  let database: FreshDatabase;

  beforeAll(async () => {
    database = await freshDatabase(engine);
    const old = new DataSource({
      ...connectionTo(engine, database.url),
      migrations: [StockAndReservations0001],
      migrationsTableName: 'schema_migrations',
    });
    await old.initialize();
    await old.runMigrations();
    for (const row of OLD_ROWS) await old.query(row);
    await old.destroy();
  });

  afterAll(() => database.drop());

  it('keep what a database of the first release has, and say of its callers that nobody knows and of its origin that it was the centre', async () => {
    const path = await openWritePath(database.url);
    for (const table of ['movements', 'outbox_events']) {
      const rows = await path.reader.selectAcrossTenants(
        `SELECT correlation_id AS "correlationId", client_id AS "clientId", origin AS "origin" FROM ${table}`,
      );
      expect(rows).toEqual([{ correlationId: 'c-1', clientId: 'unknown', origin: null }]);
    }
    await path.close();
  });

  it('put what waits to be handed over on the pick lists', async () => {
    const path = await openWritePath(database.url);
    const rows = await path.reader.selectAcrossTenants(
      'SELECT reservation_id AS "reservationId" FROM reservation_places WHERE to_pick = TRUE',
    );
    expect(rows).toEqual([{ reservationId: 'CONFIRMED' }]);
    await path.close();
  });
});

function connectionTo(engine: Engine, url: string): DataSourceOptions {
  return engine === 'sqlite'
    ? { type: 'better-sqlite3', database: url.slice('sqlite:'.length) }
    : { type: 'postgres', url };
}
