import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Role, ROLES } from '../../../src/shared/access/roles.ts';
import { type GuardedApp, startGuardedApp } from '../../support/guarded-app.ts';
import { trustedPair, wrongTokens } from '../../support/forged-tokens.ts';
import { type Api, faultsOfProblem, RawBody } from '../../support/http.ts';
import { aRefusingWorld, refusedCalls, REFUSING_ENVIRONMENT, type RefusingWorld } from '../../support/refused-calls.ts';
import { filledPath, type RefusedCall } from '../../support/refusals.ts';
import { describeOnBothEngines } from '../../support/services.ts';
import { bodyOf, Shop } from '../../support/shop.ts';
import { rowsOfTenant } from '../../support/tenant-rows.ts';

interface Operation {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** Undefined: open to everybody. */
  readonly roles: readonly Role[] | undefined;
}

/** Every operation of the OpenAPI document, so that a new one is attacked without a word here. */
const OPERATIONS: readonly Operation[] = Object.entries(
  (
    JSON.parse(readFileSync(join(__dirname, '../../../docs/openapi.json'), 'utf8')) as {
      paths: Record<string, Record<string, { 'x-roles'?: Role[] }>>;
    }
  ).paths,
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { 'x-roles': roles }]) => ({
    name: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    roles,
  })),
);
const GUARDED = OPERATIONS.filter(({ roles }) => roles !== undefined);

/** As long as the suites listen on a loopback address, metrics are open to everybody (METRICS_OPEN). */
const CLOSED_METRICS = { METRICS_OPEN: 'off' };

function right(call: RefusedCall, params: Readonly<Record<string, string>> = call.right.params) {
  const { body, contentType = 'application/json' } = call.right;
  return { params, body: body === undefined ? undefined : new RawBody(JSON.stringify(body), contentType) };
}

