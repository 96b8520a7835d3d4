import { freshKey, problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { useShop } from '../support/shop.ts';

const ACCEPTED = /^[A-Za-z0-9._:-]{1,128}$/;

describeOnBothEngines('X-Correlation-Id', (engine) => {
  const shop = useShop(engine);
  let place: string;

  beforeAll(async () => {
    place = await shop.location();
  });

  it.each(['a', 'till-7:2026.03_01', 'x'.repeat(128)])('takes over and echoes %s', async (id) => {
    const answer = await shop.api.get('/v1/locations', { 'x-correlation-id': id });
    expect(answer.headers['x-correlation-id']).toBe(id);
  });

  it.each(['', 'x'.repeat(129), 'a b', 'a/b', 'é', '<script>', 'a,b', '{"a":1}'])('replaces %j', async (id) => {
    const answer = await shop.api.get('/v1/locations', { 'x-correlation-id': id });
    expect(answer.headers['x-correlation-id']).toMatch(ACCEPTED);
    expect(answer.headers['x-correlation-id']).not.toBe(id);
  });

  it('replaces one that is sent twice', async () => {
    const answer = await shop.api.get('/v1/locations', { 'x-correlation-id': ['one', 'two'] });
    expect(answer.headers['x-correlation-id']).toMatch(ACCEPTED);
  });

  it('makes one for each request that has none', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => shop.api.get('/v1/locations')));
    expect(new Set(answers.map((answer) => answer.headers['x-correlation-id'])).size).toBe(10);
  });

  it('is on every answer, whatever became of the request', async () => {
    const headers = { 'x-correlation-id': 'seen-everywhere' };
    const sku = await shop.stocked({ [place]: 1 });
    const { etag = '' } = (await shop.api.get(`/v1/products/${sku}`)).headers;
    const answers = [
      await shop.api.get('/health/live', headers),
      await shop.api.get('/health/ready', headers),
      await shop.api.get('/metrics', headers),
      await shop.api.get('/openapi.json', headers),
      await shop.api.get(`/v1/products/${sku}`, { ...headers, 'if-none-match': etag }),
      await shop.api.get('/v1/nothing', headers),
      await shop.api.send('DELETE', '/v1/locations', undefined, { headers }),
      await shop.api.post('/v1/reservations', {}, { headers }),
      await shop.api.post('/v1/reservations', {}, { key: null, headers }),
      await shop.tryReserve([{ sku, quantity: 9 }], {}, { headers }),
      await shop.tryReserve([{ sku, quantity: 1 }], {}, { headers }),
    ];
    for (const answer of answers) expect(answer.headers['x-correlation-id']).toBe('seen-everywhere');
    expect(problemOf(answers[5] ?? fail(), 404, 'NOT_FOUND').correlationId).toBe('seen-everywhere');
  });

  it('of a replay is that of the repeat, and the ledger keeps that of the first', async () => {
    const sku = await shop.product();
    const key = freshKey();
    const move = (id: string) =>
      shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key, headers: { 'x-correlation-id': id } });
    await move('first');
    expect((await move('second')).headers['x-correlation-id']).toBe('second');
    expect((await shop.ledger(sku, place)).map((movement) => movement.correlationId)).toEqual(['first']);
  });

  it('never mixes with that of a neighbour in the same batch', async () => {
    const sku = await shop.product();
    const names = Array.from({ length: 60 }, (_, i) => `neighbour-${i}`);
    await Promise.all(
      names.map(async (id, i) => {
        const headers = { 'x-correlation-id': id };
        const answer = await shop.tryMove(sku, place, 'RECEIPT', 1 + i, { reference: id }, { headers });
        expect(answer.headers['x-correlation-id']).toBe(id);
      }),
    );
    const ledger = await shop.ledger(sku, place);
    expect(ledger.map((movement) => movement.correlationId)).toEqual(ledger.map((movement) => movement.reference));
    expect(new Set(ledger.map((movement) => movement.correlationId)).size).toBe(60);
  });
});

function fail(): never {
  throw new Error('There is no such answer');
}
