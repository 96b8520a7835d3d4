import fc from 'fast-check';
import { BadNetwork, type Fate } from '../support/bad-network.ts';
import { type RealCentre, startRealCentre } from '../support/centre-of-store.ts';
import { counts } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { SEED } from '../support/random.ts';
import { RunningAgent } from '../support/start-agent.ts';

/*
 * A network that loses, repeats, delays and reorders requests and answers, drawn from a seed. Whatever it does, the end is
 * that of the same story without it: the sums follow from the story alone.
 */

/** Of one of three skus: `sold` has everything but counts, `counted` nothing of the centre, `both` all of it. */
type Step =
  | { readonly kind: 'sale' | 'return' | 'receipt'; readonly sku: Sku; readonly units: number }
  | { readonly kind: 'count'; readonly sku: 'counted' | 'both'; readonly units: number }
  | { readonly kind: 'central receipt'; readonly sku: 'sold' | 'both'; readonly units: number }
  | { readonly kind: 'reserve' | 'confirm' | 'cancel' | 'pick up'; readonly sku: 'sold' | 'both' }
  | { readonly kind: 'restart' | 'cut' | 'heal' };

type Sku = (typeof SKUS)[number];
const SKUS = ['sold', 'counted', 'both'] as const;

const units = fc.integer({ min: 1, max: 9 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('sale', 'return', 'receipt'), sku: fc.constantFrom(...SKUS), units }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('count'), sku: fc.constantFrom('counted', 'both'), units }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('central receipt'), sku: fc.constantFrom('sold', 'both'), units }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('reserve', 'confirm', 'cancel', 'pick up'),
      sku: fc.constantFrom('sold', 'both'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('restart', 'cut', 'heal') }) },
);

const fate: fc.Arbitrary<Fate> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'arrives',
        'is lost',
        'is answered, and the answer is lost',
        'arrives twice',
        'is answered by half',
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('arrives late', 'is slow'), ms: fc.integer({ min: 1, max: 60 }) }),
  },
);

describe('A store behind a bad network', () => {
  let stores = 0;
  let centre: RealCentre;
  beforeAll(async () => {
    centre = await startRealCentre();
  });
  afterAll(() => centre.close());

  it('ends as behind a good one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 30 }),
        fc.array(fate, { maxLength: 40 }),
        async (story, fates) => {
          stores += 1;
          const run = await StoryRun.begin(await centre.withStore(`store-${stores}`), `store-${stores}`, fates);
          try {
            for (const one of story) await run.take(one);
            await run.expectTheEnd();
          } finally {
            await run.close();
          }
        },
      ),
      {
        seed: SEED,
        numRuns: counts(20, 1000),
        interruptAfterTimeLimit: counts(60_000, 3_000_000),
        markInterruptAsFailure: false,
      },
    );
  });
});

class StoryRun {
  private readonly expected = new Map<Sku, number>(SKUS.map((sku) => [sku, 0]));
  private readonly reservations = new Map<string, { id: string; isConfirmed: boolean; isPickedUp: boolean }[]>();

  private constructor(
    private agent: RunningAgent,
    private readonly centre: RealCentre,
    private readonly network: BadNetwork,
  ) {}

  static async begin(centre: RealCentre, locationId: string, fates: readonly Fate[]): Promise<StoryRun> {
    for (const sku of SKUS) await centre.addProduct(sku);
    const network = await BadNetwork.before(centre.url);
    network.expect(fates);
    const agent = await RunningAgent.start(network.url, { STORE_CALL_MAX_MS: '500' }, undefined, locationId);
    const run = new StoryRun(agent, centre, network);
    for (const sku of ['sold', 'both'] as const) await run.receiveAtCentre(sku, 50);
    return run;
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'sale':
      case 'return':
      case 'receipt':
        await this.record(`/${step.kind}s`, { sku: step.sku, quantity: step.units });
        this.expect(step.sku, step.kind === 'sale' ? -step.units : step.units);
        return;
      case 'count':
        await this.record('/counts', { sku: step.sku, counted: step.units });
        this.expected.set(step.sku, step.units);
        return;
      case 'central receipt':
        await this.receiveAtCentre(step.sku, step.units);
        return;
      case 'restart':
        this.agent = await this.agent.restart();
        return;
      case 'cut':
        this.network.cut();
        return;
      case 'heal':
        await this.network.heal();
        return;
      case 'reserve':
      case 'confirm':
      case 'cancel':
      case 'pick up':
        await this.takeReservation(step.kind, step.sku);
    }
  }

  /** Everything arrives now: both agree, and on what the story says where that does not depend on who was faster. */
  async expectTheEnd(): Promise<void> {
    await this.network.heal();
    for (const sku of SKUS) {
      await eventually(`both agree on ${sku}`, async () => {
        const { pending, ...shelf } = await this.agent.stock(sku);
        expect({ pending, ...shelf }).toEqual({ pending: 0, sku, ...(await this.centre.stock(sku)) });
        return true;
      });
    }
    for (const sku of ['sold', 'counted'] as const) {
      expect({ sku, onHand: (await this.centre.stock(sku)).onHand }).toEqual({ sku, onHand: this.expected.get(sku) });
    }
    const { link } = await this.agent.health();
    expect({ dead: link.deadEvents, conflicts: link.conflicts }).toEqual({ dead: 0, conflicts: 0 });
  }

  async close(): Promise<void> {
    await this.agent.close();
    await this.network.close();
  }

  private async takeReservation(
    kind: 'reserve' | 'confirm' | 'cancel' | 'pick up',
    sku: 'sold' | 'both',
  ): Promise<void> {
    const open = this.reservations.get(sku) ?? [];
    this.reservations.set(sku, open);
    const last = open.at(-1);
    if (kind === 'reserve') {
      if ((await this.centre.stock(sku)).available < 2) return;
      open.push({ id: await this.centre.reserve(sku, 2), isConfirmed: false, isPickedUp: false });
    } else if (last === undefined || last.isPickedUp) {
      return;
    } else if (kind === 'confirm') {
      if (!last.isConfirmed) await this.centre.confirm(sku, last.id);
      last.isConfirmed = true;
    } else if (kind === 'cancel') {
      await this.centre.cancel(sku, last.id);
      open.pop();
    } else if (last.isConfirmed) {
      await this.record('/pickups', { reservationId: last.id });
      last.isPickedUp = true;
      this.expect(sku, -2);
    }
  }

  private async receiveAtCentre(sku: 'sold' | 'both', received: number): Promise<void> {
    await this.centre.receive(sku, received);
    this.expect(sku, received);
  }

  private async record(path: string, body: object): Promise<void> {
    expect((await this.agent.api.post(path, body)).status).toBe(201);
  }

  private expect(sku: Sku, delta: number): void {
    this.expected.set(sku, (this.expected.get(sku) ?? 0) + delta);
  }
}
