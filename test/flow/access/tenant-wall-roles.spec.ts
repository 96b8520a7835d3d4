import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import { Reader } from '../../../src/shared/persistence/reader.ts';
import { freshDatabase, type FreshDatabase } from '../../support/databases.ts';
import { eventually } from '../../support/eventually.ts';
import { type GuardedApp, startGuardedApp } from '../../support/guarded-app.ts';
import { passDays, purge } from '../../support/retention.ts';
import { makeRole, roleName, urlAs } from '../../support/roles.ts';
import { describeOnPostgres, onServer, superuserUrl } from '../../support/services.ts';
import { bodyOf, ShopClient } from '../../support/shop.ts';
import { rowsOf } from '../../support/sql.ts';
import { openWritePath } from '../../support/write-path.ts';

interface Working {
  readonly role: string;
  readonly login: string;
  readonly active: boolean;
}

const AS_WHOM = `SELECT current_user AS "role", session_user AS "login", row_security_active('holds') AS "active"`;

describeOnPostgres('The role that serves', () => {
  let database: FreshDatabase;

  beforeEach(async () => {
    database = await freshDatabase('postgres');
  });

  afterEach(() => database.drop());

  /** Closes it whatever happens: one that is left running goes on after its suite. */
  async function withApp(
    env: Readonly<Record<string, string>>,
    work: (app: GuardedApp) => Promise<void>,
  ): Promise<void> {
    const app = await startGuardedApp('postgres', env);
    try {
      await work(app);
    } finally {
      await app.close();
    }
  }

  const keeperOf = async ({ admin }: GuardedApp): Promise<string | undefined> =>
    /^tenant_wall\{keeper="(\w+)"\} 1$/m.exec((await admin.get('/metrics')).text)?.[1];

  const workingOf = async ({ running }: GuardedApp): Promise<Working | undefined> => {
    const [row] = await running.app.get(Reader, { strict: false }).selectAcrossTenants<Working>(AS_WHOM);
    return row;
  };

  it('needs nothing but rows: one that owns nothing runs everything, and migrates nothing', async () => {
    const login = await makeRole('login');
    const env = { DATABASE_URL: urlAs(database.url, login), DATABASE_MIGRATION_URL: database.url };
    await withApp({ ...env, SWEEP_INTERVAL_MS: '20' }, async (app) => {
      expect([await keeperOf(app), await workingOf(app)]).toEqual([
        'login',
        { role: login.name, login: login.name, active: true },
      ]);

      const shop = new ShopClient(await app.operatorOf('acme'), 'acme-');
      const [from, to] = [await shop.location(), await shop.location()];
      const sku = await shop.stocked({ [from]: 10 });
      await shop.dispatch(sku, from, to, 1);
      await shop.confirm((await shop.reserve([{ sku, quantity: 2 }], { cartId: 'cart' })).id, 'order');
      const due = await shop.reserve([{ sku, quantity: 1 }], { ttlSeconds: 1 });
      app.running.clock.advanceSeconds(2);
      await eventually('the sweeper saw it', async () => (await shop.reservation(due.id)).version === 2);
      await passDays(app.running, 40);
      await purge(app.running);
      expect(await rowsOf(database.url, 'SELECT 1 FROM idempotency_keys')).toEqual([]);
      expect((await app.admin.get('/metrics')).text).not.toMatch(/^metrics_failed_reads_total\{.*\} [1-9]/m);
      expect((await app.admin.get('/v1/admin/tenants/acme/export')).text).toContain('"complete":true');
      bodyOf(await app.admin.send('DELETE', '/v1/admin/tenants/acme'), 200);
    });

    const rights = new pg.Client({ connectionString: env.DATABASE_URL });
    await rights.connect();
    for (const statement of [
      'CREATE TABLE mine (id TEXT)',
      'ALTER TABLE holds DISABLE ROW LEVEL SECURITY',
      'ALTER TABLE holds NO FORCE ROW LEVEL SECURITY',
      'DROP POLICY tenant_select ON holds',
      'TRUNCATE holds',
      `INSERT INTO schema_migrations (timestamp, name) VALUES (1, 'forged')`,
    ]) {
      await expect(rights.query(statement)).rejects.toMatchObject({ code: '42501' });
    }
    await rights.end();

    // Nothing is left to migrate, so who cannot may start alone.
    const alone = await openWritePath(env.DATABASE_URL);
    await alone.close();
  });

  it('is another one than a superuser who logs in, on every connection, and is made once for all databases', async () => {
    const wanted = roleName('app');
    const other = await freshDatabase('postgres');
    const [app, second] = await Promise.all(
      [database, other].map(({ url }) =>
        startGuardedApp('postgres', { DATABASE_URL: superuserUrl(url), DATABASE_ROLE: wanted }),
      ),
    );
    try {
      if (app === undefined || second === undefined) throw new Error('Two were started');
      const login = new URL(superuserUrl(database.url)).username;
      for (const one of [app, second]) {
        expect([await keeperOf(one), await workingOf(one)]).toEqual(['role', { role: wanted, login, active: true }]);
      }
      const shop = new ShopClient(await app.operatorOf('acme'), 'acme-');
      const sku = await shop.stocked({ [await shop.location()]: 10 });
      await shop.reserve([{ sku, quantity: 2 }]);
    } finally {
      await Promise.all([app?.close(), second?.close()]);
      await other.drop();
    }
  });

  it('stops the start when options of the address keep it from being taken on', async () => {
    const url = `${superuserUrl(database.url)}?options=-c%20statement_timeout%3D9000`;
    const opening = openWritePath(url, { environment: { DATABASE_ROLE: roleName('app2') } });
    await expect(opening).rejects.toThrow('would pass over row-level security');
  });

  it('may not be one that could itself pass over the policies', async () => {
    const unfit = await makeRole('unfit', 'BYPASSRLS');
    const opening = openWritePath(superuserUrl(database.url), { environment: { DATABASE_ROLE: unfit.name } });
    await expect(opening).rejects.toThrow('could itself pass over row-level security');
  });

  it('is refused where nobody would keep the wall, and with AUTH=off it is said loudly', async () => {
    const bypassing = await makeRole('bypassing', 'BYPASSRLS');
    await onServer(superuserUrl(database.url), `GRANT CREATE ON SCHEMA public TO ${bypassing.name}`);
    const env = { DATABASE_URL: urlAs(database.url, bypassing), DATABASE_ROLE: roleName('missing') };

    await expect(startGuardedApp('postgres', env)).rejects.toThrow('passes over row-level security and may not become');
    const warned = jest.spyOn(Logger.prototype, 'warn');
    await withApp({ ...env, AUTH: 'off' }, async (app) => {
      expect(await keeperOf(app)).toBe('nobody');
    });
    expect(warned.mock.calls.flat()).toContainEqual(
      expect.stringMatching('nothing but the program keeps tenants apart'),
    );
    warned.mockRestore();
  });

  it('is another one than a role that may make roles, which could make itself a member of the owner', async () => {
    const maker = await makeRole('maker', 'CREATEROLE');
    const wanted = roleName('made');
    const env = { DATABASE_URL: urlAs(database.url, maker), DATABASE_MIGRATION_URL: database.url };
    await withApp({ ...env, DATABASE_ROLE: wanted }, async (app) => {
      const working = { role: wanted, login: maker.name, active: true };
      expect([await keeperOf(app), await workingOf(app)]).toEqual(['role', working]);
    });
  });

  it('is one that it is a member of, where the owner of the tables logs in', async () => {
    const member = await makeRole('member');
    const owner = new URL(database.url).username;
    await onServer(superuserUrl(database.url), `GRANT ${member.name} TO ${owner}`);
    const env = { DATABASE_URL: database.url, DATABASE_ROLE: member.name };
    await withApp(env, async (app) => {
      expect([await keeperOf(app), (await workingOf(app))?.role]).toEqual(['role', member.name]);
    });
    await onServer(superuserUrl(database.url), `REVOKE ${member.name} FROM ${owner}`);
    await withApp(env, async (app) => {
      expect([await keeperOf(app), await workingOf(app)]).toEqual([
        'owner',
        { role: owner, login: owner, active: true },
      ]);
    });
  });
});
