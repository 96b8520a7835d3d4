import { type Answer, problemOf } from '../support/http.ts';
import type { ShelfStatus } from '../../src/modules/agent/contract.ts';
import { eventually } from '../support/eventually.ts';
import { FakeCentre } from '../support/fake-centre.ts';
import type { AgentHealth } from '../support/start-agent.ts';
import { describeOnSmallDisk } from '../support/small-disk.ts';
import { agentOf, ServerProcess } from '../support/start-process.ts';

const DISK_BYTES = 16 * 1024 * 1024;
/** What is left when the disk is nearly full: room for some sales, not for many. */
const LEFT_BYTES = 256 * 1024;
const SKU = 'MUG';

describeOnSmallDisk('A store whose disk is full', DISK_BYTES, (disk) => {
  let centre: FakeCentre;
  let agent: ServerProcess;

  beforeAll(async () => {
    centre = await new FakeCentre().start();
    centre.addProduct(SKU);
    centre.move(SKU, 1000);
    const program = agentOf({ location: 'S1', central: centre.url, data: disk.folder });
    agent = await ServerProcess.start({ DISK_FREE_BYTES_MIN: '0' }, 64, program);
  });
  afterAll(async () => {
    await agent.kill();
    await centre.stop();
  });

  it('says so and records nothing by half, still tells what it has, and goes on when there is room', async () => {
    await eventually('they know each other', async () => {
      return (await agent.api.get<AgentHealth>('/health')).body.link.settled;
    });
    await centre.stop();
    disk.fill(LEFT_BYTES);
    let sold = 0;
    const sell = (): Promise<Answer> => agent.api.post('/sales', { sku: SKU, quantity: 1, reference: 'x'.repeat(400) });
    const refused = await eventually('the disk is full', async () => {
      const answer = await sell();
      if (answer.status === 201) sold += 1;
      return answer.status === 201 ? undefined : answer;
    });
    expect(sold).toBeGreaterThan(0);
    problemOf(refused, 503, 'UNAVAILABLE');

    // What it has, the centre gets, although the agent cannot note that it has it.
    await centre.start();
    await eventually('the centre has all of it', () => Promise.resolve(centre.received.length >= sold));
    expect((await agent.api.get<ShelfStatus>(`/stock/${SKU}`)).body.onHand).toBe(1000 - sold);

    disk.empty();
    await eventually('it sells again', async () => {
      const answer = await sell();
      if (answer.status === 201) sold += 1;
      return answer.status === 201;
    });
    await eventually('both agree', async () => {
      const { body } = await agent.api.get<ShelfStatus>(`/stock/${SKU}`);
      expect(body).toMatchObject({ onHand: 1000 - sold, pending: 0 });
      return true;
    });
    expect(centre.stockOf(SKU).onHand).toBe(1000 - sold);
    expect(centre.received).toHaveLength(sold);
  });
});
