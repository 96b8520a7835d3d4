import { ApiContract } from '../support/api-contract.ts';
import { BadNetwork } from '../support/bad-network.ts';
import { type CentreOfStore, startFakeCentre, startRealCentre } from '../support/centre-of-store.ts';
import { eventually } from '../support/eventually.ts';
import { RunningAgent } from '../support/start-agent.ts';

/*
 * What a store and its centre promise each other, proved on the real centre; and on the fake, so that what other suites prove
 * with the fake holds for the real one.
 */

describe.each([
  ['the real centre', true, () => startRealCentre()],
  ['the fake centre', false, startFakeCentre],
])('A store agrees with %s', (_which, isReal, startCentre) => {
  let centre: CentreOfStore;
  let agent: RunningAgent;
  let network: BadNetwork;
  const faults: string[] = [];
  const calls = new Set<string>();
  let sku = '';
  let skus = 0;

  beforeAll(async () => {
    centre = await startCentre();
    network = await BadNetwork.before(centre.url);
    const contract = ApiContract.committed();
    network.onExchange = (exchange) => {
      calls.add(`${exchange.method} ${exchange.path.replace(/^\/v1\/sync\/stores\/S1/, '').replace(/\?.*/, '')}`);
      if (isReal) faults.push(...contract.faultsOf(exchange));
    };
    agent = await RunningAgent.start(network.url);
  });
  beforeEach(async () => {
    skus += 1;
    sku = `MUG-${skus}`;
    await centre.addProduct(sku);
    await centre.receive(sku, 20);
    await alike();
  });
  afterAll(async () => {
    await agent.close();
    await network.close();
    await centre.close();
  });

  /** Nothing is on its way any more, and both show the same. */
  async function alike(): Promise<void> {
    await eventually('store and centre agree', async () => {
      const { pending, ...shelf } = await agent.stock(sku);
      expect({ pending, ...shelf }).toEqual({ pending: 0, sku, ...(await centre.stock(sku)) });
      return true;
    });
  }

  async function record(path: string, body: object): Promise<void> {
    expect((await agent.api.post(path, body)).status).toBe(201);
  }

  it('on what the tills record', async () => {
    await record('/sales', { sku, quantity: 5, reference: 'T1-1' });
    await record('/returns', { sku, quantity: 1 });
    await record('/receipts', { sku, quantity: 4 });
    await alike();
    expect(await centre.stock(sku)).toMatchObject({ onHand: 20 });
    await record('/sales', { sku, quantity: 25 });
    await alike();
    expect(await centre.stock(sku)).toMatchObject({ onHand: -5, available: -5 });
  });

  it('on counts, with central changes before and after them', async () => {
    await centre.receive(sku, 3);
    await record('/counts', { sku, counted: 7 });
    await record('/sales', { sku, quantity: 1 });
    await centre.receive(sku, 2);
    await alike();
    await record('/counts', { sku, counted: 4, reference: 'shelf 7' });
    await alike();
    expect(await centre.stock(sku)).toMatchObject({ onHand: 4 });
  });

  it('on reservations: held, paid, handed over, given up', async () => {
    const taken = await centre.reserve(sku, 3);
    const given = await centre.reserve(sku, 2);
    await alike();
    expect(await agent.stock(sku)).toMatchObject({ held: 5, available: 15 });
    await centre.confirm(sku, taken);
    await alike();
    await record('/pickups', { reservationId: taken });
    await alike();
    await centre.cancel(sku, given);
    await alike();
    expect(await centre.stock(sku)).toEqual({ onHand: 17, held: 0, committed: 0, available: 17 });
  });

  it('on a reservation that is picked up before its confirmation has arrived', async () => {
    const reservation = await centre.reserve(sku, 3);
    await alike();
    const confirming = centre.confirm(sku, reservation);
    await confirming;
    await record('/pickups', { reservationId: reservation });
    await alike();
    expect(await centre.stock(sku)).toMatchObject({ onHand: 17, committed: 0 });
  });

  it('on a reservation that the centre hands over', async () => {
    const reservation = await centre.reserve(sku, 3);
    await centre.confirm(sku, reservation);
    await centre.fulfil(sku, reservation);
    await alike();
    expect(await agent.stock(sku)).toMatchObject({ onHand: 17, committed: 0 });
  });

  it('on what is set aside', async () => {
    await centre.setSafetyStock(sku, 4);
    await alike();
    expect(await agent.stock(sku)).toMatchObject({ onHand: 20, available: 16 });
  });

  it('on a product that the store sold before the centre knew it', async () => {
    sku = `${sku}-new`;
    await record('/sales', { sku, quantity: 2 });
    await eventually('the centre has it', async () => (await agent.stock(sku)).pending === 0);
    await centre.addProduct(sku);
    await alike();
    expect(await centre.stock(sku)).toMatchObject({ onHand: -2 });
  });

  it('when the agent is started again, and when it has lost its data', async () => {
    await record('/sales', { sku, quantity: 5 });
    await centre.reserve(sku, 2);
    agent = await agent.restart();
    await alike();
    await record('/sales', { sku, quantity: 1 });
    await alike();
    await agent.close();
    agent = await RunningAgent.start(network.url);
    await alike();
    await record('/sales', { sku, quantity: 1 });
    await alike();
    expect(await centre.stock(sku)).toEqual({ onHand: 13, held: 2, committed: 0, available: 11 });
  });

  it('in requests and answers that are all as the OpenAPI document of the centre says', () => {
    expect([...calls].sort()).toEqual(['GET ', 'GET /changes', 'GET /snapshot', 'POST /events', 'POST /streams']);
    expect(faults).toEqual([]);
  });
});
