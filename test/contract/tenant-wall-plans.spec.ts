import { jest } from '@jest/globals';
import pg from 'pg';
import { POSTGRES_WRITER_SETTINGS } from '../../src/shared/persistence/engine/postgres.ts';
import { describeOnPostgres } from '../support/services.ts';
import { ShopClient } from '../support/shop.ts';
import { change } from '../support/sql.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

/** Many tenants, each with more rows than a page: where the policies would lead the planner astray. */
const TENANTS = 40;
const ROWS_OF_EACH = 500;

const OF_ALL = `FROM generate_series(1, ${TENANTS}) AS t, generate_series(1, ${ROWS_OF_EACH}) AS n`;
const TENANT = `CASE t WHEN 1 THEN 'default' ELSE 'tenant-' || t END`;
const SEEDS = [
  `INSERT INTO products (tenant_id, sku, name, active, created_at, updated_at, version)
     SELECT ${TENANT}, 'sku-' || n, 'x', true, 0, 0, 1 ${OF_ALL}`,
  `INSERT INTO stock_items (tenant_id, sku, location_id, on_hand, held, committed, incoming, safety_stock, is_low, is_out,
     is_negative, updated_at, version) SELECT ${TENANT}, 'sku-' || n, 'S1', 9, 0, 0, 0, 0, true, false, false, 0, 1 ${OF_ALL}`,
  `INSERT INTO movements (tenant_id, sku, location_id, item_version, movement_id, type, delta, on_hand_after, occurred_at,
     correlation_id) SELECT ${TENANT}, 'sku-1', 'S1', n, 'm-' || n, 'RECEIPT', 1, n, 0, 'c' ${OF_ALL}`,
  `INSERT INTO reservations (tenant_id, id, status, lines, ttl_seconds, expires_at, lifetime_ends_at, created_at, updated_at,
     version) SELECT ${TENANT}, 'r-' || n, (ARRAY['CONFIRMED', 'CANCELLED', 'FULFILLED'])[1 + n % 3], '[]', 900, 1, 1, 1, 1, 1 ${OF_ALL}`,
  `INSERT INTO outbox_events (tenant_id, event_id, type, version, subject, subject_version, payload, occurred_at,
     correlation_id) SELECT ${TENANT}, 'e-' || n, 'x', 1, 'reservation/r-' || n, 1, '{}', 0, 'c' ${OF_ALL}`,
  // What the relay and the audit note beside a reservation.
  `INSERT INTO consumer_cursors (tenant_id, consumer, position, blocked_subjects, updated_at, version)
     SELECT ${TENANT}, 'consumer-' || n, 0, 0, 0, 1 ${OF_ALL}`,
  `INSERT INTO audit_chains (tenant_id, chain, number, hash, purged_number, purged_hash, sealed, updated_at, version)
     SELECT ${TENANT}, 'chain-' || n, 0, '', 0, '', false, 0, 1 ${OF_ALL}`,
];

interface Sent {
  readonly text: string;
  readonly values: unknown[];
}

describeOnPostgres('Behind the wall between tenants', () => {
  let running: RunningApp;
  let shop: ShopClient;
  let client: pg.Client;

  beforeAll(async () => {
    running = await startApp('postgres');
    shop = new ShopClient(running.api);
    for (const seed of SEEDS) await change(running.databaseUrl, seed);
    await change(running.databaseUrl, 'ANALYZE');
    client = new pg.Client({ connectionString: running.databaseUrl });
    await client.connect();
    await client.query(`SELECT set_config('holdfast.tenant', 'default', false)`);
  });

  afterAll(async () => {
    await client.end();
    await running.close();
  });

  /** What the server sends to the database meanwhile, but for transactions and settings. */
  async function sentBy(work: () => Promise<unknown>): Promise<Sent[]> {
    const spy = jest.spyOn(pg.Client.prototype, 'query');
    await work();
    const calls = spy.mock.calls as unknown as [string | Sent, unknown[]?][];
    spy.mockRestore();
    return calls
      .map(([query, values = []]) => (typeof query === 'string' ? { text: query, values } : query))
      .filter(({ text }) => /\b(FROM|INTO|UPDATE) /.test(text) && !/pg_|advisory|set_config/.test(text));
  }

  async function planOf({ text, values }: Sent): Promise<string> {
    const { rows } = await client.query<Record<string, string>>(`EXPLAIN (COSTS OFF) ${text}`, values);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  }

  it.each([
    ['/v1/reservations?limit=20', 'reservations_pkey'],
    ['/v1/reservations?status=CANCELLED&limit=20', 'reservations_by_status'],
    ['/v1/stock?locationId=S1&limit=20', 'stock_items_by_location'],
    ['/v1/stock?state=low&limit=20', 'stock_items_is_low'],
    ['/v1/stock/sku-1/S1/movements?limit=20', 'movements_pkey'],
    ['/v1/products?limit=20', 'products_pkey'],
  ])('a page of %s is read in the order of its index, and ends with the page', async (path, index) => {
    const sent = await sentBy(() => running.api.get(path));
    // Not what the relay reads meanwhile.
    const table = index.replace(/_(pkey|by_\w+|is_\w+)$/, '');
    const pages = sent.filter(({ text }) => text.includes(`"${table}"`) && text.includes('LIMIT'));
    expect(pages.length).toBeGreaterThan(0);
    for (const page of pages) {
      const plan = await planOf(page);
      expect(plan).toContain(`using ${index}`);
      expect(plan).toContain(`tenant_id = 'default'`);
      expect(plan).not.toMatch(/Sort|Bitmap|Seq Scan/);
    }
  });

  it('whatever a reservation reads and writes is found by an index that has its tenant', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 10 });
    const sent = await sentBy(async () => {
      const { id } = await shop.reserve([{ sku, quantity: 2 }], { cartId: 'cart' });
      await shop.confirm(id, 'order');
    });
    await client.query(
      ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin']
        .map((name) => `SET ${name} = '${POSTGRES_WRITER_SETTINGS[name as 'enable_seqscan']}'`)
        .join('; '),
    );
    const searching = sent.filter(({ text }) => /LATERAL|^UPDATE|^DELETE/.test(text));
    expect(searching.length).toBeGreaterThan(6);
    for (const statement of searching) {
      const plan = await planOf(statement);
      expect(plan).toMatch(/Index Cond: \(\(tenant_id = \(?[vk]\.(loaded_)?tenant_id/);
      expect(plan).not.toMatch(/Seq Scan|Hash Join|Merge Join/);
    }
  });
});
