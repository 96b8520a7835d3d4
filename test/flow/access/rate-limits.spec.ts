import { Counters, type Standing } from '../../../src/shared/access/limits/counters.ts';
import { type GuardedApp, startGuardedApp } from '../../support/guarded-app.ts';
import { type Answer, type Api, problemOf } from '../../support/http.ts';
import { bodyOf, ShopClient } from '../../support/shop.ts';

/** Small enough to be met, in a window that no test outlives. */
const LIMITS = {
  RATE_LIMIT_WINDOW_SECONDS: '60',
  RATE_LIMIT_STOREFRONT_READS: '5',
  RATE_LIMIT_STOREFRONT_WRITES: '3',
  RATE_LIMIT_STORE_BULK: '2',
  RATE_LIMIT_ADDRESS_READS: '12',
  RATE_LIMIT_ADDRESS_WRITES: '0',
  RATE_LIMIT_ADDRESS_GUESSES: '4',
  TRUSTED_PROXIES: '127.0.0.1',
};

const from = (address: string) => ({ 'x-forwarded-for': address });
const limitsOf = ({ headers }: Answer) => [headers['ratelimit-policy'], headers.ratelimit];

describe('Limits per key and address', () => {
  let app: GuardedApp;
  let nowMs = 0;
  let addresses = 0;

  beforeAll(async () => {
    app = await startGuardedApp('sqlite', LIMITS);
    // Of the counters alone: everything else goes on.
    Reflect.set(app.running.app.get(Counters, { strict: false }), 'pace', { elapsedMs: () => nowMs });
  });
  // Whoever was counted before is not any more.
  beforeEach(() => {
    nowMs += 60_000;
    addresses += 1;
  });
  afterAll(() => app.close());

  const ownAddress = () => from(`198.51.100.${addresses}`);

  it('are told with every answer, and answered with 429 once they are reached', async () => {
    const storefront = await app.as({ role: 'storefront' });
    const reads: Answer[] = [];
    for (let i = 0; i < 5; i += 1) {
      reads.push(await storefront.get('/v1/stock', ownAddress()));
      nowMs += 1_000;
    }
    expect(reads.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(reads.map(limitsOf)).toEqual(
      [4, 3, 2, 1, 0].map((r, i) => ['"reads";q=5;w=60', `"reads";r=${r};t=${60 - i}`]),
    );
    const refused = await storefront.get('/v1/stock', ownAddress());
    expect(problemOf(refused, 429, 'RATE_LIMITED')).toMatchObject({
      limit: 'reads',
      max: 5,
      remaining: 0,
      windowSeconds: 60,
    });
    expect(refused.headers['retry-after']).toBe('55');
    expect(limitsOf(refused)).toEqual(['"reads";q=5;w=60', '"reads";r=0;t=55']);
    nowMs += 55_000;
    expect((await storefront.get('/v1/stock', ownAddress())).headers.ratelimit).toBe('"reads";r=4;t=60');
  });

  it('count reads, writes and bulk apart, whatever becomes of them', async () => {
    const [storefront, store] = [
      await app.as({ role: 'storefront' }),
      await app.as({ role: 'store', locationId: 'S1' }),
    ];
    const ask = [
      () => storefront.post('/v1/reservations', {}),
      () => storefront.send('DELETE', '/v1/stock'),
      () => storefront.post('/v1/transfers', {}),
      () => storefront.post('/v1/reservations', {}),
      () => storefront.post('/v1/availability', { skus: ['A'] }),
      () => storefront.get('/v1/stock'),
    ];
    const answers: Answer[] = [];
    for (const one of ask) answers.push(await one());
    expect(answers.map(({ status }) => status)).toEqual([400, 405, 403, 429, 200, 200]);
    expect(answers.slice(4).map(({ headers }) => headers.ratelimit)).toEqual(['"reads";r=4;t=60', '"reads";r=3;t=60']);
    const pushes = [];
    for (let i = 0; i < 3; i += 1) pushes.push(await store.post('/v1/sync/stores/S1/events', {}, { key: null }));
    expect(pushes.map(({ status }) => status)).toEqual([400, 400, 429]);
  });

  it('come before what a role may not, and after who is asking', async () => {
    const storefront = await app.as({ role: 'storefront' });
    for (let i = 0; i < 3; i += 1) problemOf(await storefront.post('/v1/transfers', {}), 403, 'FORBIDDEN');
    problemOf(await storefront.post('/v1/transfers', {}), 429, 'RATE_LIMITED');
    problemOf(await app.withKey('nobody').post('/v1/transfers', {}), 401, 'UNAUTHENTICATED');
  });

  it('count tokens with their key, and the keys of a client each for itself', async () => {
    const made = await app.makeKey({ role: 'storefront', clientId: 'shop' });
    const key = app.withKey(made.key);
    const { accessToken } = bodyOf(await key.post<{ accessToken: string }>('/v1/auth/token'));
    const token = app.withToken(accessToken);
    expect((await token.post('/v1/reservations', {})).headers.ratelimit).toBe('"writes";r=1;t=60');
    const other = await app.as({ role: 'storefront', clientId: 'shop' });
    expect((await other.post('/v1/reservations', {})).headers.ratelimit).toBe('"writes";r=2;t=60');
  });

  it('of an address count everybody behind it, and nobody elsewhere', async () => {
    const keys = await Promise.all([1, 2, 3].map(() => app.as({ role: 'storefront' })));
    const statuses: number[] = [];
    const last: Answer[] = [];
    for (const key of keys) {
      for (let i = 0; i < 5; i += 1) {
        const answer = await key.get('/v1/stock', ownAddress());
        statuses.push(answer.status);
        last.push(answer);
      }
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(12);
    expect(limitsOf(last[9]!)).toEqual(['"reads";q=5;w=60', '"reads";r=0;t=60']);
    expect(limitsOf(last[11]!)).toEqual(['"reads-of-address";q=12;w=60', '"reads-of-address";r=0;t=60']);
    expect(problemOf(last[12]!, 429, 'RATE_LIMITED')).toMatchObject({ limit: 'reads-of-address', max: 12 });
    expect((await (await app.as({ role: 'storefront' })).get('/v1/stock', from('203.0.113.1'))).status).toBe(200);
    // Who may ask as often as they like may do so from there, too.
    expect((await app.admin.get('/v1/stock', ownAddress())).status).toBe(200);
  });

  it('are not escaped by a header that the client writes, nor by other addresses of its network', async () => {
    const counted: number[] = [];
    for (let i = 0; i < 14; i += 1) {
      const forged = { 'x-forwarded-for': `6.6.6.${i}, 2001:db8:0:${addresses}::${i}` };
      counted.push((await app.anonymous.get('/v1/stock', forged)).status);
    }
    expect(counted).toEqual([...Array<number>(12).fill(401), 429, 429]);
  });

  it('are not there for operators, auditors and the platform', async () => {
    const roles = ['operator', 'auditor', 'platform'] as const;
    for (const api of [app.admin, ...(await Promise.all(roles.map((role) => app.as({ role }))))]) {
      for (let i = 0; i < 15; i += 1) {
        const answer = await api.get('/v1/stock', ownAddress());
        expect([answer.status === 429, limitsOf(answer)]).toEqual([false, [undefined, undefined]]);
      }
    }
  });

  it('stop whoever guesses keys, before the key is even looked up', async () => {
    const address = ownAddress();
    const guess = (i: number) => app.withKey(`hf_operator_guess-${addresses}-${i}`);
    const misled = guess(0);
    // A client that was not told of a new key repeats itself: that is no guess.
    for (let i = 0; i < 4; i += 1)
      problemOf(await misled.post('/v1/transfers', {}, { headers: address }), 401, 'UNAUTHENTICATED');
    const answers: Answer[] = [];
    for (let i = 1; i <= 6; i += 1) answers.push(await guess(i).get('/v1/stock', address));
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 429, 429, 429]);
    expect(problemOf(answers[3]!, 429, 'RATE_LIMITED')).toMatchObject({ limit: 'guesses-of-address', max: 4 });
    expect(answers[3]!.headers['retry-after']).toBe('60');
    const { key } = await app.makeKey({ role: 'auditor' });
    expect((await app.withKey(key).get('/v1/stock', address)).status).toBe(429);
    expect((await app.withKey(key).get('/v1/stock', from('203.0.113.2'))).status).toBe(200);
    // Known from elsewhere, it is not shut out by whoever shares its address.
    expect((await app.withKey(key).get('/v1/stock', address)).status).toBe(200);
    expect((await app.withToken('a.b.c').get('/v1/stock', address)).status).toBe(429);
    nowMs += 60_000;
    problemOf(await guess(9).get('/v1/stock', address), 401, 'UNAUTHENTICATED');
  });

  it('admit exactly as many of those that come at once', async () => {
    const storefront = await app.as({ role: 'storefront' });
    const answers = await Promise.all(Array.from({ length: 40 }, () => storefront.post('/v1/reservations', {})));
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(37);
  });

  it('leave probes alone, and are counted in the metrics', async () => {
    for (let i = 0; i < 15; i += 1) expect((await app.anonymous.get('/health/live', ownAddress())).status).toBe(200);
    const { text } = await app.admin.get('/metrics');
    expect(text).toMatch(/http_rate_limited_requests_total\{limit="key",cost="writes"\} [1-9]/);
    expect(text).toMatch(/http_rate_limited_requests_total\{limit="address",cost="reads"\} [1-9]/);
    expect(text).toMatch(/http_rate_limited_requests_total\{limit="guesses",cost="any"\} [1-9]/);
  });
});

