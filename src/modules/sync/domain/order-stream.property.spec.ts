import fc from 'fast-check';
import { counts } from '../../../../test/support/counts.ts';
import { OrderStream } from './order-stream.ts';

const AT = Date.UTC(2026, 10, 22);

/** What a version does when its turn comes. */
type Fate = 'applied' | 'dies' | 'cancels';
type Kept = 'parked' | 'dead' | 'done';

/** Everything around the stream in its plainest form: what is kept, and what was carried out, in which order. */
class Line {
  readonly stream = OrderStream.begin('O1', AT);
  readonly kept = new Map<number, Kept>();
  readonly carriedOut: number[] = [];

  constructor(private readonly fates: readonly Fate[]) {}

  receive(version: number): void {
    if (this.kept.has(version)) return;
    const place = this.stream.placeOf(version, this.fates[version - 1] === 'cancels');
    if (place === 'due') this.carryOut(version);
    if (place === 'parked') this.park(version);
    if (place === 'stale') this.passOver(version);
    this.goOn();
  }

  /** An operator gives up what stops the line. */
  discardAll(): void {
    for (let blocked = this.stream.state.blockedBy; blocked !== null; blocked = this.stream.state.blockedBy) {
      this.kept.set(blocked, 'done');
      this.stream.settleDead(blocked, AT);
      this.goOn();
    }
  }

  private goOn(): void {
    for (let turn = this.stream.turn; turn !== null && this.kept.has(turn); turn = this.stream.turn) {
      this.stream.unpark(AT);
      this.carryOut(turn);
    }
  }

  private carryOut(version: number): void {
    const fate = this.fates[version - 1];
    this.kept.set(version, fate === 'dies' ? 'dead' : 'done');
    if (fate === 'dies') {
      this.stream.die(version, AT);
      return;
    }
    this.carriedOut.push(version);
    if (fate === 'cancels') this.stream.cancel(version, AT);
    else this.stream.passOver(version, AT);
    if (fate !== 'cancels') return;
    for (const [parked, kept] of this.kept) {
      if (kept === 'parked') this.passOver(parked);
    }
  }

  private park(version: number): void {
    this.kept.set(version, 'parked');
    this.stream.park(AT);
  }

  private passOver(version: number): void {
    this.kept.set(version, 'done');
    this.stream.passOver(version, AT);
  }
}

const fates = fc.array(fc.constantFrom<Fate>('applied', 'applied', 'applied', 'dies'), { minLength: 1, maxLength: 12 });

/** All versions in some order, some of them again. */
function disorderOf(versions: number): fc.Arbitrary<number[]> {
  const all = Array.from({ length: versions }, (_, index) => index + 1);
  return fc
    .tuple(fc.shuffledSubarray(all, { minLength: versions }), fc.array(fc.integer({ min: 1, max: versions })))
    .chain(([once, again]) => fc.shuffledSubarray([...once, ...again], { minLength: versions + again.length }));
}

function run(story: readonly Fate[], order: readonly number[]): Line {
  const line = new Line(story);
  for (const version of order) line.receive(version);
  return line;
}

describe('A stream of events in any order, with repeats', () => {
  const cases = fates.chain((story) => fc.tuple(fc.constant(story), disorderOf(story.length)));

  it('ends as the run in order does, once, and carries out in the order of versions', () => {
    fc.assert(
      fc.property(cases, ([story, order]) => {
        const inOrder = run(
          story,
          story.map((_, index) => index + 1),
        );
        const disordered = run(story, order);
        for (const line of [inOrder, disordered]) line.discardAll();
        expect(disordered.carriedOut).toEqual(inOrder.carriedOut);
        const { version: _, ...state } = disordered.stream.state;
        const { version: __, ...expected } = inOrder.stream.state;
        expect(state).toEqual(expected);
        expect(state).toMatchObject({ nextVersion: story.length + 1, parked: 0, dead: 0 });
      }),
      { numRuns: counts(300, 20_000) },
    );
  });

  it('ends cancelled wherever the cancellation comes, and carries nothing out after it', () => {
    const cancelled = cases.chain(([story, order]) =>
      fc.tuple(
        fc.constant(order),
        fc.nat({ max: story.length - 1 }).map((at) => story.map((fate, index) => (index === at ? 'cancels' : fate))),
      ),
    );
    fc.assert(
      fc.property(cancelled, ([order, story]) => {
        const { stream, carriedOut, kept } = run(story, order);
        const cancellation = story.indexOf('cancels') + 1;
        expect(stream.state).toMatchObject({ status: 'CANCELLED', cancelledBy: cancellation, parked: 0 });
        expect(stream.state.nextVersion).toBe(story.length + 1);
        expect(carriedOut.at(-1)).toBe(cancellation);
        expect(carriedOut).toEqual([...carriedOut].sort((a, b) => a - b));
        expect([...kept.values()]).not.toContain('parked');
      }),
      { numRuns: counts(300, 20_000) },
    );
  });
});
