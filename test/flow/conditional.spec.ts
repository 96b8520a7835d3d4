import { freshKey, problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { type Reservation, stockPath, useShop } from '../support/shop.ts';

describeOnBothEngines('ETag, If-None-Match and If-Match', (engine) => {
  const shop = useShop(engine);
  let place: string;

  beforeAll(async () => {
    place = await shop.location();
  });

  const versionIn = (etag: string | undefined) => /^"(\d+)(\.[A-Za-z0-9_-]+)?"$/.exec(etag ?? '')?.[1];

  async function everySingleRead(): Promise<string[]> {
    const sku = await shop.stocked({ [place]: 5 });
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    const transfer = await shop.dispatch(sku, place, await shop.location(), 1);
    return [
      `/v1/locations/${place}`,
      `/v1/products/${sku}`,
      stockPath(sku, place),
      `/v1/reservations/${id}`,
      `/v1/transfers/${transfer.id}`,
    ];
  }

  it('tags every single read with its version', async () => {
    for (const path of await everySingleRead()) {
      const { headers, body } = await shop.api.get<{ version: number }>(path);
      expect([path, versionIn(headers.etag)]).toEqual([path, String(body.version)]);
    }
  });

  it('answers 304 without a body to who has it already, by any spelling of the tag', async () => {
    for (const path of await everySingleRead()) {
      const { etag = '' } = (await shop.api.get(path)).headers;
      for (const header of [etag, `W/${etag}`, `"x", ${etag}`, `${etag},"y"`, '*', ` ${etag} `]) {
        const answer = await shop.api.get(path, { 'if-none-match': header });
        expect([path, header, answer.status, answer.text, answer.headers.etag]).toEqual([path, header, 304, '', etag]);
        expect(answer.headers['x-correlation-id']).toBeDefined();
      }
    }
  });

  it('answers in full to who has something else', async () => {
    for (const path of await everySingleRead()) {
      for (const header of ['"0"', '"999"', '"x"', 'W/"y"', '"a","b"']) {
        expect((await shop.api.get(path, { 'if-none-match': header })).status).toBe(200);
      }
    }
  });

  it('changes the tag with every change', async () => {
    const sku = await shop.stocked({ [place]: 9 });
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    const tagOf = async (path: string) => (await shop.api.get(path)).headers.etag;
    const item = [await tagOf(stockPath(sku, place))];
    const reservation = [await tagOf(`/v1/reservations/${id}`)];
    const note = async () => {
      item.push(await tagOf(stockPath(sku, place)));
      reservation.push(await tagOf(`/v1/reservations/${id}`));
    };
    await shop.update(id, [{ sku, quantity: 2 }]);
    await note();
    await shop.confirm(id);
    await note();
    await shop.fulfil(id);
    await note();
    expect(new Set(item).size).toBe(4);
    expect(new Set(reservation).size).toBe(4);
  });

  it('gives the answer of a change the tag that the next read has', async () => {
    const sku = await shop.stocked({ [place]: 9 });
    const made = await shop.tryReserve([{ sku, quantity: 1 }]);
    const url = `/v1/reservations/${made.body.id}`;
    const read = async () => (await shop.api.get(url)).headers.etag;
    expect(made.headers.etag).toBe(await read());
    expect((await shop.tryUpdate(made.body.id, [{ sku, quantity: 2 }])).headers.etag).toBe(await read());
    expect((await shop.tryTo('refresh', made.body.id)).headers.etag).toBe(await read());
    expect((await shop.tryTo('confirm', made.body.id, { orderId: 'o' })).headers.etag).toBe(await read());
    const sent = await shop.tryDispatch(sku, place, await shop.location(), 1);
    const transfer = async () => (await shop.api.get(`/v1/transfers/${sent.body.id}`)).headers.etag;
    expect(sent.headers.etag).toBe(await transfer());
    expect((await shop.tryEnd('receive', sent.body.id)).headers.etag).toBe(await transfer());
    const policy = await shop.api.put(stockPath(sku, place, '/policy'), { safetyStock: 1 });
    expect(policy.headers.etag).toBe((await shop.api.get(stockPath(sku, place))).headers.etag);
  });

  /** Every change of one resource: how to make one, and the request that changes it. */
  async function everyChange(): Promise<[string, string, object, string][]> {
    const sku = await shop.stocked({ [place]: 50 });
    const other = await shop.location();
    const reserve = async () => {
      const { id } = await shop.reserve([{ sku, quantity: 1 }]);
      return `/v1/reservations/${id}`;
    };
    const [lines, refresh, confirm, cancel] = [await reserve(), await reserve(), await reserve(), await reserve()];
    const paid = await shop.reserve([{ sku, quantity: 1 }]);
    await shop.confirm(paid.id);
    const fulfil = `/v1/reservations/${paid.id}`;
    const dispatch = async () => `/v1/transfers/${(await shop.dispatch(sku, place, other, 1)).id}`;
    const [received, returned] = [await dispatch(), await dispatch()];
    return [
      ['PUT', `/v1/locations/${other}`, { name: 'new', kind: 'STORE' }, `/v1/locations/${other}`],
      ['PUT', `/v1/products/${sku}`, { name: 'new' }, `/v1/products/${sku}`],
      ['PUT', `${lines}/lines`, { lines: [{ sku, quantity: 2 }] }, lines],
      ['POST', `${refresh}/refresh`, {}, refresh],
      ['POST', `${confirm}/confirm`, { orderId: 'o' }, confirm],
      ['POST', `${cancel}/cancel`, {}, cancel],
      ['POST', `${fulfil}/fulfil`, {}, fulfil],
      ['POST', `${received}/receive`, { quantity: 0 }, received],
      ['POST', `${returned}/cancel`, {}, returned],
      ['PUT', stockPath(sku, place, '/policy'), { safetyStock: 3 }, stockPath(sku, place)],
      ['POST', stockPath(sku, place, '/movements'), { type: 'RECEIPT', quantity: 1 }, stockPath(sku, place)],
      ['POST', stockPath(sku, place, '/counts'), { counted: 50 }, stockPath(sku, place)],
    ];
  }

  it('refuses a change of what has changed since, and changes nothing', async () => {
    for (const [method, path, body, resource] of await everyChange()) {
      const before = await shop.api.get<{ version: number }>(resource);
      const { version } = before.body;
      for (const stale of [
        `"${version - 1}"`,
        `"${version + 1}"`,
        `"${version + 1}.abc"`,
        `"${version + 1}", "77"`,
        '"9007199254740991"',
      ]) {
        const answer = await shop.api.send(method, path, body, {
          key: shop.name('key'),
          headers: { 'if-match': stale },
        });
        expect([path, stale, answer.status]).toEqual([path, stale, 412]);
        problemOf(answer, 412, 'VERSION_MISMATCH');
      }
      expect((await shop.api.get(resource)).text).toBe(before.text);
    }
  });

  it('lets a change through that names the version: the whole tag, the number alone, a list or *', async () => {
    for (const spelling of [
      (tag: string) => tag,
      (tag: string) => `"${versionIn(tag)}"`,
      (tag: string) => `"${versionIn(tag)}.other-hash"`,
      (tag: string) => `"999", ${tag}`,
      () => '*',
    ]) {
      for (const [method, path, body, resource] of await everyChange()) {
        const header = spelling((await shop.api.get(resource)).headers.etag ?? '');
        const answer = await shop.api.send(method, path, body, {
          key: shop.name('key'),
          headers: { 'if-match': header },
        });
        expect([path, header, answer.status < 300]).toEqual([path, header, true]);
      }
    }
  });

  it('never matches a weak tag, and calls a malformed one malformed', async () => {
    const sku = await shop.stocked({ [place]: 5 });
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    const cancel = (header: string) =>
      shop.api.send('POST', `/v1/reservations/${id}/cancel`, {}, { headers: { 'if-match': header } });
    problemOf(await cancel('W/"1"'), 412, 'VERSION_MISMATCH');
    for (const header of ['1', '"1', "'1'", '"1" "2"', ',', 'x', '"1";']) {
      const problem = problemOf(await cancel(header), 400, 'VALIDATION_FAILED');
      expect(problem.errors).toMatchObject([{ field: 'If-Match' }]);
    }
    expect((await shop.reservation(id)).status).toBe('ACTIVE');
  });

  it('refuses to change what is not there yet', async () => {
    const body = { name: 'x', kind: 'STORE' };
    for (const header of ['*', '"1"']) {
      const answer = await shop.api.put('/v1/locations/not-yet', body, { headers: { 'if-match': header } });
      problemOf(answer, 412, 'VERSION_MISMATCH');
    }
    expect((await shop.api.get('/v1/locations/not-yet')).status).toBe(404);
  });

  it('lets one of many win who change the same version', async () => {
    const sku = await shop.stocked({ [place]: 50 });
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        shop.tryUpdate(id, [{ sku, quantity: i + 1 }], {}, { headers: { 'if-match': '"1"' } }),
      ),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 412)]);
    const winner = answers.find((answer) => answer.status === 200)?.body;
    expect(await shop.reservation(id)).toEqual(winner);
    expect((await shop.stock(sku, place)).held).toBe(winner?.lines[0]?.quantity);
  });

  it('makes a location or a product only once, when it is asked to make and not to replace', async () => {
    const onlyNew = { headers: { 'if-none-match': '*' } };
    const bodies = { locations: { name: 'x', kind: 'STORE' }, products: { name: 'x' } };
    for (const [kind, body] of Object.entries(bodies)) {
      const path = `/v1/${kind}/${shop.name('new')}`;
      const key = freshKey();
      expect((await shop.api.put(path, body, { ...onlyNew, key })).status).toBe(201);
      const other = { ...body, name: 'y' };
      expect(problemOf(await shop.api.put(path, other, onlyNew), 412, 'VERSION_MISMATCH')).toMatchObject({
        presentVersion: 1,
        detail: expect.stringContaining('If-None-Match') as string,
      });
      // A repeat is no second attempt.
      expect((await shop.api.put(path, body, { ...onlyNew, key })).headers['idempotency-replayed']).toBe('true');
      for (const malformed of ['"1"', 'W/"1"', '', 'x']) {
        const answer = await shop.api.put(path, other, { headers: { 'if-none-match': malformed } });
        problemOf(answer, 400, 'VALIDATION_FAILED');
      }
      const both = { headers: { 'if-none-match': '*', 'if-match': '*' } };
      problemOf(await shop.api.put(path, other, both), 412, 'VERSION_MISMATCH');
      problemOf(await shop.api.put(`/v1/${kind}/${shop.name('new')}`, other, both), 412, 'VERSION_MISMATCH');
      expect((await shop.api.get<{ name: string }>(path)).body.name).toBe('x');
    }
  });

  it('answers HEAD as GET, without the body', async () => {
    for (const path of await everySingleRead()) {
      const get = await shop.api.get<Reservation>(path);
      const head = await shop.api.send('HEAD', path);
      expect([head.status, head.text, head.headers.etag]).toEqual([200, '', get.headers.etag]);
      expect(
        (await shop.api.send('HEAD', path, undefined, { headers: { 'if-none-match': get.headers.etag } })).status,
      ).toBe(304);
    }
    expect((await shop.api.send('HEAD', '/v1/products/nothing')).status).toBe(404);
  });
});