describeOnBothEngines('Whoever calls', (engine) => {
  let app: GuardedApp;
  let world: RefusingWorld;
  let calls: Readonly<Record<string, RefusedCall>>;

  beforeAll(async () => {
    app = await startGuardedApp(engine, { ...REFUSING_ENVIRONMENT, ...CLOSED_METRICS });
    const shop = new Shop();
    shop.open({ ...app.running, api: app.admin });
    world = await aRefusingWorld(shop);
    calls = Object.fromEntries(
      Object.entries(refusedCalls(world)).filter((entry): entry is [string, RefusedCall] => !('suite' in entry[1])),
    );
  });

  afterAll(() => app.close());

  const pathOf = ({ path }: Operation, call: RefusedCall | undefined) =>
    filledPath(path, call?.right.params ?? { locationId: world.placeId, id: 'R1', sku: world.sku });

  it('without a good credential is refused before anything else, by every call alike', async () => {
    const { databaseUrl, clock } = app.running;
    const [expired, revoked, overAge, gone] = await Promise.all([
      app.makeKey({ role: 'operator', expiresAt: new Date(clock.now() - 1).toISOString() }),
      app.makeKey({ role: 'operator' }),
      app.makeKey({ role: 'operator' }),
      app.makeKey({ role: 'operator' }),
    ]);
    const tokenOf = async (key: string) =>
      bodyOf(await app.withKey(key).post<{ accessToken: string }>('/v1/auth/token')).accessToken;
    const [good, loggedOut, ofRevoked] = [
      await tokenOf(overAge.key),
      await tokenOf(overAge.key),
      await tokenOf(gone.key),
    ];
    for (const { id } of [revoked, gone]) bodyOf(await app.admin.send('DELETE', `/v1/admin/keys/${id}`));
    expect((await app.withToken(loggedOut).post('/v1/auth/logout')).status).toBe(204);
    const trusted = await trustedPair(databaseUrl, clock.now() + 86_400_000);
    const tokens = await wrongTokens(databaseUrl, good, trusted, Math.floor(clock.now() / 1_000));
    const callers: Record<string, Api> = {
      nobody: app.anonymous,
      'an unknown key': app.withKey('hf_operator_0123456789012345678901234567890123456789012'),
      'an expired key': app.withKey(expired.key),
      'a revoked key': app.withKey(revoked.key),
      'a token that was given back': app.withToken(loggedOut),
      'a token of a revoked key': app.withToken(ofRevoked),
      ...Object.fromEntries(Object.entries(tokens).map(([name, token]) => [`a token: ${name}`, app.withToken(token)])),
    };
    const before = await rowsOfTenant(engine, databaseUrl, 'default');

    expect(GUARDED.length).toBeGreaterThan(40);
    const faults: string[] = [];
    for (const operation of GUARDED) {
      // One way of being nobody for each call on the second engine: the gate is the same code, its table is not.
      const some = engine === 'sqlite' ? Object.entries(callers) : Object.entries(callers).slice(0, 6);
      for (const [name, api] of some) {
        const call = calls[operation.name];
        const body = call === undefined ? undefined : right(call).body;
        const answer = await api.send(operation.method, pathOf(operation, call), body, { key: 'k' });
        faults.push(
          ...faultsOfProblem(answer, 401, 'UNAUTHENTICATED').map((fault) => `${operation.name}, ${name}: ${fault}`),
        );
      }
    }
    expect(faults).toEqual([]);
    expect(await rowsOfTenant(engine, databaseUrl, 'default')).toEqual(before);
    expect((await app.withToken(good).get('/v1/stock')).status).toBe(200);
  });

  it('with another role than those of the call is refused, whatever it asks for', async () => {
    const apis = await Promise.all(
      ROLES.map(async (role) => {
        const api = await app.as({ role, ...(role === 'store' ? { locationId: world.placeId } : {}) });
        return [role, api] as const;
      }),
    );
    const before = await rowsOfTenant(engine, app.running.databaseUrl, 'default');
    const faults: string[] = [];
    for (const [role, api] of apis) {
      for (const operation of GUARDED.filter(({ roles }) => roles?.includes(role) !== true)) {
        const call = calls[operation.name];
        for (const body of [undefined, ...(call === undefined ? [] : [right(call).body])]) {
          const answer = await api.send(operation.method, pathOf(operation, call), body, { key: 'k' });
          faults.push(
            ...faultsOfProblem(answer, 403, 'FORBIDDEN').map((fault) => `${operation.name}, ${role}: ${fault}`),
          );
        }
      }
    }
    expect(faults).toEqual([]);
    expect(await rowsOfTenant(engine, app.running.databaseUrl, 'default')).toEqual(before);
  });

  it('of another tenant finds nothing by any id, and changes nothing', async () => {
    const other = await app.operatorOf('stranger');
    const before = await rowsOfTenant(engine, app.running.databaseUrl, 'default');
    const faults: string[] = [];
    for (const [name, call] of Object.entries(calls)) {
      const [method = '', path = ''] = name.split(' ');
      // A name in a PUT of the catalogue is the caller's own to give; tenants.spec.ts looks at those.
      if (!path.startsWith('/v1/') || (method === 'PUT' && !path.includes('reservations'))) continue;
      const names = Object.keys(call.right.params);
      const ask = (params: Readonly<Record<string, string>>) => {
        const { body } = right(call, params);
        return other.send(method, filledPath(path, params), body, { key: `of-${name}` });
      };
      const { status, text } = await ask(call.right.params);
      const unknown = Object.fromEntries(names.map((param) => [param, 'nothing']));
      const expected = names.length === 0 ? null : await ask(unknown);
      if (expected !== null && status !== expected.status)
        faults.push(`${name}: ${status}, not ${expected.status}: ${text}`);
      for (const id of secretsOf(world)) {
        const own = [...Object.values(call.right.params), JSON.stringify(call.right.body ?? '')].join(' ');
        if (!own.includes(id) && text.includes(id)) faults.push(`${name} tells of ${id}: ${text}`);
      }
    }
    expect(faults).toEqual([]);
    expect(await rowsOfTenant(engine, app.running.databaseUrl, 'default')).toEqual(before);
  });
});

/** What nobody of another tenant can know. */
function secretsOf(world: RefusingWorld): string[] {
  return [...Object.values(world.reservations), ...Object.values(world.transfers), world.keyId];
}
