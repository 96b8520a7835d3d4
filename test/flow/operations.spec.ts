import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Metrics } from '../../src/shared/operations/metrics.ts';
import { metricsMeasured, metricsTold } from '../support/documented-metrics.ts';
import { eventually } from '../support/eventually.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { useShop } from '../support/shop.ts';

const PAGE = readFileSync(join(__dirname, '../../docs/operations.md'), 'utf8');

describeOnBothEngines('What the operator sees', (engine) => {
  const shop = useShop(engine);

  async function counter(name: string, labels: Readonly<Record<string, string>>): Promise<number> {
    const { text } = await shop.api.get('/metrics');
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
    const found = lines.filter((line) =>
      Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)),
    );
    return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  it('is alive, and becomes ready once the start has let the event loop go', async () => {
    expect((await shop.api.get('/health/live')).status).toBe(200);
    const ready = await eventually('it is ready', async () => {
      const answer = await shop.api.get('/health/ready');
      return answer.status === 200 && answer;
    });
    expect(ready.headers['content-type']).toContain('json');
  });

  it('counts every transaction by type, status and store', async () => {
    const store = await shop.location();
    const sku = await shop.product();
    const count = (type: string, status = 'success') =>
      counter('inventory_transactions_total', { type, status, store });

    await shop.receive(sku, store, 10);
    await shop.tryMove(sku, store, 'SALE', 2);
    await shop.tryMove(sku, store, 'SALE', 99);
    await shop.tryMove(sku, store, 'RETURN', 1);
    await shop.tryMove(sku, store, 'WRITE_OFF', 1);
    await shop.tryMove(sku, store, 'ADJUSTMENT', -1);
    await shop.count(sku, store, 8);
    const lines = [{ sku, quantity: 1, locationId: store }];
    const paid = await shop.reserve(lines);
    await shop.confirm(paid.id);
    await shop.fulfil(paid.id);
    await shop.cancel((await shop.reserve(lines)).id);
    await shop.tryReserve([{ sku, quantity: 99, locationId: store }]);

    const successes = [
      'RECEIPT',
      'SALE',
      'RETURN',
      'WRITE_OFF',
      'ADJUSTMENT',
      'COUNT',
      'COMMIT',
      'FULFILMENT',
      'RELEASE',
    ];
    for (const type of successes) expect([type, await count(type)]).toEqual([type, 1]);
    expect(await count('HOLD')).toBe(2);
    expect(await count('SALE', 'refused')).toBe(1);
    expect(await count('HOLD', 'refused')).toBe(1);
  });

  it('counts a replay as nothing new', async () => {
    const store = await shop.location();
    const sku = await shop.product();
    for (let i = 0; i < 3; i++) await shop.tryMove(sku, store, 'RECEIPT', 1, {}, { key: `replayed-${engine}` });
    expect(await counter('inventory_transactions_total', { type: 'RECEIPT', store })).toBe(1);
  });

  it('measures requests by route and status, with bounded labels', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 1 });
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    for (let i = 0; i < 20; i++) await shop.api.get(`/v1/random-${i}/${i}`);

    const { text, headers } = await shop.api.get('/metrics');

    expect(headers['content-type']).toContain('text/plain');
    expect(
      await counter('http_request_duration_seconds_count', {
        method: 'POST',
        status: '201',
        route: '/v1/reservations',
      }),
    ).toBeGreaterThan(0);
    expect(await counter('http_request_duration_seconds_count', { status: '404' })).toBeGreaterThanOrEqual(20);
    for (const secret of [sku, id, 'random-7']) expect(text).not.toContain(secret);
    for (const name of [
      'unit_of_work_batch_works',
      'unit_of_work_commit_duration_seconds',
      'unit_of_work_queue_works',
      'unit_of_work_version_conflicts_total',
      'reservations_total',
      'inventory_oversold_items',
      'inventory_low_stock_items',
    ]) {
      expect(text).toContain(`# TYPE ${name} `);
    }
  });

  it('is told in docs/operations.md what each metric is, name, type and labels, both ways', async () => {
    const { text } = await shop.api.get('/metrics');
    const measured = metricsMeasured(text, shop.app.app.get(Metrics, { strict: false }));
    expect(measured.length).toBeGreaterThan(20);
    expect(metricsTold('centre')).toEqual(measured);
  });

  it('is told there what each check of /health/ready is', async () => {
    const { body } = await shop.api.get<{ checks: object }>('/health/ready');
    const table = /\| check .*?\n\n/s.exec(PAGE)?.[0] ?? '';
    const told = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    expect(told.sort()).toEqual([...Object.keys(body.checks), 'draining'].sort());
  });

  it('offers the API document with every route, and pages to try them', async () => {
    const { body } = await shop.api.get<{ openapi: string; paths: Record<string, object> }>('/openapi.json');
    expect(body.openapi).toMatch(/^3\./);
    const routes = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(routes).toEqual(
      expect.arrayContaining([
        'put /v1/locations/{locationId}',
        'get /v1/locations/{locationId}',
        'get /v1/locations',
        'put /v1/products/{sku}',
        'get /v1/products/{sku}',
        'get /v1/products',
        'get /v1/stock',
        'get /v1/stock/{sku}',
        'get /v1/stock/{sku}/{locationId}',
        'post /v1/stock/{sku}/{locationId}/movements',
        'get /v1/stock/{sku}/{locationId}/movements',
        'post /v1/stock/{sku}/{locationId}/counts',
        'put /v1/stock/{sku}/{locationId}/policy',
        'post /v1/reservations',
        'get /v1/reservations',
        'get /v1/reservations/{id}',
        'put /v1/reservations/{id}/lines',
        'post /v1/reservations/{id}/refresh',
        'post /v1/reservations/{id}/confirm',
        'post /v1/reservations/{id}/cancel',
        'post /v1/reservations/{id}/fulfil',
      ]),
    );
    const page = await shop.api.get('/docs');
    expect([page.status, page.text.includes('swagger-ui')]).toEqual([200, true]);
  });
});
