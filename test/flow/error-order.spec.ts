import { type Answer, faultsOfProblem, freshKey, problemOf, RawBody } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { stockPath, useShop } from '../support/shop.ts';

const HUGE = `{"lines":[{"sku":"a","quantity":1}],"cartId":"${'x'.repeat(2_000_000)}"}`;

// When several errors apply, DESIGN section 4 says which one is told. Each test adds all later ones to the one it is about.
describeOnBothEngines('Of several errors', (engine) => {
  const shop = useShop(engine);
  let place: string;
  let sku: string;

  beforeAll(async () => {
    place = await shop.location();
    sku = await shop.stocked({ [place]: 5 });
  });

  const xml = (bytes: string) => new RawBody(bytes, 'text/xml');
  const told = (answer: Answer) => [answer.status, (answer.body as { code?: string }).code];

  it('an unknown route comes first', async () => {
    for (const path of ['/v1/nothing', '/v2/reservations', '/v1/reservations/', '/v1', '/v1/stock/a/b/c']) {
      problemOf(await shop.api.send('POST', path, xml(HUGE)), 404, 'NOT_FOUND');
    }
  });

  it('then a method that the route does not have', async () => {
    const answer = await shop.api.send('PATCH', '/v1/reservations', xml(HUGE));
    problemOf(answer, 405, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.allow?.split(/, */).sort()).toEqual(['GET', 'HEAD', 'POST']);
  });

  it('then the media type', async () => {
    problemOf(await shop.api.send('POST', '/v1/reservations', xml(HUGE)), 415, 'UNSUPPORTED_MEDIA_TYPE');
    problemOf(await shop.api.send('POST', '/v1/reservations', xml('{')), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('then the size of the body', async () => {
    problemOf(await shop.api.send('POST', '/v1/reservations', new RawBody(HUGE)), 413, 'BODY_TOO_LARGE');
    problemOf(await shop.api.send('POST', '/v1/reservations', new RawBody(`{${HUGE}`)), 413, 'BODY_TOO_LARGE');
  });

  it('then a missing key', async () => {
    for (const body of ['{', '', '[]', '{"lines":[]}', '\u0000', '{"a":1,"a":2}']) {
      const answer = await shop.api.post('/v1/reservations', new RawBody(body), { key: null });
      problemOf(answer, 400, 'IDEMPOTENCY_KEY_MISSING');
    }
    const movement = await shop.api.post(stockPath('nothing', 'no%20where', '/movements'), {}, { key: null });
    problemOf(movement, 400, 'IDEMPOTENCY_KEY_MISSING');
  });

  it('then validation, also of the path', async () => {
    const key = freshKey();
    await shop.tryReserve([{ sku, quantity: 1 }], {}, { key });
    problemOf(await shop.api.post('/v1/reservations', { lines: [] }, { key }), 400, 'VALIDATION_FAILED');
    problemOf(await shop.api.post('/v1/reservations', new RawBody('{'), { key }), 400, 'VALIDATION_FAILED');
    problemOf(
      await shop.api.post(stockPath('nothing', place, '/movements'), { quantity: 0 }, { key }),
      400,
      'VALIDATION_FAILED',
    );
    const path = await shop.api.post('/v1/stock/a%20b/c%20d/movements', { type: 'X', quantity: 0 });
    const { errors } = problemOf(path, 400, 'VALIDATION_FAILED');
    const fields = (errors as { field: string }[]).map((error) => error.field);
    expect(fields).toEqual(expect.arrayContaining(['sku', 'locationId']));
  });

  it('then a key used for something else', async () => {
    const key = freshKey();
    await shop.tryReserve([{ sku, quantity: 1 }], {}, { key });
    problemOf(await shop.tryMove('nothing', 'nowhere', 'RECEIPT', 1, {}, { key }), 422, 'IDEMPOTENCY_KEY_REUSED');
    problemOf(
      await shop.tryUpdate('nobody', [{ sku: 'nothing', quantity: 1 }], {}, { key }),
      422,
      'IDEMPOTENCY_KEY_REUSED',
    );
  });

  it('then an id in the path that is not there', async () => {
    const options = { headers: { 'if-match': '"77"' } };
    problemOf(await shop.tryUpdate('nobody', [{ sku: 'nothing', quantity: 1 }], {}, options), 404, 'NOT_FOUND');
    problemOf(await shop.tryTo('fulfil', 'nobody', { locationId: 'nowhere' }, options), 404, 'NOT_FOUND');
    problemOf(await shop.tryTo('confirm', 'nobody', { orderId: 'o' }, options), 404, 'NOT_FOUND');
    problemOf(await shop.tryMove(sku, 'nowhere', 'SALE', 99, {}, options), 404, 'NOT_FOUND');
    problemOf(await shop.tryMove('nothing', place, 'SALE', 99, {}, options), 404, 'NOT_FOUND');
  });

  it('then an unknown product or location in the body', async () => {
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    await shop.cancel(id);
    const options = { headers: { 'if-match': '"77"' } };
    problemOf(await shop.tryUpdate(id, [{ sku: 'nothing', quantity: 1 }], {}, options), 422, 'UNKNOWN_PRODUCT');
    const lines = [{ sku, quantity: 99, locationId: 'nowhere' }];
    problemOf(await shop.tryUpdate(id, lines, {}, options), 422, 'UNKNOWN_LOCATION');
    problemOf(await shop.tryTo('fulfil', id, { locationId: 'nowhere' }, options), 422, 'UNKNOWN_LOCATION');
  });

  it('then the version, then the state, then the stock', async () => {
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    await shop.cancel(id);
    const lines = [{ sku, quantity: 99 }];
    problemOf(await shop.tryUpdate(id, lines, {}, { headers: { 'if-match': '"77"' } }), 412, 'VERSION_MISMATCH');
    problemOf(await shop.tryUpdate(id, lines), 409, 'RESERVATION_NOT_ACTIVE');
    const active = await shop.reserve([{ sku, quantity: 1 }]);
    problemOf(await shop.tryUpdate(active.id, lines), 409, 'INSUFFICIENT_STOCK');
    problemOf(
      await shop.tryMove(sku, place, 'SALE', 99, {}, { headers: { 'if-match': '"77"' } }),
      412,
      'VERSION_MISMATCH',
    );
  });

  it('and each of them is a whole problem document that points into the docs', async () => {
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    const answers = [
      await shop.api.get('/v1/nothing'),
      await shop.api.send('PATCH', '/v1/reservations'),
      await shop.api.send('POST', '/v1/reservations', xml('x')),
      await shop.api.post('/v1/reservations', {}, { key: null }),
      await shop.api.post('/v1/reservations', {}),
      await shop.tryReserve([{ sku, quantity: 99 }]),
      await shop.tryReserve([{ sku: 'nothing', quantity: 1 }]),
      await shop.tryTo('fulfil', id),
      await shop.tryTo('confirm', id, { orderId: 'o' }, { headers: { 'if-match': '"77"' } }),
    ];
    for (const answer of answers) {
      const [status, code] = told(answer);
      expect(faultsOfProblem(answer, Number(status), String(code))).toEqual([]);
      const problem = problemOf(answer, Number(status), String(code));
      expect(problem.type).toContain(`#${problem.code}`);
      expect(problem.instance).not.toContain('?');
      expect((await shop.api.get(problem.type.replace(/#.*/, ''))).status).toBe(200);
    }
  });
});
