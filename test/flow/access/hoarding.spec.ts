import { type GuardedApp, startGuardedApp } from '../../support/guarded-app.ts';
import { counts } from '../../support/counts.ts';
import { eventually } from '../../support/eventually.ts';
import { type Api, problemOf } from '../../support/http.ts';
import { Random, SEED } from '../../support/random.ts';
import { describeOnBothEngines, describeOnPostgres } from '../../support/services.ts';
import { bodyOf, type Reservation, ShopClient } from '../../support/shop.ts';
import { rowsOf } from '../../support/sql.ts';

const CAPS = {
  STOREFRONT_RESERVATIONS_MAX: '10',
  STOREFRONT_UNITS_MAX: '60',
  STOREFRONT_CART_UNITS_MAX: '20',
  STOREFRONT_RENEWALS_MAX: '3',
  // What is due is swept at once: until then it is counted.
  SWEEP_INTERVAL_MS: '20',
};

interface Tally {
  readonly reservations: number;
  readonly units: number;
}

describeOnBothEngines('Caps against hoarding', (engine) => {
  let app: GuardedApp;
  let shop: ShopClient;
  let sku: string;
  let clients = 0;

  beforeAll(async () => {
    app = await startGuardedApp(engine, CAPS);
    shop = new ShopClient(app.admin);
    sku = await shop.stocked({ [await shop.location()]: 1_000_000 });
  });
  afterAll(() => app.close());

  async function aStorefront(): Promise<{ api: Api; clientId: string }> {
    clients += 1;
    const clientId = `shop-${clients}`;
    return { api: await app.as({ role: 'storefront', clientId }), clientId };
  }

  const tryHold = (api: Api, quantity: number, more: object = {}) =>
    api.post<Reservation>('/v1/reservations', { lines: [{ sku, quantity }], ...more });
  const hold = async (api: Api, quantity: number, more: object = {}) => bodyOf(await tryHold(api, quantity, more), 201);
  const update = (api: Api, id: string, quantity: number) =>
    api.send<Reservation>('PUT', `/v1/reservations/${id}/lines`, { lines: [{ sku, quantity }] });

  const rows = (sql: string) => rowsOf<Tally>(app.running.databaseUrl, sql).then((found) => found[0]);
  const numbers = (tally: Tally | undefined) => [tally?.reservations ?? 0, tally?.units ?? 0].map(Number);
  const stored = async (clientId: string) =>
    numbers(await rows(`SELECT reservations, units FROM client_tallies WHERE client_id = '${clientId}'`));
  /** What the tally has to be: the units stand in lines, which are JSON. */
  const summed = async (clientId: string) => {
    const active = await rowsOf<{ lines: string }>(
      app.running.databaseUrl,
      `SELECT lines FROM reservations WHERE client_id = '${clientId}' AND status = 'ACTIVE'`,
    );
    const lines = active.flatMap((row) => JSON.parse(row.lines) as { quantity: number }[]);
    return [active.length, lines.reduce((sum, { quantity }) => sum + quantity, 0)];
  };

  it('let exactly as many reservations of a client be, of 50 that come at once', async () => {
    const { api, clientId } = await aStorefront();
    const answers = await Promise.all(Array.from({ length: 50 }, () => tryHold(api, 1)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      const problem = problemOf(answer, 429, 'RATE_LIMITED');
      expect(problem).toMatchObject({ limit: 'reservations-of-client', max: 10, remaining: 0 });
      expect(answer.headers['retry-after']).toBe('30');
    }
    expect([await stored(clientId), await summed(clientId)]).toEqual([
      [10, 10],
      [10, 10],
    ]);
    // Nobody else is held up by it, and an operator has no caps.
    await hold((await aStorefront()).api, 1);
    await hold(app.admin, 500);
  });

  it('let no more units of a client be held, and tell how many could be', async () => {
    const { api } = await aStorefront();
    for (const quantity of [20, 20, 15]) await hold(api, quantity);
    const problem = problemOf(await tryHold(api, 6), 429, 'RATE_LIMITED');
    expect(problem).toMatchObject({ limit: 'units-of-client', max: 60, remaining: 5 });
    await hold(api, 5);
    const answers = await Promise.all(Array.from({ length: 20 }, () => tryHold(api, 1)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(429));
  });

  it('let no more units of a cart be held, by creating or by updating', async () => {
    const { api } = await aStorefront();
    const refused = { limit: 'units-of-cart', max: 20, remaining: 20 };
    expect(problemOf(await tryHold(api, 21, { cartId: 'cart' }), 429, 'RATE_LIMITED')).toMatchObject(refused);
    const { id } = await hold(api, 20, { cartId: 'cart' });
    const before = bodyOf(await api.get<Reservation>(`/v1/reservations/${id}`));
    expect(problemOf(await update(api, id, 21), 429, 'RATE_LIMITED')).toMatchObject(refused);
    expect(bodyOf(await api.get<Reservation>(`/v1/reservations/${id}`))).toEqual(before);
    problemOf(await tryHold(api, 1, { cartId: 'cart' }), 409, 'CART_ALREADY_RESERVED');
  });

  it('give room again as soon as something is confirmed, cancelled, made smaller or over', async () => {
    const { api, clientId } = await aStorefront();
    const [first, second, third] = [await hold(api, 20), await hold(api, 20), await hold(api, 20)];
    problemOf(await tryHold(api, 1), 429, 'RATE_LIMITED');
    bodyOf(await update(api, first.id, 19));
    await hold(api, 1);
    bodyOf(await api.post(`/v1/reservations/${first.id}/confirm`, { orderId: 'order' }));
    bodyOf(await app.admin.post(`/v1/reservations/${second.id}/cancel`, {}));
    expect(await stored(clientId)).toEqual([2, 21]);
    const short = await hold(api, 20, { ttlSeconds: 1 });
    problemOf(await tryHold(api, 20), 429, 'RATE_LIMITED');
    app.running.clock.set(short.expiresAt);
    await eventually('what is over is swept', async () => (await stored(clientId))[1] === 21);
    await hold(api, 20);
    // What is confirmed is paid for, and counts for nothing; giving it up changes nothing.
    bodyOf(await app.admin.post(`/v1/reservations/${first.id}/cancel`, {}));
    expect(await stored(clientId)).toEqual(await summed(clientId));
    bodyOf(await api.post(`/v1/reservations/${third.id}/cancel`, {}));
    expect(await stored(clientId)).toEqual([2, 21]);
  });

  it('let a reservation be renewed so often, by refreshing or by updating', async () => {
    const { api } = await aStorefront();
    const { id } = await hold(api, 1);
    bodyOf(await update(api, id, 2));
    bodyOf(await api.post(`/v1/reservations/${id}/refresh`, {}));
    bodyOf(await update(api, id, 2));
    const refused = { limit: 'renewals', max: 3, remaining: 0 };
    expect(problemOf(await update(api, id, 1), 429, 'RATE_LIMITED')).toMatchObject(refused);
    const refresh = await api.post(`/v1/reservations/${id}/refresh`, {});
    expect(problemOf(refresh, 429, 'RATE_LIMITED')).toMatchObject(refused);
    expect(Number(refresh.headers['retry-after'])).toBe(900);
    bodyOf(await app.admin.post(`/v1/reservations/${id}/refresh`, {}));
    bodyOf(await api.post(`/v1/reservations/${id}/confirm`, { orderId: 'order' }));
  });

  it('come after what is unknown and before what is short, and a repeat is answered as the first time', async () => {
    const { api } = await aStorefront();
    const key = { key: 'the-same' };
    const body = { lines: [{ sku, quantity: 1 }] };
    const made = await api.post<Reservation>('/v1/reservations', body, key);
    for (let i = 1; i < 10; i += 1) await hold(api, 1);
    problemOf(await api.post('/v1/reservations', { lines: [{ sku: 'none', quantity: 1 }] }), 422, 'UNKNOWN_PRODUCT');
    problemOf(await tryHold(api, 1_000_000), 429, 'RATE_LIMITED');
    const again = await api.post<Reservation>('/v1/reservations', body, key);
    expect([again.status, again.body.id]).toEqual([201, made.body.id]);
  });

  it('are counted in the metrics', async () => {
    const { text } = await app.admin.get('/metrics');
    for (const cap of ['reservations-of-client', 'units-of-client', 'units-of-cart', 'renewals']) {
      expect(text).toMatch(new RegExp(`reservations_capped_total\\{cap="${cap}"\\} [1-9]`));
    }
  });

  it(`count what is there, whatever a client does (seed ${SEED})`, async () => {
    const random = new Random(SEED);
    const { api, clientId } = await aStorefront();
    const ids: string[] = [];
    const step = async (): Promise<void> => {
      const [by, quantity] = [random.chance(80) ? api : app.admin, random.whole(1, 25)];
      const id = ids.length === 0 ? null : random.pick(ids);
      const act = random.whole(0, 9);
      if (id === null || act < 4) {
        const cartId = random.chance(50) ? `cart-${random.whole(1, 5)}` : null;
        const { status, body } = await tryHold(api, quantity, { cartId, ttlSeconds: random.whole(1, 60) });
        if (status === 201) ids.push(body.id);
      } else if (act < 6) await update(by, id, quantity);
      else if (act === 6) await by.post(`/v1/reservations/${id}/refresh`, {});
      else if (act === 7) await by.post(`/v1/reservations/${id}/cancel`, {});
      else if (act === 8) await by.post(`/v1/reservations/${id}/confirm`, { orderId: random.pick(['A', 'B']) });
      else app.running.clock.advanceSeconds(random.whole(1, 20));
    };
    for (let round = 0; round < counts(8, 100); round += 1) {
      await Promise.all(Array.from({ length: 15 }, step));
      await eventually('the tally is the sum', async () => {
        const [tally, sum] = [await stored(clientId), await summed(clientId)];
        return JSON.stringify(tally) === JSON.stringify(sum);
      });
      const [reservations, units] = (await stored(clientId)) as [number, number];
      expect(reservations).toBeLessThanOrEqual(10);
      expect(units).toBeLessThanOrEqual(60);
    }
    expect(ids.length).toBeGreaterThan(10);
  });
});

describeOnPostgres('Caps of two servers', () => {
  it('hold for both together', async () => {
    const one = await startGuardedApp('postgres', CAPS);
    const other = await one.another('postgres', CAPS);
    try {
      const shop = new ShopClient(one.admin);
      const sku = await shop.stocked({ [await shop.location()]: 1_000 });
      const { key } = await one.makeKey({ role: 'storefront', clientId: 'shop' });
      const apis = [one.withKey(key), other.withKey(key)];
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => apis[i % 2]!.post('/v1/reservations', { lines: [{ sku, quantity: 1 }] })),
      );
      const tell = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
      expect([tell(201), tell(429)]).toEqual([10, 40]);
    } finally {
      await other.close();
      await one.close();
    }
  });
});
