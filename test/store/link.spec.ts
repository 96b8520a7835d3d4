import { FakeCentre } from '../support/fake-centre.ts';
import { eventually } from '../support/eventually.ts';
import { Clock } from '../../src/shared/kernel/clock.ts';
import { Tidying } from '../../src/modules/agent/tidying.ts';
import { RunningAgent } from '../support/start-agent.ts';

const SKU = 'MUG';
const MS_PER_DAY = 86_400_000;

describe('A store and its centre', () => {
  let centre: FakeCentre;
  let agent: RunningAgent;

  beforeEach(async () => {
    centre = await new FakeCentre().start();
    centre.addProduct(SKU);
  });
  afterEach(async () => {
    await agent.close();
    await centre.stop();
  });

  async function startAgent(env: Record<string, string> = {}): Promise<void> {
    agent = await RunningAgent.start(centre.url, env);
  }

  async function expectAlike(...skus: string[]): Promise<void> {
    await eventually('shelf and centre are alike', async () => {
      for (const sku of skus) {
        const { pending, ...shelf } = await agent.stock(sku);
        expect({ ...shelf, pending }).toEqual({ sku, ...centre.stockOf(sku), pending: 0 });
      }
      return true;
    });
  }

  it('waits as long as a centre that has a limit asks for, and then tells everything', async () => {
    let refusals = 0;
    let lastMs = 0;
    const pausesMs: number[] = [];
    centre.intrude = (method, path) => {
      if (method !== 'POST' || path !== '/events') return undefined;
      if (lastMs > 0) pausesMs.push(performance.now() - lastMs);
      lastMs = performance.now();
      refusals += 1;
      const body = { code: 'RATE_LIMITED', detail: 'too many' };
      return refusals <= 2 ? { status: 429, body, headers: { 'retry-after': '1' } } : undefined;
    };
    centre.move(SKU, 10);
    await startAgent();
    await agent.sell(SKU, 3);
    await expectAlike(SKU);
    expect(pausesMs.length).toBeGreaterThanOrEqual(2);
    for (const pauseMs of pausesMs.slice(0, 2)) expect(pauseMs).toBeGreaterThanOrEqual(990);
    expect(centre.received).toHaveLength(1);
  });

  it('start from a snapshot, and hear of each other from then on', async () => {
    centre.move(SKU, 10);
    centre.hold(SKU, 'r-1', 2);
    await startAgent();
    await expectAlike(SKU);
    await agent.sell(SKU, 3);
    await expectAlike(SKU);
    centre.confirm(SKU, 'r-1');
    centre.hold(SKU, 'r-2', 1);
    centre.setSafetyStock(SKU, 1);
    await expectAlike(SKU);
    expect(await agent.stock(SKU)).toEqual({ sku: SKU, onHand: 7, held: 1, committed: 2, available: 3, pending: 0 });
    const { body } = await agent.api.get('/reservations');
    expect(body).toEqual({
      items: [
        { reservationId: 'r-1', lines: [{ sku: SKU, held: 0, committed: 2, expiresAt: '2030-01-01T00:00:00.000Z' }] },
        { reservationId: 'r-2', lines: [{ sku: SKU, held: 1, committed: 0, expiresAt: '2030-01-01T00:00:00.000Z' }] },
      ],
    });
    centre.release(SKU, 'r-2');
    centre.fulfil(SKU, 'r-1');
    await expectAlike(SKU);
  });

  it('tell each other what happened while they were apart', async () => {
    centre.move(SKU, 10);
    await startAgent();
    await expectAlike(SKU);
    await centre.stop();
    for (let sale = 0; sale < 25; sale += 1) await agent.sell(SKU);
    expect(await agent.stock(SKU)).toMatchObject({ onHand: -15, pending: 25 });
    centre.move(SKU, 7);
    await centre.start();
    await expectAlike(SKU);
    expect(centre.stockOf(SKU).onHand).toBe(-8);
    expect(centre.received).toHaveLength(25);
  });

  it('put what was sold before the first contact on top of the snapshot', async () => {
    centre.move(SKU, 10);
    await centre.stop();
    await startAgent();
    await agent.sell(SKU, 4);
    expect((await agent.api.post('/counts', { sku: 'COUNTED', counted: 20 })).status).toBe(201);
    await agent.sell('COUNTED', 1);
    centre.move('COUNTED', 100);
    await centre.start();
    await expectAlike(SKU, 'COUNTED');
    expect(centre.stockOf(SKU).onHand).toBe(6);
    expect(centre.stockOf('COUNTED').onHand).toBe(19);
  });

  it('agree on a count, whatever the centre did at the same time', async () => {
    centre.move(SKU, 10);
    await startAgent();
    await expectAlike(SKU);
    // A count that is made before the feed has caught up with the snapshot would wait for a later place.
    await agent.quiet();
    await centre.stop();
    centre.move(SKU, 5);
    await agent.sell(SKU, 1);
    await agent.api.post('/counts', { sku: SKU, counted: 3 });
    await agent.sell(SKU, 1);
    await centre.start();
    await expectAlike(SKU);
    expect(centre.stockOf(SKU).onHand).toBe(7);
  });

  it.each([
    [
      'known here as confirmed',
      async (at: FakeCentre, of: RunningAgent) => {
        at.confirm(SKU, 'r-1');
        await eventually('it is known', async () => (await of.stock(SKU)).committed === 2);
        await of.api.post('/pickups', { reservationId: 'r-1' });
      },
    ],
    [
      'whose confirmation is on its way',
      async (at: FakeCentre, of: RunningAgent) => {
        await at.stop();
        at.confirm(SKU, 'r-1');
        await of.api.post('/pickups', { reservationId: 'r-1' });
        await at.start();
      },
    ],
    [
      'that the centre has fulfilled meanwhile',
      async (at: FakeCentre, of: RunningAgent) => {
        at.confirm(SKU, 'r-1');
        await eventually('it is known', async () => (await of.stock(SKU)).committed === 2);
        await at.stop();
        await of.api.post('/pickups', { reservationId: 'r-1' });
        at.fulfil(SKU, 'r-1');
        await at.start();
      },
    ],
  ])('agree on the pickup of a reservation %s', async (_which, story) => {
    centre.move(SKU, 10);
    await startAgent();
    centre.hold(SKU, 'r-1', 2);
    await eventually('the hold is known', async () => (await agent.stock(SKU)).held === 2);
    await story(centre, agent);
    await eventually('it has left', async () => (await agent.stock(SKU)).onHand === 8);
    await expectAlike(SKU);
    expect(centre.stockOf(SKU)).toEqual({ onHand: 8, held: 0, committed: 0, available: 8 });
  });

  it('keep what the centre does not know until it does', async () => {
    await startAgent();
    await agent.sell('NEW', 2);
    await eventually('it is dead', async () => (await agent.health()).link.deadEvents === 1);
    expect(await agent.stock('NEW')).toMatchObject({ onHand: -2, pending: 0 });
    await agent.sell(SKU, 1);
    await expectAlike(SKU);
    centre.addProduct('NEW');
    await expectAlike('NEW');
  });

  it('go on in a new epoch when the agent is started again, and send again what was not acknowledged', async () => {
    centre.move(SKU, 10);
    await startAgent();
    await expectAlike(SKU);
    // The centre takes the events, and nobody hears of it.
    centre.intrude = (_method, path) => (path === '/events' ? 'cut' : undefined);
    await agent.sell(SKU, 1);
    await agent.sell(SKU, 2);
    agent = await agent.restart();
    centre.intrude = () => undefined;
    await expectAlike(SKU);
    expect((await agent.health()).link.epoch).toBe(2);
    expect(centre.stockOf(SKU).onHand).toBe(7);
  });

  it('fill a hole by sending what is missing', async () => {
    await startAgent();
    await agent.quiet();
    const sent: number[][] = [];
    let lost = 0;
    centre.intrude = (_method, path, body) => {
      if (path !== '/events') return undefined;
      const { events } = body as { events: { sequence: number }[] };
      sent.push(events.map(({ sequence }) => sequence));
      // Once, the answer says that two of them got lost, although later ones are there.
      if (events.length < 4 || lost > 0) return undefined;
      lost = sent.length;
      return { status: 200, body: { results: [], nextSequence: 2, missing: [[2, 3]] } };
    };
    await centre.stop();
    for (let sale = 0; sale < 6; sale += 1) await agent.sell(SKU);
    await centre.start();
    await eventually('it was asked again', async () => lost > 0 && sent.length > lost);
    expect(sent[lost]).toEqual([2, 3]);
    await expectAlike(SKU);
  });

  it('begin anew from a snapshot when the cursor is gone', async () => {
    centre.move(SKU, 10);
    await startAgent();
    await expectAlike(SKU);
    await centre.stop();
    centre.move(SKU, 1);
    centre.move('OTHER', 3);
    centre.purgedThrough = centre.head;
    await agent.sell(SKU, 2);
    await centre.start();
    await expectAlike(SKU, 'OTHER');
    expect(centre.stockOf(SKU).onHand).toBe(9);
  });

  it('send everything again to a centre that has lost it', async () => {
    centre.move(SKU, 10);
    await startAgent();
    for (let sale = 0; sale < 3; sale += 1) await agent.sell(SKU);
    await expectAlike(SKU);
    await centre.stop();
    centre.forgetEverything();
    centre.move(SKU, 10);
    await agent.sell(SKU);
    await centre.start();
    await expectAlike(SKU);
    expect(centre.stockOf(SKU).onHand).toBe(6);
  });

  it('passes over what it does not understand, and takes a snapshot when it had to', async () => {
    centre.move(SKU, 10);
    await startAgent();
    await expectAlike(SKU);
    centre.tellSomethingNew(SKU);
    centre.tellSomethingNew(SKU, 'inventory.stock.moved');
    centre.move(SKU, 1);
    await expectAlike(SKU);
    await agent.quiet();
  });

  it('take the stream back from another agent, but not for ever', async () => {
    await startAgent({ STORE_TAKEOVERS_MAX: '2' });
    for (const epoch of [3, 5]) {
      await agent.quiet();
      centre.epoch += 1;
      await agent.sell(SKU);
      await eventually('it has a new epoch', async () => (await agent.health()).link.epoch === epoch);
    }
    await agent.quiet();
    centre.epoch += 1;
    await agent.sell(SKU);
    await eventually('it stands down', async () => (await agent.health()).link.state === 'SUPERSEDED');
    await agent.sell(SKU);
    expect(await agent.stock(SKU)).toMatchObject({ pending: 2 });
    agent = await agent.restart();
    await expectAlike(SKU);
    expect(centre.received).toHaveLength(4);
  });

  it('keep what was sent for a while, and never give up what was not', async () => {
    let now = Date.now();
    await startAgent();
    agent.app.get(Clock, { strict: false }).now = () => now;
    for (let sale = 0; sale < 3; sale += 1) await agent.sell(SKU);
    await expectAlike(SKU);
    now += 4 * MS_PER_DAY;
    await agent.sell(SKU);
    await agent.sell('NEVER-KNOWN');
    await agent.quiet();
    await centre.stop();
    await agent.sell(SKU);
    now += 4 * MS_PER_DAY;
    const tidying = agent.app.get(Tidying, { strict: false });
    await tidying.tidy();
    // Sent again to a centre that has lost everything: what is a week old is not, the rest is.
    centre.forgetEverything();
    centre.addProduct(SKU);
    await centre.start();
    await eventually('the rest is sent', async () => centre.received.length === 2);
    await agent.quiet();
    now += 8 * MS_PER_DAY;
    await tidying.tidy();
    await agent.sell(SKU);
    await expectAlike(SKU);
    expect(await agent.stock('NEVER-KNOWN')).toMatchObject({ onHand: -1 });
  });

  it('send less at a time on a line that is too slow for much', async () => {
    await startAgent({ STORE_CALL_MAX_MS: '150' });
    await agent.quiet();
    const sizes: number[] = [];
    centre.intrude = (_method, path, body) => {
      if (path !== '/events') return undefined;
      sizes.push((body as { events: unknown[] }).events.length);
      return (sizes.at(-1) ?? 0) > 3 ? 'silence' : undefined;
    };
    await centre.stop();
    for (let sale = 0; sale < 12; sale += 1) await agent.sell(SKU);
    await centre.start();
    await expectAlike(SKU);
    expect(sizes.filter((size) => size > 3).length).toBeGreaterThan(0);
  });

  it('know each other by the key of the store', async () => {
    centre.intrude = (_method, _path, _body, headers) =>
      headers['x-api-key'] === 'secret-key'
        ? undefined
        : { status: 401, body: { code: 'UNAUTHENTICATED', detail: 'Say who you are' } };
    await startAgent();
    await eventually('it is refused', async () => (await agent.health()).link.state === 'REFUSED');
    await agent.sell(SKU);
    agent = await agent.restart({ STORE_API_KEY: 'secret-key' });
    await expectAlike(SKU);
  });

  it('says what the centre refuses, and goes on when it does not any more', async () => {
    centre.intrude = (method, path) =>
      method === 'POST' && path === '/streams'
        ? { status: 404, body: { code: 'NOT_FOUND', detail: 'no S1' } }
        : undefined;
    await startAgent();
    await eventually('it is told', async () => (await agent.health()).link.state === 'REFUSED');
    expect((await agent.health()).link.problem).toContain('no S1');
    centre.intrude = () => undefined;
    await agent.quiet();
  });
});