describe('Limits with AUTH=off', () => {
  it('are those of an operator, and the address stands for the key', async () => {
    const env = { AUTH: 'off', RATE_LIMIT_OPERATOR_READS: '2', TRUSTED_PROXIES: '127.0.0.1' };
    const app = await startGuardedApp('sqlite', env);
    try {
      const ask = async (api: Api, address: string) => (await api.get('/v1/stock', from(address))).status;
      const asked = ['1.1.1.1', '1.1.1.1', '1.1.1.1', '1.1.1.2'];
      const statuses = [];
      for (const address of asked) statuses.push(await ask(app.anonymous, address));
      expect(statuses).toEqual([200, 200, 429, 200]);
      expect((await app.anonymous.post('/v1/reservations', {}, { headers: from('1.1.1.1') })).headers.ratelimit).toBe(
        undefined,
      );
    } finally {
      await app.close();
    }
  });
});

describe('Limits whose counters are elsewhere', () => {
  it('wait for their answer', async () => {
    const app = await startGuardedApp('sqlite', LIMITS);
    try {
      const counters = app.running.app.get(Counters, { strict: false });
      const take = counters.take.bind(counters);
      counters.take = async (...args): Promise<Standing> => {
        await new Promise((resolve) => setImmediate(resolve));
        return take(...args);
      };
      const storefront = await app.as({ role: 'storefront' });
      const answers = await Promise.all(Array.from({ length: 8 }, () => storefront.get('/v1/stock')));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(3);
      problemOf(await app.withKey('guessed').get('/v1/stock'), 401, 'UNAUTHENTICATED');
    } finally {
      await app.close();
    }
  });
});

describe('A shop with the limits as they are', () => {
  it('is told how far it is from them', async () => {
    const app = await startGuardedApp('sqlite');
    try {
      const shop = new ShopClient(app.admin);
      const sku = await shop.stocked({ [await shop.location()]: 1 });
      const storefront = await app.as({ role: 'storefront' });
      const made = await storefront.post('/v1/reservations', { lines: [{ sku, quantity: 1 }] });
      expect([made.status, ...limitsOf(made)]).toEqual([201, '"writes";q=1000;w=10', '"writes";r=999;t=10']);
    } finally {
      await app.close();
    }
  });
});
