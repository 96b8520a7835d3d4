import { jest } from '@jest/globals';
import Database from 'better-sqlite3';
import type { SelectQueryBuilder } from 'typeorm';
import { Reader } from '../../src/shared/persistence/reader.ts';
import type { SqlParameters } from '../../src/shared/persistence/engine/engine.ts';
import { Transaction } from '../../src/shared/persistence/transaction.ts';
import { CAREFUL, report } from '../support/freshness.ts';
import { type GuardedApp, startGuardedApp } from '../support/guarded-app.ts';
import type { Api } from '../support/http.ts';
import { passDays, purge } from '../support/retention.ts';
import { ShopClient } from '../support/shop.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

/** What one request read, and how SQLite finds it. */
interface Plans {
  readonly status: number;
  readonly plans: readonly string[];
}

/*
 * On SQLite only: there a plan does not depend on what is stored, because the planner is told of a big shop at the
 * start, and a statement that reads too much stops the whole server. PostgreSQL counts rows by itself.
 */
describe('Reads on SQLite', () => {
  let running: RunningApp;
  let database: Database.Database;

  beforeAll(async () => {
    running = await startApp('sqlite');
    database = new Database(running.databaseUrl.slice('sqlite:'.length), { readonly: true });
  });

  afterAll(async () => {
    database.close();
    await running.close();
  });

  function explain(sql: string, parameters: unknown): string {
    const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(parameters) as { detail: string }[];
    return rows.map(({ detail }) => detail).join('; ');
  }

  async function plansOf(path: string): Promise<Plans> {
    const reader = running.app.get(Reader, { strict: false });
    const plans: string[] = [];
    const many = jest.spyOn(reader, 'many').mockImplementation((query) => {
      plans.push(explain(...query.getQueryAndParameters()));
      return Promise.resolve([]);
    });
    const select = jest.spyOn(reader, 'select').mockImplementation((sql, parameters) => {
      plans.push(explain(sql, { ...parameters, tenant: 'default' }));
      return Promise.resolve([]);
    });
    const { status } = await running.api.get(path);
    many.mockRestore();
    select.mockRestore();
    return { status, plans };
  }

  it.each([
    ['/v1/reservations', 'reservation USING PRIMARY KEY (tenant_id=?)'],
    ['/v1/reservations?status=EXPIRED', 'reservation USING INDEX reservations_by_status (tenant_id=? AND status=?)'],
    ['/v1/reservations?status=ACTIVE', 'reservation USING INDEX reservations_by_status (tenant_id=? AND status=?)'],
    ['/v1/reservations?cartId=C', 'reservation USING INDEX reservations_by_cart (tenant_id=? AND cart_id=?)'],
    [
      '/v1/reservations?cartId=C&status=FULFILLED',
      'reservation USING INDEX reservations_by_cart (tenant_id=? AND cart_id=?)',
    ],
    [
      '/v1/reservations?cartId=C&locationId=S1',
      'reservation USING INDEX reservations_by_cart (tenant_id=? AND cart_id=?)',
    ],
    ['/v1/reservations?orderId=O', 'reservation USING INDEX reservations_by_order (tenant_id=? AND order_id=?)'],
    [
      '/v1/reservations?orderId=O&status=CONFIRMED&locationId=S1',
      'reservation USING INDEX reservations_by_order (tenant_id=? AND order_id=?)',
    ],
    ['/v1/reservations?locationId=S1', 'place USING PRIMARY KEY (tenant_id=? AND location_id=?)'],
    [
      '/v1/reservations?locationId=S1&status=CONFIRMED',
      'place USING COVERING INDEX reservation_places_to_pick (tenant_id=? AND location_id=?)',
    ],
    ['/v1/reservations?locationId=S1&status=ACTIVE', 'reservation USING INDEX reservations_due (expires_at>?)'],
    ['/v1/stock?state=low', 'item USING INDEX stock_items_is_low (tenant_id=?)'],
    ['/v1/stock?state=out', 'item USING INDEX stock_items_is_out (tenant_id=?)'],
    ['/v1/stock?state=negative', 'item USING INDEX stock_items_is_negative (tenant_id=?)'],
    ['/v1/stock?locationId=S1', 'item USING INDEX stock_items_by_location (tenant_id=? AND location_id=?)'],
    ['/v1/stock?skus=A,B', 'item USING PRIMARY KEY (tenant_id=? AND sku=?)'],
    ['/v1/stock/A', 's USING PRIMARY KEY (tenant_id=? AND sku=?)'],
    ['/v1/stock/A/S1', 's USING PRIMARY KEY (tenant_id=? AND sku=? AND location_id=?)'],
    ['/v1/stock/A/S1/movements', 'movement USING PRIMARY KEY (tenant_id=? AND sku=? AND location_id=?)'],
    ['/v1/transfers', 'transfer USING PRIMARY KEY (tenant_id=?)'],
    ['/v1/transfers?status=RECEIVED', 'transfer USING INDEX transfers_by_status (tenant_id=? AND status=?)'],
    ['/v1/transfers?sku=A&status=RECEIVED', 'transfer USING INDEX transfers_by_sku (tenant_id=? AND sku=?)'],
    [
      '/v1/transfers?fromLocationId=W1',
      'transfer USING INDEX transfers_by_source (tenant_id=? AND from_location_id=?)',
    ],
    ['/v1/transfers?toLocationId=S1', 'transfer USING INDEX transfers_by_target (tenant_id=? AND to_location_id=?)'],
    [
      '/v1/transfers?fromLocationId=W1&status=IN_TRANSIT',
      'transfer USING INDEX transfers_on_the_way_from (tenant_id=? AND from_location_id=?)',
    ],
    [
      '/v1/transfers?toLocationId=S1&status=IN_TRANSIT',
      'transfer USING INDEX transfers_on_the_way_to (tenant_id=? AND to_location_id=?)',
    ],
  ])('%s: SEARCH %s', async (path, expected) => {
    const { plans } = await plansOf(path);
    expect(plans.some((plan) => plan.startsWith(`SEARCH ${expected}`)) ? expected : plans).toBe(expected);
  });
});

