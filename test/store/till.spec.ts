import { Metrics } from '../../src/shared/operations/metrics.ts';
import { metricsMeasured, metricsTold } from '../support/documented-metrics.ts';
import { FakeCentre } from '../support/fake-centre.ts';
import { eventually } from '../support/eventually.ts';
import { problemOf } from '../support/http.ts';
import { RunningAgent } from '../support/start-agent.ts';

describe('A store without its centre', () => {
  let agent: RunningAgent;

  beforeAll(async () => {
    const nobody = await new FakeCentre().start();
    await nobody.stop();
    agent = await RunningAgent.start(nobody.url);
  });
  afterAll(() => agent.close());

  it('records sales, returns, receipts and counts, and shows what is pending', async () => {
    expect((await agent.api.post('/receipts', { sku: 'MUG', quantity: 10 })).status).toBe(201);
    expect((await agent.api.post('/sales', { sku: 'MUG', quantity: 3, reference: 'T1-1' })).status).toBe(201);
    expect((await agent.api.post('/returns', { sku: 'MUG', quantity: 1 })).status).toBe(201);
    expect(await agent.stock('MUG')).toEqual({
      sku: 'MUG',
      onHand: 8,
      held: 0,
      committed: 0,
      available: 8,
      pending: 3,
    });
    const counted = await agent.api.post('/counts', { sku: 'MUG', counted: 5, reference: 'shelf 4' });
    expect(counted.status).toBe(201);
    expect(counted.body).toMatchObject({ stock: { onHand: 5 } });
  });

  it('records what nobody knows, also below zero', async () => {
    await agent.sell('NEVER-HEARD-OF', 4);
    expect(await agent.stock('NEVER-HEARD-OF')).toMatchObject({ onHand: -4, available: -4, pending: 1 });
    expect(await agent.stock('OTHER')).toMatchObject({ onHand: 0, pending: 0 });
  });

  it('records a pickup that it has not heard of, once', async () => {
    const first = await agent.api.post('/pickups', { reservationId: 'r-1' });
    const second = await agent.api.post<{ eventId: string }>('/pickups', { reservationId: 'r-1' });
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body).toEqual(first.body);
  });

  it('answers a repeat under the same key as the first time, and records it once', async () => {
    const sale = { sku: 'KEYED', quantity: 2 };
    const first = await agent.api.post('/sales', sale, { key: 'till-1-77' });
    const again = await agent.api.post('/sales', sale, { key: 'till-1-77' });
    expect(again.text).toBe(first.text);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await agent.stock('KEYED')).toMatchObject({ onHand: -2, pending: 1 });
    problemOf(
      await agent.api.post('/sales', { sku: 'KEYED', quantity: 3 }, { key: 'till-1-77' }),
      422,
      'IDEMPOTENCY_KEY_REUSED',
    );
  });

  it('needs no key', async () => {
    expect((await agent.api.post('/sales', { sku: 'NO-KEY', quantity: 1 }, { key: null })).status).toBe(201);
  });

  it.each([
    ['/sales', { sku: 'A', quantity: 0 }],
    ['/sales', { sku: 'A', quantity: 1.5 }],
    ['/sales', { sku: 'A' }],
    ['/sales', { sku: 'A b', quantity: 1 }],
    ['/sales', { sku: 'A', quantity: 1, extra: true }],
    ['/returns', { sku: 'A', quantity: 1_000_001 }],
    ['/receipts', { sku: 'A', quantity: '1' }],
    ['/counts', { sku: 'A', counted: -1 }],
    ['/pickups', {}],
  ])('refuses %s %j, which is not well formed', async (path, body) => {
    problemOf(await agent.api.post(path, body), 400, 'VALIDATION_FAILED');
  });

  it('is healthy, and says that the centre is away', async () => {
    await eventually('it has noticed', async () => (await agent.health()).link.state === 'AWAY');
    const answer = await agent.api.get('/health');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ status: 'ok', locationId: 'S1', link: { epoch: null, settled: false } });
    // A busy machine is not ready now and then.
    await eventually('it is ready', async () => (await agent.api.get('/health/ready')).status === 200);
    expect((await agent.api.get('/metrics')).text).toMatch(/^store_pending_events \d+$/m);
  });

  it('is told in docs/operations.md what each metric is that the centre does not have, both ways', async () => {
    const { text } = await agent.api.get('/metrics');
    const own = metricsMeasured(text, agent.app.get(Metrics, { strict: false })).filter((line) =>
      line.startsWith('store_'),
    );
    expect(own.length).toBeGreaterThan(5);
    expect(metricsTold('agent')).toEqual(own);
  });

  it('documents itself', async () => {
    const { body } = await agent.api.get<{ info: { title: string }; paths: object }>('/openapi.json');
    expect(body.info.title).toBe('Holdfast: the agent of a store');
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        '/sales',
        '/returns',
        '/receipts',
        '/counts',
        '/pickups',
        '/stock/{sku}',
        '/reservations',
      ]),
    );
  });

  it('refuses to start on the data of another store', async () => {
    const { folder, central } = agent;
    await agent.stop();
    await expect(RunningAgent.start(central, {}, folder, 'S2')).rejects.toThrow('are those of S1');
    agent = await RunningAgent.start(central, {}, folder);
  });

  it('still has everything when it is started again', async () => {
    const before = await agent.stock('MUG');
    agent = await agent.restart();
    expect(await agent.stock('MUG')).toEqual(before);
  });
});
