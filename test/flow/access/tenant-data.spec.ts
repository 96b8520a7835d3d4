import { useGuardedApp } from '../../support/guarded-app.ts';
import { problemOf } from '../../support/http.ts';
import { describeOnBothEngines } from '../../support/services.ts';
import { allPages, bodyOf, type Reservation, ShopClient } from '../../support/shop.ts';
import { rowsOf } from '../../support/sql.ts';

interface Line {
  readonly table?: string;
  readonly row?: Readonly<Record<string, unknown>>;
  readonly complete?: true;
  readonly rows?: Readonly<Record<string, number>>;
}

interface Erasure {
  readonly tenantId: string;
  readonly rows: Readonly<Record<string, number>>;
}

describeOnBothEngines('What a tenant has', (engine) => {
  const app = useGuardedApp(engine);

  /** Rows of a tenant, by table; tables without one are left out. */
  async function stored(tenantId: string): Promise<Record<string, number>> {
    const { databaseUrl } = app.it.running;
    const names =
      engine === 'sqlite'
        ? "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'"
        : "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'";
    const counts: Record<string, number> = {};
    for (const { name } of await rowsOf<{ name: string }>(databaseUrl, names)) {
      if (name === 'schema_migrations') continue;
      const rows = await rowsOf(databaseUrl, `SELECT tenant_id FROM ${name} WHERE tenant_id = '${tenantId}'`);
      if (rows.length > 0) counts[name] = rows.length;
    }
    return counts;
  }

  async function aTenantWithData(id: string, counts = 1): Promise<ShopClient> {
    const shop = new ShopClient(await app.it.operatorOf(id), `${id}-`);
    const [from, to] = [await shop.location(), await shop.location()];
    const sku = await shop.stocked({ [from]: 1_000 });
    await shop.dispatch(sku, from, to, 1);
    await shop.confirm((await shop.reserve([{ sku, quantity: 1 }], { cartId: 'cart' })).id, 'order');
    await Promise.all(Array.from({ length: counts }, (_, counted) => shop.count(sku, from, counted)));
    // The audit is written a little later; who reads it waits for it.
    bodyOf(await shop.api.get('/v1/audit'));
    return shop;
  }

  const linesOf = (text: string): Line[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);

  it('can be taken along, whole, without the hashes of keys and without a word of others', async () => {
    await aTenantWithData('leaving', 260);
    await aTenantWithData('staying');
    const { status, text, headers } = await app.it.admin.get('/v1/admin/tenants/leaving/export');
    expect([status, headers['content-type']]).toEqual([200, expect.stringContaining('ndjson')]);
    const lines = linesOf(text);
    const last = lines.pop();
    const counts: Record<string, number> = {};
    for (const { table = '' } of lines) counts[table] = (counts[table] ?? 0) + 1;
    expect(counts).toEqual(await stored('leaving'));
    expect(counts['movements']).toBeGreaterThan(250);
    expect(last?.complete).toBe(true);
    expect(Object.fromEntries(Object.entries(last?.rows ?? {}).filter(([, rows]) => rows > 0))).toEqual(counts);
    expect(text).not.toContain('staying-');
    const key = lines.find(({ table }) => table === 'api_keys')?.row ?? {};
    expect([key['role'], Object.keys(key).includes('hash')]).toEqual(['operator', false]);
    problemOf(await app.it.admin.get('/v1/admin/tenants/nobody/export'), 404, 'NOT_FOUND');
  });

  it('can be erased, with a receipt, and nobody else loses anything', async () => {
    const other = await aTenantWithData('remaining');
    const shop = await aTenantWithData('going', 510);
    const [before, remaining] = [await stored('going'), await stored('remaining')];
    const receipt = bodyOf(await app.it.admin.send<Erasure>('DELETE', '/v1/admin/tenants/going'));
    expect(receipt.tenantId).toBe('going');
    expect(Object.fromEntries(Object.entries(receipt.rows).filter(([, rows]) => rows > 0))).toEqual(before);
    expect(await stored('going')).toEqual({});
    expect(await stored('remaining')).toEqual(remaining);
    problemOf(await shop.api.get('/v1/stock'), 401, 'UNAUTHENTICATED');
    expect(await allPages<Reservation>(other.api, '/v1/reservations')).toHaveLength(1);
    problemOf(await app.it.admin.send('DELETE', '/v1/admin/tenants/going'), 404, 'NOT_FOUND');

    const again = await app.it.operatorOf('going');
    expect(await allPages(again, '/v1/products')).toEqual([]);
  });

  it('is not erased by its own key, nor by an operator', async () => {
    problemOf(await app.it.admin.send('DELETE', '/v1/admin/tenants/default'), 403, 'FORBIDDEN');
    const operator = await app.it.operatorOf('curious');
    problemOf(await operator.send('DELETE', '/v1/admin/tenants/curious'), 403, 'FORBIDDEN');
    problemOf(await operator.get('/v1/admin/tenants/curious/export'), 403, 'FORBIDDEN');
  });
});
