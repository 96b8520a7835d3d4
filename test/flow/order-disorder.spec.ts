import fc from 'fast-check';
import { counts } from '../support/counts.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type Order, type OrderScript, OutsideShop, type SentOrderEvent } from '../support/order-events.ts';
import { SEED } from '../support/random.ts';
import { type Engine, describeOnBothEngines } from '../support/services.ts';
import { type Shop, useShop } from '../support/shop.ts';

/** What an order's events say, in the order of their versions. Stock is five units. */
type Said = 'created' | 'created too large' | 'adopted' | 'paid' | 'shipped' | 'nonsense' | 'cancelled';

interface Disorder {
  readonly said: readonly Said[];
  /** Versions as they arrive, each at least once. */
  readonly arrivals: readonly number[];
  /** After how many arrivals a call ends; the last one takes the rest. */
  readonly cuts: readonly number[];
}

const UNITS = 5;
const RUNS = { sqlite: counts(60, 1500), postgres: counts(15, 300) } as const;

const first = fc.constantFrom<Said>('created', 'created', 'created', 'adopted', 'created too large', 'nonsense');
const middle = fc.constantFrom<Said>('paid', 'paid', 'shipped', 'shipped', 'nonsense', 'created');

/** Most begin as orders do. A cancellation comes last, if one comes: what follows it has a test of its own. */
const stories = fc
  .tuple(first, fc.array(middle, { maxLength: 5 }), fc.boolean())
  .map(([begin, then, cancelled]): Said[] => [begin, ...then, ...(cancelled ? (['cancelled'] as const) : [])]);

function disorderOf(said: readonly Said[]): fc.Arbitrary<Disorder> {
  const versions = said.map((_, index) => index + 1);
  return fc.array(fc.constantFrom(...versions), { maxLength: 4 }).chain((again) =>
    fc.record({
      said: fc.constant(said),
      arrivals: fc.shuffledSubarray([...versions, ...again], { minLength: versions.length + again.length }),
      cuts: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 6 }),
    }),
  );
}

class Twin {
  sku = '';
  private reservationId = '';

  constructor(
    private readonly shop: Shop,
    private readonly outside: OutsideShop,
    private readonly place: string,
    readonly order: OrderScript,
  ) {}

  async prepare(): Promise<void> {
    this.sku = await this.shop.stocked({ [this.place]: UNITS });
    this.reservationId = (await this.shop.reserve([{ sku: this.sku, quantity: 1 }])).id;
  }

  event(said: Said, version: number): SentOrderEvent {
    const { order, sku } = this;
    switch (said) {
      case 'created':
        return order.created(version, [{ sku, quantity: 2 }]);
      case 'created too large':
        return order.created(version, [{ sku, quantity: UNITS + 1 }]);
      case 'adopted':
        return order.adopted(version, this.reservationId);
      case 'nonsense':
        return order.event(version, 'order.sneezed');
      case 'paid':
      case 'shipped':
      case 'cancelled':
        return order.event(version, `order.${said}`);
    }
  }

  /** How it ends, without the names that differ. */
  async end(): Promise<object> {
    const { onHand, held, committed } = await this.shop.stock(this.sku, this.place);
    const { status, nextVersion, blockedBy, parked, deadLetters, reservationId }: Order = await this.outside.known(
      this.order.orderId,
    );
    const dead = deadLetters.map(({ version }) => version);
    return { status, nextVersion, blockedBy, parked, dead, hasHeld: reservationId !== null, onHand, held, committed };
  }
}

function callsOf({ arrivals, cuts }: Disorder): number[][] {
  const left = [...arrivals];
  return [...cuts.map((size) => left.splice(0, size)), left].filter((call) => call.length > 0);
}

async function compare(shop: Shop, outside: OutsideShop, place: string, disorder: Disorder): Promise<void> {
  const twins = [outside.order(), outside.order()].map((order) => new Twin(shop, outside, place, order));
  const [inOrder, disordered] = twins as [Twin, Twin];
  for (const twin of twins) await twin.prepare();
  const { said } = disorder;
  for (const [index, what] of said.entries()) await outside.send(inOrder.event(what, index + 1));
  for (const call of callsOf(disorder)) {
    await outside.send(...call.map((version) => disordered.event(said[version - 1]!, version)));
  }
  const [expected, ended] = [await inOrder.end(), await disordered.end()];
  if (!said.includes('cancelled')) {
    expect(ended).toEqual(expected);
    return;
  }
  // A cancellation may overtake what comes before it: then that is stale, and dead letters and hand-overs do not come about.
  const overtaken = { dead: expect.anything() as unknown, hasHeld: expect.any(Boolean) as unknown };
  const nothingLeft = { status: 'CANCELLED', nextVersion: said.length + 1, blockedBy: null, parked: [] };
  if (said.includes('shipped')) {
    if ((ended as Order).status === 'CANCELLED') expect(ended).toMatchObject({ ...nothingLeft, onHand: UNITS });
    else expect(ended).toEqual(expected);
  } else {
    expect(expected).toMatchObject(nothingLeft);
    expect(ended).toEqual({ ...expected, ...overtaken });
  }
}

describeOnBothEngines('Events of an order in any order, with repeats, cut into any calls', (engine: Engine) => {
  const shop = useShop(engine);

  it(
    'end as the run in order does, once',
    async () => {
      const outside = new OutsideShop(shop.api, 'twin');
      const place = await shop.location();
      await fc.assert(
        fc.asyncProperty(stories.chain(disorderOf), (disorder) => compare(shop, outside, place, disorder)),
        { numRuns: RUNS[engine], seed: SEED },
      );
      expect(await brokenInvariants(shop.api, { commandsOnly: true })).toEqual([]);
    },
    counts(60_000, 1_800_000),
  );
});