describe('Looking for what is low while a store keeps something back', () => {
  it('reads on SQLite by the order of the list, a piece at a time', async () => {
    const running = await startApp('sqlite');
    const database = new Database(running.databaseUrl.slice('sqlite:'.length), { readonly: true });
    try {
      const shop = new ShopClient(running.api);
      const place = await shop.location();
      await shop.stocked({ [place]: 5 });
      await report(running, place, { policy: CAREFUL, pushed: { lastSequence: 1, receivedAt: null } });
      running.clock.advanceSeconds(60);
      const statements: [string, unknown[]][] = [];
      const reader = running.app.get(Reader, { strict: false });
      const one = jest.spyOn(reader, 'one');
      const many = jest.spyOn(reader, 'many');
      await running.api.get('/v1/stock?state=low&limit=1');
      for (const [query] of [...one.mock.calls, ...many.mock.calls]) statements.push(query.getQueryAndParameters());
      jest.restoreAllMocks();
      const plans = statements.map(([sql, parameters]) => {
        const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(parameters) as { detail: string }[];
        return rows.map(({ detail }) => detail).join('; ');
      });
      expect(plans).toEqual(plans.map(() => 'SEARCH item USING PRIMARY KEY (tenant_id=?)'));
      expect(plans).toHaveLength(2);
    } finally {
      database.close();
      await running.close();
    }
  });
});

describe('Reads of a storefront on SQLite', () => {
  let app: GuardedApp;
  let storefront: Api;
  let database: Database.Database;

  beforeAll(async () => {
    app = await startGuardedApp('sqlite');
    storefront = await app.as({ role: 'storefront', clientId: 'web' });
    database = new Database(app.running.databaseUrl.slice('sqlite:'.length), { readonly: true });
  });

  afterAll(async () => {
    database.close();
    await app.close();
  });

  it.each([
    ['', 'reservations_by_client (tenant_id=? AND client_id=?)'],
    ['?status=FULFILLED', 'reservations_by_client (tenant_id=? AND client_id=?)'],
    ['?status=ACTIVE', 'reservations_by_status (tenant_id=? AND status=?)'],
    ['?status=CONFIRMED', 'reservations_by_status (tenant_id=? AND status=?)'],
    ['?cartId=C', 'reservations_by_cart (tenant_id=? AND cart_id=?)'],
    ['?orderId=O', 'reservations_by_order (tenant_id=? AND order_id=?)'],
  ])('/v1/reservations%s: SEARCH USING INDEX %s', async (query, expected) => {
    const plans: string[] = [];
    const many = jest
      .spyOn(app.running.app.get(Reader, { strict: false }), 'many')
      .mockImplementation((asked: SelectQueryBuilder<object>) => {
        const [sql, parameters] = asked.getQueryAndParameters();
        const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(parameters) as { detail: string }[];
        plans.push(rows.map(({ detail }) => detail).join('; '));
        return Promise.resolve([]);
      });
    expect((await storefront.get(`/v1/reservations${query}`)).status).toBe(200);
    many.mockRestore();
    expect(plans).toEqual([`SEARCH reservation USING INDEX ${expected}`]);
  });
});

describe('The purge on SQLite', () => {
  it('finds by an index what is due, and what its gauges show', async () => {
    const running = await startApp('sqlite');
    const database = new Database(running.databaseUrl.slice('sqlite:'.length), { readonly: true });
    const statements = new Map<string, SqlParameters>();
    const note = (sql: string, parameters: SqlParameters = {}): void => {
      statements.set(sql, { ...parameters, tenant: 'default' });
    };
    try {
      const shop = new ShopClient(running.api);
      const sku = await shop.stocked({ [await shop.location()]: 5 });
      await shop.cancel((await shop.reserve([{ sku, quantity: 1 }])).id);
      await passDays(running, 401);
      const across = jest.spyOn(running.app.get(Reader, { strict: false }), 'selectAcrossTenants');
      const select = jest.spyOn(Transaction.prototype, 'select');
      const purged = jest.spyOn(Transaction.prototype, 'purge');

      await purge(running);
      await running.api.get('/metrics');

      across.mock.calls.forEach((call) => note(...call));
      select.mock.calls.forEach((call) => note(...call));
      purged.mock.calls.forEach(([sql, parameters]) => note(sql, parameters));
      jest.restoreAllMocks();
      const plans = [...statements].map(([sql, parameters]) => {
        const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(parameters) as { detail: string }[];
        return rows.map(({ detail }) => detail).join('; ');
      });
      expect(plans.filter((plan) => plan.includes('SEARCH')).length).toBeGreaterThan(8);
      expect(plans.filter((plan) => /SCAN (idempotency_keys|outbox_events|reservations)/.test(plan))).toEqual([]);
    } finally {
      database.close();
      await running.close();
    }
  });
});
