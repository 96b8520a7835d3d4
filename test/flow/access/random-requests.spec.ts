import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { Sweeper } from '../../../src/modules/reservation/sweeper.ts';
import { counts, LONG } from '../../support/counts.ts';
import { ADMIN_KEY, type GuardedApp, startGuardedApp } from '../../support/guarded-app.ts';
import { type Answer, type Api, faultsOfProblem, RawBody } from '../../support/http.ts';
import { brokenInvariants } from '../../support/invariants.ts';
import type { KnownValues } from '../../support/json-schema-values.ts';
import { SEED } from '../../support/random.ts';
import { type RandomOperation, randomOperations, type RandomRequest } from '../../support/random-requests.ts';
import { aRefusingWorld, REFUSING_ENVIRONMENT, type RefusingWorld } from '../../support/refused-calls.ts';
import { describeOnBothEngines } from '../../support/services.ts';
import { bodyOf, Shop, ShopClient } from '../../support/shop.ts';
import { rowsOf } from '../../support/sql.ts';
import { rowsOfTenant } from '../../support/tenant-rows.ts';

/*
 * Requests that fast-check makes of docs/openapi.json, by everybody who may call something and by nobody. Each answer is held
 * against the document (`Api` does that), and what must not change is compared at the end. A failure prints seed and
 * path; TEST_SEED tells the run again.
 */
const REQUESTS = counts(250, 5_000);

/** In names of the tenant that is attacked, and in no request: all of the tenant may read it. */
const NAME = 'Name-4711';
/** In a cart, an order, a reason and a reference there, and in no request: a storefront and a store have their own. */
const SECRET = 'Secret-4711';

/** Whoever sends requests. */
interface Actor {
  readonly name: string;
  readonly api: Api;
  /** Undefined: nobody is known. */
  readonly role: string | undefined;
  /** What no answer to them may have in it. */
  readonly mustNotSee: readonly string[];
}

interface Sent {
  readonly actor: Actor;
  readonly operation: RandomOperation;
  readonly request: RandomRequest;
}

function isAllowed({ role }: Actor, { roles }: RandomOperation): boolean {
  return roles === undefined || (roles as readonly unknown[]).includes(role);
}

