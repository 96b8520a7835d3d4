import { freshKey, problemOf, RawBody } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, type Reservation, stockPath, useShop } from '../support/shop.ts';

describeOnBothEngines('The Idempotency-Key', (engine) => {
  const shop = useShop(engine);
  let place: string;

  beforeAll(async () => {
    place = await shop.location();
  });

  it('replays the first answer: status, body and tag alike, and says so', async () => {
    const sku = await shop.stocked({ [place]: 10 });
    const key = freshKey();
    const first = await shop.tryReserve([{ sku, quantity: 2 }], {}, { key });
    expect(first.headers).not.toHaveProperty('idempotency-replayed');

    const again = await shop.tryReserve([{ sku, quantity: 2 }], {}, { key });

    expect([again.status, again.text, again.headers.etag]).toEqual([201, first.text, first.headers.etag]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.headers['content-type']).toBe(first.headers['content-type']);
    expect(again.headers.location).toBe(first.headers.location);
    expect((await shop.stock(sku, place)).held).toBe(2);
  });

  it('replays what was answered then, although the world went on', async () => {
    const sku = await shop.stocked({ [place]: 2 });
    const key = freshKey();
    const first = await shop.tryReserve([{ sku, quantity: 2 }], {}, { key });
    await shop.cancel(first.body.id);
    await shop.reserve([{ sku, quantity: 2 }]);
    await shop.api.put(`/v1/products/${sku}`, { name: 'gone', active: false });
    const again = await shop.tryReserve([{ sku, quantity: 2 }], {}, { key });
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.body.status).toBe('ACTIVE');
  });

  it('is honoured on every kind of change', async () => {
    const sku = await shop.stocked({ [place]: 10 });
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    const url = `/v1/reservations/${id}`;
    const elsewhere = await shop.location();
    const [received, cancelled] = [
      await shop.dispatch(sku, place, elsewhere, 1),
      await shop.dispatch(sku, place, elsewhere, 1),
    ];
    const requests: [string, string, object][] = [
      ['PUT', `/v1/locations/${shop.name('loc')}`, { name: 'x', kind: 'STORE' }],
      ['PUT', `/v1/products/${shop.name('sku')}`, { name: 'x' }],
      ['PUT', stockPath(sku, place, '/policy'), { safetyStock: 1 }],
      ['POST', stockPath(sku, place, '/movements'), { type: 'RECEIPT', quantity: 1 }],
      ['POST', stockPath(sku, place, '/counts'), { counted: 20 }],
      ['PUT', `${url}/lines`, { lines: [{ sku, quantity: 2 }] }],
      ['POST', `${url}/refresh`, { ttlSeconds: 60 }],
      ['POST', `${url}/confirm`, { orderId: 'o' }],
      ['POST', `${url}/fulfil`, {}],
      ['POST', '/v1/reservations', { lines: [{ sku, quantity: 1, locationId: place }] }],
      ['POST', '/v1/transfers', { sku, fromLocationId: place, toLocationId: elsewhere, quantity: 3 }],
      ['POST', `/v1/transfers/${received.id}/receive`, {}],
      ['POST', `/v1/transfers/${cancelled.id}/cancel`, {}],
    ];
    for (const [method, path, body] of requests) {
      const key = freshKey();
      const first = await shop.api.send(method, path, body, { key });
      shop.clock.advanceSeconds(1);
      const again = await shop.api.send(method, path, body, { key });
      expect([path, first.status < 300]).toEqual([path, true]);
      expect([path, again.status, again.text, again.headers.etag]).toEqual([
        path,
        first.status,
        first.text,
        first.headers.etag,
      ]);
      expect([path, again.headers['idempotency-replayed']]).toEqual([path, 'true']);
    }
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 20 - 2 - 3 + 1, held: 1 });
    expect(await shop.stock(sku, elsewhere)).toMatchObject({ onHand: 1, incoming: 3 });
  });

  it('takes the same JSON value for the same request, however it is written', async () => {
    const sku = await shop.stocked({ [place]: 50 });
    const key = freshKey();
    const writings = [
      `{"lines":[{"sku":"${sku}","quantity":1,"locationId":"${place}"}],"ttlSeconds":60,"cartId":"C1"}`,
      `{"cartId":"C1","ttlSeconds":60,"lines":[{"locationId":"${place}","quantity":1,"sku":"${sku}"}]}`,
      ` {\n "lines" : [ { "sku" : "${sku}" ,\t"quantity" : 1.0 , "locationId":"${place}" } ],\r\n"ttlSeconds":6e1,"cartId":"\\u00431"} `,
      `{"lines":[{"sku":"${sku}","quantity":1.000,"locationId":"${place}"}],"ttlSeconds":0.6e2,"cartId":"C\\u0031"}`,
    ];
    const answers = [];
    for (const text of writings)
      answers.push(await shop.api.post<Reservation>('/v1/reservations', new RawBody(text), { key }));
    answers.push(
      await shop.api.post<Reservation>(
        '/v1/reservations',
        new RawBody(writings[1] ?? '', 'application/json; charset=utf-8'),
        { key },
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual([201, 201, 201, 201, 201]);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect((await shop.stock(sku, place)).held).toBe(1);
  });

  it('refuses the same key for another request: body, path or method', async () => {
    const sku = await shop.stocked({ [place]: 50 });
    const other = await shop.stocked({ [place]: 50 });
    const key = freshKey();
    bodyOf(await shop.tryMove(sku, place, 'RECEIPT', 5, {}, { key }), 201);
    const before = await shop.everything();

    const attempts = [
      shop.tryMove(sku, place, 'RECEIPT', 6, {}, { key }),
      shop.tryMove(sku, place, 'RETURN', 5, {}, { key }),
      shop.tryMove(sku, place, 'RECEIPT', 5, { reason: 'x' }, { key }),
      shop.tryMove(other, place, 'RECEIPT', 5, {}, { key }),
      shop.api.post(stockPath(sku, place, '/counts'), { counted: 5 }, { key }),
      shop.api.put(stockPath(sku, place, '/policy'), { safetyStock: 5 }, { key }),
      shop.tryReserve([{ sku, quantity: 1 }], {}, { key }),
    ];
    for (const attempt of attempts) problemOf(await attempt, 422, 'IDEMPOTENCY_KEY_REUSED');
    expect(await shop.everything()).toEqual(before);
  });

  it('tells apart lists in another order, text and number, empty and absent', async () => {
    const a = await shop.stocked({ [place]: 50 });
    const b = await shop.stocked({ [place]: 50 });
    const key = freshKey();
    const lines = [
      { sku: a, quantity: 1 },
      { sku: b, quantity: 1 },
    ];
    await shop.tryReserve(lines, {}, { key });
    problemOf(await shop.tryReserve([...lines].reverse(), {}, { key }), 422, 'IDEMPOTENCY_KEY_REUSED');
    problemOf(await shop.tryReserve(lines.slice(1), {}, { key }), 422, 'IDEMPOTENCY_KEY_REUSED');
  });

  it('keeps no refusal: the same request may succeed later under the same key', async () => {
    const sku = await shop.product();
    const key = freshKey();
    problemOf(await shop.tryReserve([{ sku, quantity: 1 }], {}, { key }), 409, 'INSUFFICIENT_STOCK');
    problemOf(await shop.tryReserve([{ sku: 'nothing', quantity: 1 }], {}, { key }), 422, 'UNKNOWN_PRODUCT');
    problemOf(await shop.tryReserve([{ sku, quantity: 0 }], {}, { key }), 400, 'VALIDATION_FAILED');
    await shop.receive(sku, place, 1);
    const made = await shop.tryReserve([{ sku, quantity: 1 }], {}, { key });
    expect([made.status, made.headers['idempotency-replayed']]).toEqual([201, undefined]);
  });

  it('executes repeats that come at the same moment once', async () => {
    const sku = await shop.stocked({ [place]: 100 });
    const key = freshKey();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => shop.tryReserve([{ sku, quantity: 3 }], {}, { key })),
    );
    expect(new Set(answers.map((answer) => `${answer.status} ${answer.text} ${answer.headers.etag}`)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers['idempotency-replayed'] === 'true')).toHaveLength(19);
    expect((await shop.stock(sku, place)).held).toBe(3);
  });

  it('lets one of several different requests win that come at the same moment', async () => {
    const sku = await shop.stocked({ [place]: 1000 });
    const key = freshKey();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => shop.tryReserve([{ sku, quantity: i + 1 }], {}, { key })),
    );
    const made = answers.filter((answer) => answer.status === 201);
    expect(made).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 201))
      problemOf(answer, 422, 'IDEMPOTENCY_KEY_REUSED');
    expect((await shop.stock(sku, place)).held).toBe(made[0]?.body.lines[0]?.quantity);
  });

  it('replays before it looks at If-Match, state or stock', async () => {
    const sku = await shop.stocked({ [place]: 5 });
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    const options = { key: freshKey(), headers: { 'if-match': '"1"' } };
    const first = await shop.tryUpdate(id, [{ sku, quantity: 5 }], {}, options);
    expect(first.status).toBe(200);
    await shop.confirm(id);
    const again = await shop.tryUpdate(id, [{ sku, quantity: 5 }], {}, options);
    expect([again.status, again.text]).toEqual([200, first.text]);
  });

  it('is forgotten after IDEMPOTENCY_KEY_HOURS, not a minute before', async () => {
    const sku = await shop.product();
    const key = freshKey();
    const receive = () => shop.tryMove(sku, place, 'RECEIPT', 5, {}, { key });
    const first = bodyOf(await receive(), 201);
    shop.clock.advanceSeconds(24 * 3600 - 60);
    expect(bodyOf(await receive(), 201)).toEqual(first);
    shop.clock.advanceSeconds(120);
    const second = bodyOf(await receive(), 201);
    expect(second.movementId).not.toBe(first.movementId);
    expect(second.stock.onHand).toBe(10);
    // And the new answer is kept as the first one was.
    expect(bodyOf(await receive(), 201)).toEqual(second);
    shop.clock.advanceSeconds(24 * 3600 + 60);
    expect(bodyOf(await shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key }), 201).stock.onHand).toBe(11);
  });

  describe('as a header', () => {
    const paths = () =>
      [
        ['/v1/reservations', { lines: [{ sku: 'a', quantity: 1 }] }],
        [stockPath('a', place, '/movements'), { type: 'RECEIPT', quantity: 1 }],
        [stockPath('a', place, '/counts'), { counted: 1 }],
      ] as const;

    it('is required where something is created or added', async () => {
      for (const [path, body] of paths()) {
        problemOf(await shop.api.post(path, body, { key: null }), 400, 'IDEMPOTENCY_KEY_MISSING');
        problemOf(await shop.api.post(path, body, { key: '' }), 400, 'IDEMPOTENCY_KEY_MISSING');
      }
    });

    it.each([
      ['256 characters', 'k'.repeat(256)],
      ['a letter with an accent', 'clé'],
      ['a tab', 'a\tb'],
    ])('is refused with %s', async (_what, key) => {
      for (const [path, body] of paths()) {
        const problem = problemOf(await shop.api.post(path, body, { key }), 400, 'VALIDATION_FAILED');
        expect(problem.errors).toMatchObject([{ field: 'Idempotency-Key' }]);
      }
      const put = await shop.api.put('/v1/products/keyed', { name: 'x' }, { key });
      problemOf(put, 400, 'VALIDATION_FAILED');
    });

    it('is refused when it is sent twice', async () => {
      const body = { type: 'RECEIPT', quantity: 1 };
      const options = { key: null, headers: { 'idempotency-key': ['one', 'two'] } };
      problemOf(await shop.api.post(stockPath('a', place, '/movements'), body, options), 400, 'VALIDATION_FAILED');
    });

    it('may be any 255 printable characters', async () => {
      const sku = await shop.product();
      const printable = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).join('');
      for (const key of [
        printable,
        'k'.repeat(255),
        'x',
        '"quoted key"',
        "'; DROP TABLE idempotency_keys;--",
        '__proto__',
      ]) {
        const first = await shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key });
        const again = await shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key });
        expect([key, first.status, again.text]).toEqual([key, 201, first.text]);
      }
      expect((await shop.stock(sku, place)).onHand).toBe(6);
    });

    it('tells keys apart by case', async () => {
      const sku = await shop.product();
      await shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key: 'CaseKey' });
      await shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key: 'casekey' });
      expect((await shop.stock(sku, place)).onHand).toBe(2);
    });
  });
});
