import { eventually } from '../support/eventually.ts';
import { type Page, bodyOf, stockPath, type StockItem } from '../support/shop.ts';
import { ShopClient } from '../support/shop.ts';
import { problemOf } from '../support/http.ts';
import { MIRROR, MirrorModule } from '../support/mirror.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

interface DeadLetter {
  readonly id: string;
  readonly status: string;
  readonly attempts: number;
  readonly version: number;
  readonly reason: string | null;
  readonly code: string;
  readonly closedAt: string | null;
}

interface Rehearsal {
  readonly before: Record<string, StockItem[]>;
  readonly after: Record<string, StockItem[]>;
  readonly failure: { code: string; detail: string } | null;
}

describeOnBothEngines('Dead letters', (engine) => {
  let app: RunningApp;
  let shop: ShopClient;
  let place: string;

  beforeAll(async () => {
    // The first failure is the last, so that a test does not have to wait for more.
    app = await startApp(engine, { RELAY_ATTEMPTS_MAX: '1', RELAY_INTERVAL_MS: '20' }, [MirrorModule]);
    shop = new ShopClient(app.api);
    place = await shop.location();
  });

  afterAll(() => app.close());

  /** Movements of one sku, of which the first has to be repeated at a location that does not exist. */
  async function aDeadLetter(...quantities: number[]): Promise<{ letter: DeadLetter; sku: string; missing: string }> {
    const sku = await shop.product();
    const missing = shop.name('missing');
    for (const quantity of quantities) {
      bodyOf(await shop.tryMove(sku, place, 'RECEIPT', quantity, { reference: `${MIRROR}${missing}` }), 201);
    }
    const letter = await eventually('the event is dead', async () => {
      const { items } = bodyOf(await app.api.get<Page<DeadLetter & { data: { sku: string } }>>('/v1/dead-letters'));
      return items.find(({ data }) => data.sku === sku);
    });
    return { letter, sku, missing };
  }

  function replay(id: string, query = ''): ReturnType<typeof app.api.post<DeadLetter>> {
    return app.api.post<DeadLetter>(`/v1/dead-letters/${id}/replay${query}`, undefined, { key: null });
  }

  function discard(id: string, body: unknown = { reason: 'not needed' }): ReturnType<typeof app.api.post<DeadLetter>> {
    return app.api.post<DeadLetter>(`/v1/dead-letters/${id}/discard`, body, { key: null });
  }

  /** The reasons of the movements at the mirrored location, oldest first: the versions that were repeated there. */
  async function repeatedAt(sku: string, locationId: string): Promise<(string | null)[]> {
    const ledger = await shop.ledger(sku, locationId);
    return ledger.map(({ reason }) => reason).reverse();
  }

  it('are listed, oldest first, with the event as it came and what it failed with', async () => {
    const { letter, sku } = await aDeadLetter(3);
    const later = await aDeadLetter(4);
    expect(letter).toEqual({
      id: expect.any(String),
      eventId: expect.any(String),
      consumer: 'test.mirror',
      locationId: place,
      orderId: null,
      sequence: null,
      type: 'inventory.stock.moved',
      data: expect.objectContaining({ sku, delta: 3 }),
      code: 'NOT_FOUND',
      detail: expect.stringMatching(/^There is no location missing-/),
      attempts: 1,
      status: 'DEAD',
      reason: null,
      createdAt: app.clock.iso(),
      closedAt: null,
      version: 1,
    });
    const { items } = bodyOf(await app.api.get<Page<DeadLetter>>('/v1/dead-letters?limit=200'));
    const ids = items.map(({ id }) => id);
    expect(ids.indexOf(letter.id)).toBeLessThan(ids.indexOf(later.letter.id));
    const one = await app.api.get<DeadLetter>(`/v1/dead-letters/${letter.id}`);
    expect(bodyOf(one)).toEqual(letter);
    expect(one.headers.etag).toBe('"1"');
  });

  it('are paged, and listed by their status', async () => {
    const made = [await aDeadLetter(1), await aDeadLetter(2), await aDeadLetter(3)].map(({ letter }) => letter.id);
    const listed: string[] = [];
    let cursor = '';
    do {
      const page = bodyOf(await app.api.get<Page<DeadLetter>>(`/v1/dead-letters?limit=1${cursor}`));
      listed.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`;
    } while (cursor !== '');
    expect(listed.filter((id) => made.includes(id))).toEqual(made);
    bodyOf(await discard(made[0]!));
    const discarded = bodyOf(await app.api.get<Page<DeadLetter>>('/v1/dead-letters?status=DISCARDED&limit=200'));
    expect(discarded.items.map(({ id }) => id)).toContain(made[0]);
    expect(discarded.items.map(({ id }) => id)).not.toContain(made[1]);
    problemOf(await app.api.get('/v1/dead-letters?status=ALIVE'), 400, 'VALIDATION_FAILED');
  });

  it('are rehearsed: what a replay would change is told, and nothing is changed', async () => {
    const { letter, sku, missing } = await aDeadLetter(5);
    const failing = await app.api.post<Rehearsal>(`/v1/dead-letters/${letter.id}/replay?dryRun=true`);
    expect(bodyOf(failing)).toEqual({
      before: {},
      after: {},
      failure: { code: 'NOT_FOUND', detail: expect.stringContaining(missing) },
    });
    await shop.location({}, missing);
    const eventsBefore = await app.api.get(stockPath(sku, missing));
    const would = await app.api.post<Rehearsal>(`/v1/dead-letters/${letter.id}/replay?dryRun=true`);
    expect(would.headers.etag).toBe('"1"');
    expect(bodyOf(would)).toEqual({
      before: { stock: [], movements: [] },
      after: {
        stock: [expect.objectContaining({ sku, locationId: missing, onHand: 5, available: 5, version: 1 })],
        movements: [expect.objectContaining({ sku, locationId: missing, type: 'RECEIPT', delta: 5, onHandAfter: 5 })],
      },
      failure: null,
    });
    expect((await app.api.get(stockPath(sku, missing))).text).toBe(eventsBefore.text);
    expect(await shop.ledger(sku, missing)).toEqual([]);
    expect(bodyOf(await app.api.get(`/v1/dead-letters/${letter.id}`))).toEqual(letter);
    const metrics = (await app.api.get('/metrics')).text;
    expect(metrics).not.toContain(`store="${missing}"`);

    // What was told is what happens.
    expect(bodyOf(await replay(letter.id))).toMatchObject({ status: 'REPLAYED', attempts: 1, version: 2 });
    expect(await shop.stock(sku, missing)).toMatchObject(bodyOf(would).after['stock']?.[0] ?? {});
  });

  it('shows the rows that are there already as they are and as they would be', async () => {
    const { letter, sku, missing } = await aDeadLetter(5);
    await shop.location({}, missing);
    await shop.receive(sku, missing, 2);
    const { before, after } = bodyOf(await app.api.post<Rehearsal>(`/v1/dead-letters/${letter.id}/replay?dryRun=true`));
    // As it is stored: how fresh it is says the clock.
    const { freshness: _freshness, ...stored } = await shop.stock(sku, missing);
    expect(before['stock']).toEqual([stored]);
    expect(after['stock']?.[0]).toMatchObject({ onHand: 7, version: 2 });
  });

  it('stay dead with one more attempt when replaying fails again', async () => {
    const { letter } = await aDeadLetter(1);
    const again = bodyOf(await replay(letter.id));
    expect(again).toEqual({ ...letter, attempts: 2, version: 2 });
    expect(bodyOf(await replay(letter.id))).toMatchObject({ attempts: 3, status: 'DEAD' });
  });

  it('are replayed once, and what waited behind them follows in order, before anything later', async () => {
    const { letter, sku, missing } = await aDeadLetter(1, 2, 3);
    await shop.location({}, missing);
    const replayed = bodyOf(await replay(letter.id));
    expect(replayed).toMatchObject({ status: 'REPLAYED', closedAt: app.clock.iso(), version: 2 });
    bodyOf(await shop.tryMove(sku, place, 'RECEIPT', 4, { reference: `${MIRROR}${missing}` }), 201);
    await eventually('all are repeated', async () => (await shop.stock(sku, missing)).onHand === 10);
    expect(await repeatedAt(sku, missing)).toEqual(['1', '2', '3', '4']);

    const twice = await replay(letter.id);
    expect(bodyOf(twice)).toEqual(replayed);
    expect(bodyOf(await discard(letter.id))).toEqual(replayed);
    expect(await repeatedAt(sku, missing)).toEqual(['1', '2', '3', '4']);
  });

  it('are discarded with a reason, and what waited behind them follows without them', async () => {
    const { letter, sku, missing } = await aDeadLetter(1, 2, 3);
    problemOf(await discard(letter.id, {}), 400, 'VALIDATION_FAILED');
    await shop.location({}, missing);
    const discarded = bodyOf(await discard(letter.id, { reason: 'a training sale' }));
    expect(discarded).toMatchObject({ status: 'DISCARDED', reason: 'a training sale', version: 2, attempts: 1 });
    await eventually('the others are repeated', async () => (await shop.stock(sku, missing)).onHand === 5);
    expect(await repeatedAt(sku, missing)).toEqual(['2', '3']);
    expect(bodyOf(await discard(letter.id, { reason: 'another reason' }))).toEqual(discarded);
    expect(bodyOf(await replay(letter.id))).toEqual(discarded);
  });

  it('make the next one that fails a dead letter of its own, with the rest behind it', async () => {
    const { letter, sku, missing } = await aDeadLetter(1, 2, 3);
    bodyOf(await discard(letter.id));
    const next = await eventually('the next one is dead', async () => {
      const { items } = bodyOf(await app.api.get<Page<DeadLetter & { data: { sku: string } }>>('/v1/dead-letters'));
      return items.find(({ data }) => data.sku === sku);
    });
    expect(next.id).not.toBe(letter.id);
    await shop.location({}, missing);
    bodyOf(await replay(next.id));
    await eventually('the rest is repeated', async () => (await shop.stock(sku, missing)).onHand === 5);
    expect(await repeatedAt(sku, missing)).toEqual(['2', '3']);
  });

  it('honour If-Match and Idempotency-Key', async () => {
    const { letter } = await aDeadLetter(1);
    const path = `/v1/dead-letters/${letter.id}`;
    const stale = { key: null, headers: { 'if-match': '"7"' } };
    problemOf(await app.api.post(`${path}/replay`, undefined, stale), 412, 'VERSION_MISMATCH');
    problemOf(await app.api.post(`${path}/replay?dryRun=true`, undefined, stale), 412, 'VERSION_MISMATCH');
    problemOf(await app.api.post(`${path}/discard`, { reason: 'x' }, stale), 412, 'VERSION_MISMATCH');
    const keyed = { key: shop.name('key') };
    const first = await app.api.post<DeadLetter>(`${path}/replay`, undefined, keyed);
    expect(bodyOf(first)).toMatchObject({ attempts: 2 });
    const again = await app.api.post<DeadLetter>(`${path}/replay`, undefined, keyed);
    expect(again.text).toBe(first.text);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(bodyOf(await app.api.get<DeadLetter>(path))).toMatchObject({ attempts: 2 });
  });

  it('are 404 where there is none, and 400 where the query makes no sense', async () => {
    for (const path of ['', '/replay', '/replay?dryRun=true', '/discard']) {
      const method = path === '' ? 'GET' : 'POST';
      const answer = await app.api.send(
        method,
        `/v1/dead-letters/none${path}`,
        path === '/discard' ? { reason: 'x' } : undefined,
      );
      problemOf(answer, 404, 'NOT_FOUND');
    }
    problemOf(await app.api.post('/v1/dead-letters/none/replay?dryRun=maybe'), 400, 'VALIDATION_FAILED');
  });

  it('are counted by consumer', async () => {
    const count = async (name: string): Promise<number> => {
      const { text } = await app.api.get('/metrics');
      return Number(new RegExp(`^${name}\\{consumer="test.mirror"\\} (\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
    };
    const { items } = bodyOf(await app.api.get<Page<DeadLetter>>('/v1/dead-letters?limit=200'));
    expect(items.length).toBeGreaterThan(0);
    await eventually('the gauge shows the open ones', async () => (await count('dead_letters')) === items.length);
    expect(await count('outbox_pending_events')).toBe(0);
    expect(await count('outbox_lag_seconds')).toBe(0);
    expect(await count('outbox_set_aside_events')).toBeGreaterThanOrEqual(items.length);
  });
});
