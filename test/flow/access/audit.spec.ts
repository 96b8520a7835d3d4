import { RefusedAttempts } from '../../../src/shared/audit/refused-attempts.ts';
import { auditOf, type AuditEntry, verified } from '../../support/auditing.ts';
import { type GuardedApp, type MadeKey, useGuardedApp } from '../../support/guarded-app.ts';
import { type Api, problemOf } from '../../support/http.ts';
import { describeOnBothEngines } from '../../support/services.ts';
import { allPages, bodyOf, type Page, ShopClient, stockPath } from '../../support/shop.ts';
import { change, rowsOf } from '../../support/sql.ts';

const MINUTE_MS = 60_000;

describeOnBothEngines('The audit', (engine) => {
  const app = useGuardedApp(engine, { AUDIT_REFUSED_GROUPS_MAX: '4' });

  /** Refused attempts are stored when their minute is over. */
  async function minuteEnds(of: GuardedApp = app.it): Promise<void> {
    of.running.clock.advanceSeconds(60);
    await of.running.app.get(RefusedAttempts, { strict: false }).storeUntil(of.running.clock.now());
  }

  /** A tenant with an operator whose key is known. */
  async function aTenant(id: string): Promise<{ api: Api; key: MadeKey; shop: ShopClient }> {
    bodyOf(await app.it.admin.post('/v1/admin/tenants', { id, name: id }), 201);
    const key = await app.it.makeKey({ role: 'operator', tenantId: id, clientId: 'back-office' });
    const api = app.it.withKey(key.key);
    return { api, key, shop: new ShopClient(api, `${id}-`) };
  }

  it('says who did what, when, from where and by which request, of movements and reservations', async () => {
    const { api, key, shop } = await aTenant('who');
    const [place, sku] = [await shop.location(), await shop.product()];
    const headers = (id: string) => ({ headers: { 'x-correlation-id': id } });
    const { movementId } = bodyOf(await shop.tryMove(sku, place, 'RECEIPT', 5, {}, headers('got-5')), 201);
    const storefront = await app.it.makeKey({ role: 'storefront', tenantId: 'who', clientId: 'web' });
    const web = new ShopClient(app.it.withKey(storefront.key), 'web-');
    const { id } = bodyOf(await web.tryReserve([{ sku, quantity: 2 }], {}, headers('made')), 201);
    problemOf(await web.tryReserve([{ sku, quantity: 9 }]), 409, 'INSUFFICIENT_STOCK');
    await web.tryTo('confirm', id, { orderId: 'O1' }, headers('paid'));

    const at = new Date(app.it.running.clock.now()).toISOString();
    const who = { tenantId: 'who', keyId: key.id, clientId: 'back-office', address: '127.0.0.1', occurredAt: at };
    const byWeb = { ...who, keyId: storefront.id, clientId: 'web' };
    const [newest, ...older] = await auditOf(api);
    expect(newest).toMatchObject({ ...byWeb, action: 'reservation.confirmed', correlationId: 'paid' });
    expect(newest?.data).toMatchObject({ reservationId: id, orderId: 'O1' });
    const moved = older.find(({ action }) => action === 'inventory.stock.moved');
    expect(moved).toMatchObject({
      ...who,
      correlationId: 'got-5',
      subject: `stock/${sku}/${place}`,
      subjectVersion: 1,
    });
    expect(moved?.data).toMatchObject({ movementId, movementType: 'RECEIPT', delta: 5 });
    const all = [newest, ...older].map((entry) => [entry?.number, entry?.action, entry?.clientId]);
    expect(all.reverse()).toEqual([
      [1, 'access.key.created', 'default@default'],
      [2, 'inventory.location.created', 'back-office'],
      [3, 'inventory.product.created', 'back-office'],
      [4, 'inventory.stock.moved', 'back-office'],
      [5, 'access.key.created', 'default@default'],
      [6, 'reservation.created', 'web'],
      [7, 'reservation.confirmed', 'web'],
    ]);
    const ledger = bodyOf(await api.get<Page<object>>(stockPath(sku, place, '/movements'))).items;
    expect(ledger[0]).toMatchObject({ keyId: key.id, clientId: 'back-office', correlationId: 'got-5' });
    const timeline = bodyOf(await api.get<Page<object>>(`/v1/reservations/${id}/timeline`)).items;
    expect(timeline[0]).toMatchObject({ keyId: storefront.id, clientId: 'web', correlationId: 'made' });
  });

  it('has every act on tenants, keys, tokens, dead letters and policies, in the chain of whom it is about', async () => {
    const { api, key, shop } = await aTenant('acts');
    const token = bodyOf(await api.post<{ accessToken: string }>('/v1/auth/token')).accessToken;
    expect((await app.it.withToken(token).post('/v1/auth/logout')).status).toBe(204);
    const [place, sku] = [await shop.location(), await shop.product()];
    bodyOf(await api.send('PUT', stockPath(sku, place, '/policy'), { safetyStock: 2 }));
    bodyOf(await api.send('PUT', `/v1/sync/stores/${place}/policy`, { staleAfterSeconds: 5, silentAfterSeconds: 9 }));
    const spare = await app.it.makeKey({ role: 'auditor', tenantId: 'acts' });
    bodyOf(await api.send('DELETE', `/v1/admin/keys/${spare.id}`));
    bodyOf(await api.send('DELETE', `/v1/admin/keys/${spare.id}`));
    const actions = (entries: readonly AuditEntry[]) => entries.map(({ action }) => action).reverse();
    expect(actions(await auditOf(api))).toEqual([
      'access.key.created',
      'access.token.issued',
      'access.token.revoked',
      'inventory.location.created',
      'inventory.product.created',
      'inventory.stock.policy-changed',
      'sync.store.policy-changed',
      'access.key.created',
      'access.key.revoked',
    ]);
    expect((await auditOf(api, '?action=access.token.issued'))[0]).toMatchObject({ keyId: key.id });

    for (const verb of ['suspend', 'suspend', 'resume'])
      bodyOf(await app.it.admin.post(`/v1/admin/tenants/acts/${verb}`));
    expect((await app.it.admin.get('/v1/admin/tenants/acts/export')).status).toBe(200);
    const ofTenant = await auditOf(app.it.admin, '?subject=tenant/acts');
    expect(actions(ofTenant)).toEqual([
      'access.tenant.created',
      'access.tenant.suspended',
      'access.tenant.resumed',
      'access.tenant.exported',
    ]);
    expect(ofTenant.every(({ tenantId, clientId }) => tenantId === '*' && clientId === 'default@default')).toBe(true);
    expect(await auditOf(api, '?subject=tenant/acts')).toEqual([]);
  });

  it('is read by operators and auditors of the tenant, and of no tenant by the platform', async () => {
    const { api } = await aTenant('seen');
    const auditor = await app.it.as({ role: 'auditor', tenantId: 'seen' });
    const platform = await app.it.as({ role: 'platform' });
    const tenants = async (of: Api) => [...new Set((await auditOf(of)).map(({ tenantId }) => tenantId))].sort();
    expect(await tenants(auditor)).toEqual(['seen']);
    expect(await tenants(api)).toEqual(['seen']);
    expect(await tenants(platform)).toEqual(['*']);
    expect(await tenants(app.it.admin)).toEqual(['*', 'default']);
    for (const role of ['storefront', 'store'] as const) {
      const other = await app.it.as({ role, tenantId: 'seen', ...(role === 'store' ? { locationId: 'S1' } : {}) });
      problemOf(await other.get('/v1/audit'), 403, 'FORBIDDEN');
    }
  });

  it('is filtered and paged without a loss, also over two chains and by what no index finds', async () => {
    const { api, key, shop } = await aTenant('paged');
    const place = await shop.location();
    const sku = await shop.product();
    for (let step = 1; step <= 5; step += 1) {
      if (step % 2 === 0) app.it.running.clock.advanceSeconds(1);
      await shop.receive(sku, place, step);
    }
    const all = await auditOf(api);
    const order = all.map(({ occurredAt, number }) => `${occurredAt} ${String(number).padStart(9, '0')}`);
    expect(order).toEqual([...order].sort().reverse());
    for (const limit of [1, 3, 200]) expect(await allPages(api, '/v1/audit', limit)).toEqual(all);
    const both = await auditOf(app.it.admin);
    expect(await allPages(app.it.admin, '/v1/audit', 2)).toEqual(both);
    const only = async (query: string, wanted: (entry: AuditEntry) => boolean) => {
      expect(await allPages(api, `/v1/audit?${query}`, 2)).toEqual(all.filter(wanted));
      expect(all.filter(wanted).length).toBeGreaterThan(0);
    };
    await only(`keyId=${key.id}`, ({ keyId }) => keyId === key.id);
    await only('clientId=default@default', ({ clientId }) => clientId === 'default@default');
    await only('action=inventory.stock.moved', ({ action }) => action === 'inventory.stock.moved');
    await only(`subject=stock/${sku}/${place}`, ({ subject }) => subject === `stock/${sku}/${place}`);
    const { correlationId, occurredAt } = all[0]!;
    await only(`correlationId=${correlationId}&clientId=back-office`, (entry) => entry.correlationId === correlationId);
    await only(`from=${occurredAt}`, (entry) => entry.occurredAt >= occurredAt);
    await only(`to=${occurredAt}&action=inventory.stock.moved`, (entry) => {
      return entry.occurredAt < occurredAt && entry.action === 'inventory.stock.moved';
    });
    const { nextCursor } = bodyOf(await api.get<Page<object>>('/v1/audit?limit=2'));
    problemOf(await api.get(`/v1/audit?limit=2&action=a.b&cursor=${nextCursor ?? ''}`), 400, 'VALIDATION_FAILED');
    problemOf(await api.get('/v1/audit?from=yesterday&keyId=*&tenantId=default'), 400, 'VALIDATION_FAILED');
  });

  it('counts what was refused, a minute at a time, however often and from however many', async () => {
    const { api, key } = await aTenant('refused');
    await minuteEnds();
    const storefront = await app.it.makeKey({ role: 'storefront', tenantId: 'refused' });
    const web = app.it.withKey(storefront.key);
    await auditOf(api);
    const events = "SELECT type FROM outbox_events WHERE type = 'access.attempts.refused'";
    const before = (await rowsOf(app.it.running.databaseUrl, events)).length;
    for (let times = 0; times < 7; times += 1) {
      problemOf(await app.it.anonymous.get('/v1/stock'), 401, 'UNAUTHENTICATED');
      problemOf(await web.get('/v1/admin/keys'), 403, 'FORBIDDEN');
      problemOf(await web.get('/v1/reservations/nothing'), 404, 'NOT_FOUND');
    }
    problemOf(await api.get('/v1/reservations/nothing'), 404, 'NOT_FOUND');
    const attempts = app.it.running.app.get(RefusedAttempts, { strict: false });
    for (let stranger = 0; stranger < 5_000; stranger += 1) {
      const address = `2001:db8:0:${stranger.toString(16)}::${(stranger % 7).toString(16)}`;
      const context = { tenantId: '*', clientId: 'anonymous', correlationId: 'many', traceparent: null, address };
      attempts.count('unauthenticated', context);
    }
    expect((await rowsOf(app.it.running.databaseUrl, events)).length).toBe(before);
    const minute = new Date(Math.floor(app.it.running.clock.now() / MINUTE_MS) * MINUTE_MS).toISOString();
    await minuteEnds();
    // Three that are told apart, one of the strangers, and the others.
    expect((await rowsOf(app.it.running.databaseUrl, events)).length).toBe(before + 5);
    const nothing = { minute, others: false, unauthenticated: 0, forbidden: 0, notFound: 0, rateLimited: 0 };
    const own = await auditOf(api, '?action=access.attempts.refused');
    expect(own.map(({ keyId, address, data }) => [keyId, address, data])).toEqual([
      [key.id, '127.0.0.1', { ...nothing, notFound: 1 }],
      [storefront.id, '127.0.0.1', { ...nothing, forbidden: 7, notFound: 7 }],
    ]);
    const [others, one, us] = await auditOf(app.it.admin, '?action=access.attempts.refused');
    expect([us?.address, us?.data]).toEqual(['127.0.0.1', { ...nothing, unauthenticated: 7 }]);
    expect([one?.address, one?.data]).toEqual(['2001:db8:0:0::0', { ...nothing, unauthenticated: 1 }]);
    expect([others?.address, others?.data]).toEqual([null, { ...nothing, others: true, unauthenticated: 4_999 }]);
  });

  it('cannot be changed nor emptied in the database either', async () => {
    await aTenant('walled');
    const url = app.it.running.databaseUrl;
    await auditOf(app.it.admin);
    for (const sql of [
      "UPDATE audit_entries SET client_id = 'nobody'",
      'UPDATE audit_entries SET number = number + 1',
      'DELETE FROM audit_entries',
      "DELETE FROM audit_chains WHERE tenant_id = '*'",
      'DELETE FROM audit_chains',
      'UPDATE audit_chains SET number = 0, purged_number = 0',
      ...(engine === 'postgres' ? ['TRUNCATE audit_entries', 'TRUNCATE audit_chains'] : []),
    ]) {
      // Its class may be of another realm, so only its words are looked at.
      const words = await change(url, sql).then(
        () => `${sql} was done`,
        (error: unknown) => (error as { message: string }).message,
      );
      expect(words).toMatch(/The audit is only ever appended to|still kept/);
    }
    expect((await verified(url)).faults).toEqual([]);
  });

  it('leaves its last hash behind when its tenant is erased, and goes on there if there is one again', async () => {
    const { api, shop } = await aTenant('ended');
    await shop.location();
    const last = (await auditOf(api))[0]!;
    bodyOf(await app.it.admin.send('DELETE', '/v1/admin/tenants/ended'));
    const url = app.it.running.databaseUrl;
    const left = await rowsOf(url, "SELECT * FROM audit_chains WHERE chain = 'ended'");
    expect(left).toHaveLength(1);
    expect(left[0]).toMatchObject({ tenant_id: '*', hash: last.hash });
    expect(await rowsOf(url, "SELECT 1 FROM audit_entries WHERE tenant_id = 'ended'")).toEqual([]);
    const [erased] = await auditOf(app.it.admin, '?subject=tenant/ended');
    expect(erased).toMatchObject({ action: 'access.tenant.erased', tenantId: '*' });
    expect(erased?.data).toMatchObject({ tenantId: 'ended', auditNumber: last.number, auditHash: last.hash });
    expect((await verified(url)).faults).toEqual([]);

    const again = await aTenant('ended');
    const [first] = await auditOf(again.api);
    expect(first?.number).toBe(last.number + 1);
    expect((await verified(url)).faults).toEqual([]);
  });

  it('is whole after all of this', async () => {
    const { chains, faults } = await verified(app.it.running.databaseUrl);
    expect(faults).toEqual([]);
    expect(chains.length).toBeGreaterThan(5);
  });
});
