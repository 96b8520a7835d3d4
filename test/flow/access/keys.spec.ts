import { eventually } from '../../support/eventually.ts';
import { ADMIN_KEY, useGuardedApp } from '../../support/guarded-app.ts';
import { type Answer, problemOf } from '../../support/http.ts';
import { describeOnBothEngines } from '../../support/services.ts';
import { allPages, bodyOf } from '../../support/shop.ts';
import { rowsOf } from '../../support/sql.ts';

interface Key {
  readonly id: string;
  readonly tenantId: string;
  readonly role: string;
  readonly clientId: string;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
}

const ANYTHING = '/v1/stock';

function refused(answer: Answer): void {
  const problem = problemOf(answer, 401, 'UNAUTHENTICATED');
  expect(problem.detail).toBe('The key or token is not valid, or not any more');
  expect(answer.headers['www-authenticate']).toBe('Bearer realm="holdfast"');
}

describeOnBothEngines('A key', (engine) => {
  const app = useGuardedApp(engine);
  const keysOf = (api = app.it.admin, query = '') => allPages<Key>(api, `/v1/admin/keys${query}`);

  it('is shown once, and only its hash is stored', async () => {
    const { id, key } = await app.it.makeKey({ role: 'storefront', clientId: 'shop' });
    expect(key).toMatch(/^hf_storefront_[A-Za-z0-9_-]{43}$/);
    expect((await app.it.withKey(key).get(ANYTHING)).status).toBe(200);
    expect(JSON.stringify(await keysOf())).not.toContain(key.slice(-20));
    const rows = await rowsOf(app.it.running.databaseUrl, `SELECT * FROM api_keys WHERE id = '${id}'`);
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(key.slice(-20));
    for (const table of ['idempotency_keys', 'outbox_events']) {
      const all = JSON.stringify(await rowsOf(app.it.running.databaseUrl, `SELECT * FROM ${table}`));
      expect(all).not.toContain(key.slice(-20));
    }
  });

  it('is refused when it is none, unknown, malformed, or one of several', async () => {
    problemOf(await app.it.anonymous.get(ANYTHING), 401, 'UNAUTHENTICATED');
    refused(await app.it.withKey('hf_operator_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA').get(ANYTHING));
    refused(await app.it.withKey('x'.repeat(201)).get(ANYTHING));
    refused(await app.it.withKey(`${ADMIN_KEY}, ${ADMIN_KEY}`).get(ANYTHING));
    refused(await app.it.anonymous.get(ANYTHING, { authorization: `Basic ${btoa(`key:${ADMIN_KEY}`)}` }));
    refused(await app.it.anonymous.get(ANYTHING, { authorization: `Bearer ${ADMIN_KEY}` }));
    const both = await app.it.admin.get(ANYTHING, { authorization: 'Bearer x' });
    expect(problemOf(both, 401, 'UNAUTHENTICATED').detail).toBe('Send one key or one token, once');
  });

  it('is refused from the answer on that revokes it, by another server, too', async () => {
    const other = await app.it.another(engine);
    try {
      const { id, key } = await app.it.makeKey({ role: 'auditor' });
      const [here, there] = [app.it.withKey(key), other.withKey(key)];
      for (let round = 0; round < 5; round += 1) {
        expect([(await here.get(ANYTHING)).status, (await there.get(ANYTHING)).status]).toEqual([200, 200]);
      }
      const revoked = bodyOf(await app.it.admin.send<Key>('DELETE', `/v1/admin/keys/${id}`));
      refused(await there.get(ANYTHING));
      refused(await here.get(ANYTHING));
      expect(bodyOf(await app.it.admin.send<Key>('DELETE', `/v1/admin/keys/${id}`))).toEqual(revoked);
    } finally {
      await other.close();
    }
  });

  it('is over at its time', async () => {
    const { clock } = app.it.running;
    const expiresAt = new Date(clock.now() + 60_000).toISOString();
    const auditor = await app.it.as({ role: 'auditor', expiresAt });
    clock.advanceSeconds(59.999);
    expect((await auditor.get(ANYTHING)).status).toBe(200);
    clock.advanceSeconds(0.001);
    refused(await auditor.get(ANYTHING));
  });

  it('tells when it was last used, give or take a minute', async () => {
    const { clock } = app.it.running;
    const { id, key } = await app.it.makeKey({ role: 'auditor' });
    const lastUse = async () => (await keysOf()).find((one) => one.id === id)?.lastUsedAt ?? null;
    expect(await lastUse()).toBeNull();
    const first = new Date(clock.now()).toISOString();
    await app.it.withKey(key).get(ANYTHING);
    await eventually('the use is noted', async () => (await lastUse()) === first);
    clock.advanceSeconds(30);
    await app.it.withKey(key).get(ANYTHING);
    clock.advanceSeconds(30);
    const later = new Date(clock.now()).toISOString();
    await app.it.withKey(key).get(ANYTHING);
    await eventually('the later use is noted', async () => (await lastUse()) === later);
  });

  it('of a platform is made, seen and revoked by a platform only', async () => {
    const operator = await app.it.as({ role: 'operator' });
    const { id } = await app.it.makeKey({ role: 'platform' });
    problemOf(await operator.post('/v1/admin/keys', { name: 'up', role: 'platform' }), 403, 'FORBIDDEN');
    expect((await keysOf(operator)).map((key) => key.role)).not.toContain('platform');
    expect((await keysOf(operator)).map((key) => key.role)).not.toContain('admin');
    const unseen = problemOf(await operator.send('DELETE', `/v1/admin/keys/${id}`), 404, 'NOT_FOUND');
    const unknown = problemOf(await operator.send('DELETE', '/v1/admin/keys/nothing'), 404, 'NOT_FOUND');
    expect({ ...unseen, correlationId: '', instance: '' }).toEqual({
      ...unknown,
      correlationId: '',
      instance: '',
      detail: `There is no key ${id}`,
      keyId: id,
    });
    expect((await keysOf()).find((key) => key.id === id)?.revokedAt).toBeNull();
  });

  it('of another tenant is not there for an operator', async () => {
    const acme = await app.it.operatorOf('acme');
    const { id } = await app.it.makeKey({ role: 'auditor', tenantId: 'acme' });
    const operator = await app.it.as({ role: 'operator' });
    problemOf(await operator.send('DELETE', `/v1/admin/keys/${id}`), 404, 'NOT_FOUND');
    problemOf(await operator.get('/v1/admin/keys?tenantId=acme'), 403, 'FORBIDDEN');
    problemOf(
      await operator.post('/v1/admin/keys', { name: 'n', role: 'auditor', tenantId: 'acme' }),
      403,
      'FORBIDDEN',
    );
    expect(new Set((await keysOf(operator)).map((key) => key.tenantId))).toEqual(new Set(['default']));
    expect((await keysOf(acme)).map((key) => key.tenantId)).toEqual(['acme', 'acme']);
    expect((await keysOf(app.it.admin, '?tenantId=acme')).map((key) => key.tenantId)).toEqual(['acme', 'acme']);
    expect(bodyOf(await acme.send<Key>('DELETE', `/v1/admin/keys/${id}`)).revokedAt).not.toBeNull();
  });

  it('of a store has a location, and no other has one', async () => {
    const wrong = (body: object) => app.it.admin.post('/v1/admin/keys', { name: 'n', ...body });
    problemOf(await wrong({ role: 'store' }), 400, 'VALIDATION_FAILED');
    problemOf(await wrong({ role: 'operator', locationId: 'S1' }), 400, 'VALIDATION_FAILED');
    problemOf(await wrong({ role: 'admin' }), 400, 'VALIDATION_FAILED');
    problemOf(await wrong({ role: 'auditor', hash: 'x' }), 400, 'VALIDATION_FAILED');
    problemOf(await wrong({ role: 'auditor', tenantId: 'nowhere' }), 422, 'UNKNOWN_TENANT');
  });
});
