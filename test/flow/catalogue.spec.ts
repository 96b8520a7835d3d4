import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { allPages, bodyOf, type Page, useShop } from '../support/shop.ts';

describeOnBothEngines('The catalogue', (engine) => {
  const shop = useShop(engine);

  describe('PUT /v1/locations/{locationId}', () => {
    it('creates with 201 and the documented defaults', async () => {
      const answer = await shop.api.put('/v1/locations/S1', { name: 'Main street', kind: 'STORE' });

      expect(answer.status).toBe(201);
      expect(answer.body).toEqual({
        locationId: 'S1',
        name: 'Main street',
        kind: 'STORE',
        priority: 100,
        sellsOnline: true,
        version: 1,
        createdAt: shop.clock.iso(),
        updatedAt: shop.clock.iso(),
      });
      expect(answer.headers.etag).toBe('"1"');
      expect((await shop.api.get('/v1/locations/S1')).body).toEqual(answer.body);
    });

    it('answers 200 to what is there already and leaves its version alone', async () => {
      const wanted = { name: 'Same', kind: 'WAREHOUSE', priority: 7, sellsOnline: false };
      const id = await shop.location(wanted);

      const again = await shop.api.put(`/v1/locations/${id}`, wanted);

      expect(again.status).toBe(200);
      expect(again.body).toMatchObject({ ...wanted, version: 1 });
    });

    it('replaces: what is left out goes back to its default', async () => {
      const id = await shop.location({ priority: 7, sellsOnline: false });
      shop.clock.advanceSeconds(5);

      const replaced = await shop.api.put(`/v1/locations/${id}`, { name: 'New', kind: 'STORE' });

      expect(replaced.status).toBe(200);
      expect(replaced.body).toMatchObject({ name: 'New', priority: 100, sellsOnline: true, version: 2 });
      expect(replaced.body).toMatchObject({ updatedAt: shop.clock.iso(), createdAt: shop.clock.iso(-5) });
    });

    it('tells ids apart by case', async () => {
      await shop.location({ name: 'lower' }, 'case-a');
      await shop.location({ name: 'upper' }, 'CASE-A');
      expect((await shop.api.get('/v1/locations/case-a')).body).toMatchObject({ name: 'lower' });
      expect((await shop.api.get('/v1/locations/CASE-A')).body).toMatchObject({ name: 'upper' });
    });

    it.each([
      ['no name', { kind: 'STORE' }, ['name']],
      ['no kind', { name: 'x' }, ['kind']],
      ['an empty body', {}, ['kind', 'name']],
      ['another kind', { name: 'x', kind: 'store' }, ['kind']],
      ['a priority below 0', { name: 'x', kind: 'STORE', priority: -1 }, ['priority']],
      ['a priority above 1000', { name: 'x', kind: 'STORE', priority: 1001 }, ['priority']],
      ['a priority in parts', { name: 'x', kind: 'STORE', priority: 1.5 }, ['priority']],
      ['a priority as text', { name: 'x', kind: 'STORE', priority: '1' }, ['priority']],
      ['sellsOnline as text', { name: 'x', kind: 'STORE', sellsOnline: 'true' }, ['sellsOnline']],
      ['sellsOnline as a number', { name: 'x', kind: 'STORE', sellsOnline: 1 }, ['sellsOnline']],
      ['an unknown field', { name: 'x', kind: 'STORE', colour: 'red' }, ['colour']],
      ['several faults, all listed', { name: 5, kind: 'X', priority: 'p', y: 1 }, ['kind', 'name', 'priority', 'y']],
    ])('refuses %s', async (_what, body, fields) => {
      const problem = problemOf(await shop.api.put('/v1/locations/never', body), 400, 'VALIDATION_FAILED');
      const errors = problem.errors as { field: string; message: string }[];
      expect([...new Set(errors.map((error) => error.field))].sort()).toEqual(fields);
      expect(errors.every((error) => error.message.length > 0)).toBe(true);
      expect((await shop.api.get('/v1/locations/never')).status).toBe(404);
    });

    it('takes both ends of every range', async () => {
      for (const fields of [{ priority: 0 }, { priority: 1000 }, { name: 'n' }, { name: 'n'.repeat(500) }]) {
        const id = await shop.location(fields);
        expect((await shop.api.get(`/v1/locations/${id}`)).body).toMatchObject(fields);
      }
    });

    it('keeps names in any script as they came', async () => {
      for (const name of ['Café „Zürich“ 🛒', '東京店', 'نقطة بيع', "Robert'); DROP TABLE locations;--", '%_\\']) {
        const id = await shop.location({ name });
        expect((await shop.api.get(`/v1/locations/${id}`)).body).toMatchObject({ name });
      }
    });
  });

  describe('PUT /v1/products/{sku}', () => {
    it('creates with 201 and the documented defaults', async () => {
      const answer = await shop.api.put('/v1/products/TEA-1', { name: 'Tea' });

      expect(answer.status).toBe(201);
      expect(answer.body).toEqual({
        sku: 'TEA-1',
        name: 'Tea',
        lowStockThreshold: null,
        active: true,
        version: 1,
        createdAt: shop.clock.iso(),
        updatedAt: shop.clock.iso(),
      });
      expect(answer.headers.etag).toBe('"1"');
      expect((await shop.api.get('/v1/products/TEA-1')).body).toEqual(answer.body);
    });

    it('replaces: what is left out goes back to its default', async () => {
      const sku = await shop.product({ lowStockThreshold: 5, active: false });
      const replaced = await shop.api.put(`/v1/products/${sku}`, { name: 'Plain' });
      expect(replaced.status).toBe(200);
      expect(replaced.body).toMatchObject({ name: 'Plain', lowStockThreshold: null, active: true, version: 2 });
    });

    it.each([
      ['no name', {}, 'name'],
      ['a threshold below 0', { name: 'x', lowStockThreshold: -1 }, 'lowStockThreshold'],
      ['a threshold in parts', { name: 'x', lowStockThreshold: 0.5 }, 'lowStockThreshold'],
      ['a threshold as text', { name: 'x', lowStockThreshold: '3' }, 'lowStockThreshold'],
      ['active as null-like text', { name: 'x', active: 'null' }, 'active'],
      ['a name of 501 characters', { name: 'n'.repeat(501) }, 'name'],
      ['the sku in the body', { name: 'x', sku: 'never' }, 'sku'],
    ])('refuses %s', async (_what, body, field) => {
      const problem = problemOf(await shop.api.put('/v1/products/never', body), 400, 'VALIDATION_FAILED');
      expect(problem.errors).toEqual([{ field, message: expect.any(String) as string }]);
    });

    it('takes every id of the alphabet, also names that objects are born with', async () => {
      const ids = [
        'a',
        'Z'.repeat(64),
        'a.b_c:d-e',
        '...',
        '0',
        '-',
        '__proto__',
        'constructor',
        'toString',
        'hasOwnProperty',
      ];
      for (const sku of ids) {
        await shop.product({ name: `It is ${sku}` }, sku);
        expect((await shop.api.get(`/v1/products/${sku}`)).body).toMatchObject({ sku, name: `It is ${sku}` });
      }
    });
  });

  it.each([
    ['too long', 'x'.repeat(65)],
    ['one dot', '.'],
    ['two dots', '..'],
    ['two dots in disguise', '%2e%2E'],
    ['a space', 'a%20b'],
    ['a slash in disguise', 'a%2Fb'],
    ['a letter with an accent', '%C3%A9'],
    ['a zero byte', 'a%00'],
    ['a line break', 'a%0Ab'],
    ['a plus', 'a+b'],
    ['a percent sign', '%25'],
    ['a wide look-alike', '%EF%BC%A1'],
  ])('refuses an id in the path with %s', async (_what, id) => {
    for (const path of [`/v1/locations/${id}`, `/v1/products/${id}`]) {
      problemOf(await shop.api.get(path), 400, 'VALIDATION_FAILED');
      problemOf(await shop.api.put(path, { name: 'x', kind: 'STORE' }), 400, 'VALIDATION_FAILED');
    }
  });

  it('knows nothing that was not put', async () => {
    problemOf(await shop.api.get('/v1/locations/nowhere'), 404, 'NOT_FOUND');
    problemOf(await shop.api.get('/v1/products/nothing'), 404, 'NOT_FOUND');
  });

  it.each(['locations', 'products'])('lists %s by id, page after page', async (list) => {
    // Code units decide, on both engines alike: capitals before small letters.
    const ids = ['zz.1', 'zz-1', 'zz_1', 'zz:1', 'zzA', 'zza', 'zz1', 'ZZ2', 'zz'];
    for (const id of ids) {
      await shop.api.put(`/v1/${list}/${id}`, { name: id, ...(list === 'locations' ? { kind: 'STORE' } : {}) });
    }
    type Named = { locationId?: string; sku?: string };
    const idOf = (item: Named) => item.locationId ?? item.sku ?? '';

    const all = await allPages<Named>(shop.api, `/v1/${list}`);
    const inTwos = await allPages<Named>(shop.api, `/v1/${list}`, 2);

    expect(all.map(idOf)).toEqual(all.map(idOf).sort());
    expect(inTwos).toEqual(all);
    expect(all.map(idOf)).toEqual(expect.arrayContaining(ids));
  });

  it('lists nothing as an empty page', async () => {
    const page = bodyOf(await shop.api.get<Page<unknown>>('/v1/stock?skus=TEA-1'));
    expect(page).toEqual({ items: [], nextCursor: null });
  });
});