describeOnBothEngines('Random requests', (engine) => {
  let app: GuardedApp;
  let world: RefusingWorld;
  let secretHash: string;
  let operations: RandomOperation[];
  /** Of a second client, and of a second store, of the tenant that is attacked. */
  let neighbours: Actor[];
  let strangers: Actor[];

  beforeAll(async () => {
    app = await startGuardedApp(engine, {
      ...REFUSING_ENVIRONMENT,
      METRICS_OPEN: 'off',
      EVENT_LOOP_DELAY_MAX_MS: '60000',
    });
    // What is due has to look the same after the storm as before it.
    app.running.app.get(Sweeper, { strict: false }).sweep = () => Promise.resolve();
    const shop = new Shop();
    shop.open({ ...app.running, api: app.admin });
    world = await aRefusingWorld(shop);
    secretHash = createHash('sha256').update(ADMIN_KEY).digest('hex');
    const rival = await aRival();
    const other = await app.as({ role: 'storefront', clientId: 'other' });
    const known = await fillTheWorld(shop, [...(await idsOf(rival)), ...(await someReservations(other))]);
    operations = randomOperations(known);
    const as = async (role: Parameters<GuardedApp['as']>[0]['role'], more: object = {}) => app.as({ role, ...more });
    const actor = (name: string, role: string | undefined, api: Api, mustNotSee = [NAME, SECRET]): Actor => ({
      name,
      role,
      api,
      mustNotSee,
    });
    const ofRival = { tenantId: 'rival' };
    const token = async (key: string) =>
      bodyOf(await app.withKey(key).post<{ accessToken: string }>('/v1/auth/token')).accessToken;
    const auditorKey = (await app.makeKey({ role: 'auditor' })).key;
    strangers = [
      actor('nobody', undefined, app.anonymous),
      actor('an operator of another tenant', 'operator', rival),
      actor('a storefront of another tenant', 'storefront', await as('storefront', ofRival)),
      actor('a store of another tenant', 'store', await as('store', { ...ofRival, locationId: world.placeId })),
      actor('an auditor of another tenant', 'auditor', await as('auditor', ofRival)),
      actor('the platform', 'platform', await as('platform')),
      actor('an auditor', 'auditor', app.withToken(await token(auditorKey)), []),
    ];
    neighbours = [
      actor('another storefront', 'storefront', other, [SECRET]),
      actor('another store', 'store', await as('store', { locationId: 'ELSEWHERE' }), [SECRET]),
    ];
  });

  afterAll(() => app.close());

  /** What strangers would like to know, and what there is to be named. */
  async function fillTheWorld(shop: Shop, ofOthers: readonly string[]): Promise<KnownValues> {
    const { placeId, otherPlaceId, sku, reservations, transfers, keyId, deadLetterId, reconciliationId, orderId } =
      world;
    await shop.location({ name: NAME }, NAME);
    await shop.location({}, 'ELSEWHERE');
    await shop.product({ name: NAME }, `sku-${NAME}`);
    bodyOf(await shop.tryMove(sku, placeId, 'RECEIPT', 50, { reason: SECRET, reference: SECRET }), 201);
    const hidden = await shop.reserve([{ sku, quantity: 1 }], { cartId: SECRET, ttlSeconds: 14_400 });
    await shop.confirm(hidden.id, `order-${SECRET}`);
    bodyOf(await app.admin.post('/v1/admin/tenants', { id: 'scratch', name: 'Scratch' }), 201);
    const { nextCursor } = bodyOf(await app.admin.get<{ nextCursor: string }>('/v1/locations?limit=1'));
    const { cursor } = bodyOf(await app.admin.get<{ cursor: string }>(`/v1/sync/stores/${placeId}/changes`));
    const places = [placeId, placeId, placeId, otherPlaceId, 'ELSEWHERE', 'ELSEWHERE', 'nowhere'];
    const ids = [...Object.values(reservations), ...Object.values(transfers), hidden.id, ...ofOthers, ...ofOthers];
    return {
      ...{ sku: [sku, sku, sku, world.fullSku, 'nothing'], skus: [sku, `${sku},nothing`] },
      ...{ locationId: places, fromLocationId: places, toLocationId: places },
      id: [...ids, keyId, deadLetterId, reconciliationId, 'scratch', 'nothing'],
      ...{ orderId: [orderId, 'order', 'another'], cartId: [world.cartId, 'cart'], reservationId: ids },
      ...{ tenantId: ['scratch', 'rival', 'nowhere'], clientId: ['default', 'other'], after: [cursor, '0'] },
      ...{ cursor: [nextCursor, cursor], 'Idempotency-Key': ['same', 'k-1', 'k-2'], reference: ['r'] },
    };
  }

  /** Everything there is called as it is at the tenant that is attacked. */
  async function aRival(): Promise<Api> {
    const api = await app.operatorOf('rival');
    const shop = new ShopClient(api);
    for (const id of [world.placeId, world.otherPlaceId]) await shop.location({}, id);
    await shop.product({}, world.sku);
    await shop.receive(world.sku, world.placeId, 10_000);
    await shop.dispatch(world.sku, world.placeId, world.otherPlaceId, 5);
    await shop.dispatch(world.sku, world.placeId, world.otherPlaceId, 5);
    return api;
  }

  async function someReservations(api: Api): Promise<string[]> {
    const shop = new ShopClient(api);
    const ids: string[] = [];
    for (let count = 0; count < 4; count += 1) ids.push((await shop.reserve([{ sku: world.sku, quantity: 2 }])).id);
    await shop.confirm(ids[0] ?? '');
    return ids;
  }

  async function idsOf(rival: Api): Promise<string[]> {
    const { items } = bodyOf(await rival.get<{ items: { id: string }[] }>('/v1/transfers'));
    return [...items.map(({ id }) => id), ...(await someReservations(rival))];
  }

  /** Mostly by somebody who may. A few operations answer for ever to those. */
  function requestsOf(actors: readonly Actor[]): fc.Arbitrary<Sent> {
    const those = (operation: RandomOperation, may: boolean) =>
      actors.filter((actor) => isAllowed(actor, operation) === may && !(may && operation.endless));
    const called = operations.filter((operation) => those(operation, true).length > 0);
    const refused = operations.filter((operation) => those(operation, false).length > 0);
    const pairs = (some: readonly RandomOperation[], may: boolean) =>
      fc.constantFrom(...some).chain((operation) =>
        fc.tuple(fc.constantFrom(...those(operation, may)), operation.requests).map(([actor, request]) => ({
          ...{ actor, operation, request },
          [fc.toStringMethod]: () => `${actor.name}: ${JSON.stringify(request)}`,
        })),
      );
    return fc.oneof({ weight: 6, arbitrary: pairs(called, true) }, { weight: 1, arbitrary: pairs(refused, false) });
  }

  async function send({ actor, request }: Sent): Promise<Answer> {
    const { method, path, headers, body } = request;
    const raw = body === null ? undefined : new RawBody(body.text, body.contentType);
    return actor.api.send(method, path, raw, { headers });
  }

  function faultsOf({ actor, operation, request }: Sent, answer: Answer): string[] {
    const { status, text, headers } = answer;
    const faults: string[] = [];
    if (status >= 500) faults.push(`status ${status}`);
    if (status >= 400) {
      const { code } = (answer.body ?? {}) as { code?: string };
      faults.push(...faultsOfProblem(answer, status, String(code)));
    }
    if (headers['x-correlation-id'] === undefined) faults.push('no correlation id');
    if (!isAllowed(actor, operation) && ![401, 403, 414, 431].includes(status))
      faults.push(`${status}, although it is no call of theirs`);
    for (const secret of actor.mustNotSee) if (text.includes(secret)) faults.push(`tells ${secret}`);
    if (text.includes(secretHash) || text.includes(ADMIN_KEY)) faults.push('tells of a key');
    return faults.map((fault) => `${actor.name}, ${request.operation}: ${fault}: ${text.slice(0, 500)}`);
  }

  /** @returns how often each status was answered to somebody who may call */
  async function storm(actors: readonly Actor[]): Promise<Map<number, number>> {
    const statuses = new Map<number, number>();
    const property = fc.asyncProperty(requestsOf(actors), async (sent) => {
      const answer = await send(sent);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      expect(faultsOf(sent, answer)).toEqual([]);
    });
    await fc.assert(property, { seed: SEED, numRuns: REQUESTS });
    return statuses;
  }

  const share = (statuses: ReadonlyMap<number, number>, from: number, below: number) =>
    [...statuses].filter(([status]) => status >= from && status < below).reduce((sum, [, count]) => sum + count, 0) /
    REQUESTS;

  it('of strangers, of the platform and of who only reads change nothing of a tenant, and learn nothing', async () => {
    const before = await rowsOfTenant(engine, app.running.databaseUrl, 'default');
    const statuses = await storm(strangers);
    expect(await rowsOfTenant(engine, app.running.databaseUrl, 'default')).toEqual(before);
    // A storm that gets nowhere proves nothing.
    expect(share(statuses, 200, 300)).toBeGreaterThan(0.12);
    expect(share(statuses, 400, 500)).toBeGreaterThan(0.2);
    if (LONG)
      for (const status of [200, 201, 400, 401, 403, 404, 409, 412, 422]) expect(statuses.get(status)).toBeDefined();
  });

  it('of another client and of another store move no unit that is not theirs', async () => {
    const { databaseUrl } = app.running;
    const notTheirs = async () => ({
      stock: await rowsOf(
        databaseUrl,
        `SELECT sku, location_id, on_hand, committed, safety_stock FROM stock_items
         WHERE tenant_id = 'default' AND location_id <> 'ELSEWHERE' ORDER BY sku, location_id`,
      ),
      movements: await rowsOf(
        databaseUrl,
        "SELECT COUNT(*) AS count FROM movements WHERE tenant_id = 'default' AND location_id <> 'ELSEWHERE'",
      ),
      reservations: await rowsOf(
        databaseUrl,
        "SELECT * FROM reservations WHERE tenant_id = 'default' AND client_id <> 'other' ORDER BY id",
      ),
    });
    const before = await notTheirs();
    const statuses = await storm(neighbours);
    // A storefront may confirm what it has reserved, and that commits units.
    const withoutCommitted = (rows: Awaited<ReturnType<typeof notTheirs>>) => ({
      ...rows,
      stock: rows.stock.map((row) => ({ ...row, committed: null })),
    });
    expect(withoutCommitted(await notTheirs())).toEqual(withoutCommitted(before));
    expect(share(statuses, 200, 300)).toBeGreaterThan(0.08);
  });

  it('leave balances, ledger and promises of every tenant in agreement', async () => {
    const rival = strangers.find(({ name }) => name === 'an operator of another tenant') as Actor;
    expect(await brokenInvariants(rival.api, { commandsOnly: false })).toEqual([]);
  });
});
