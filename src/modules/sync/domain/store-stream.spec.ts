import fc from 'fast-check';
import { type KnownEvent, type Placement, StoreStream } from './store-stream.ts';

const AT = Date.parse('2026-11-22T09:00:00.000Z');
const PARKED_MAX = 10_000;
const NOTHING = { byId: undefined, byNumber: undefined };

function event(sequence: number, contentHash = `hash-${sequence}`): { sequence: number; contentHash: string } {
  return { sequence, contentHash };
}

function known(contentHash: string, status: KnownEvent['status'] = 'APPLIED', epoch = 1): KnownEvent {
  return { eventId: 'e', contentHash, status, epoch };
}

/** A stream that has taken these numbers, each once. */
function streamOf(...sequences: number[]): StoreStream {
  const stream = StoreStream.open('S1', AT);
  for (const sequence of sequences) stream.place(event(sequence), NOTHING, PARKED_MAX, AT);
  while (stream.due > 0) stream.takeParked();
  return stream;
}

function holesOf(stream: StoreStream): [number, number][] {
  return stream.state.holes.map(({ from, to }) => [from, to]);
}

describe('StoreStream.place', () => {
  it('applies the next number and parks those beyond a hole', () => {
    const stream = StoreStream.open('S1', AT);
    expect(stream.place(event(1), NOTHING, PARKED_MAX, AT)).toEqual({ kind: 'apply' });
    expect(stream.place(event(3), NOTHING, PARKED_MAX, AT)).toEqual({ kind: 'park' });
    expect(stream.place(event(7), NOTHING, PARKED_MAX, AT + 5)).toEqual({ kind: 'park' });
    expect(stream.state).toMatchObject({ nextSequence: 2, highest: 7, parked: 2 });
    expect(stream.state.holes).toEqual([
      { from: 2, to: 2, since: AT },
      { from: 4, to: 6, since: AT + 5 },
    ]);
    expect(stream.due).toBe(0);
    expect(stream.place(event(2), NOTHING, PARKED_MAX, AT)).toEqual({ kind: 'apply' });
    expect(stream.due).toBe(1);
    stream.takeParked();
    expect(stream.state).toMatchObject({ nextSequence: 4, parked: 1 });
  });

  it('keeps since when both parts of a hole are missing that is split', () => {
    const stream = streamOf(9);
    stream.place(event(5), NOTHING, PARKED_MAX, AT + 1);
    expect(stream.state.holes).toEqual([
      { from: 1, to: 4, since: AT },
      { from: 6, to: 8, since: AT },
    ]);
    stream.place(event(6), NOTHING, PARKED_MAX, AT + 2);
    stream.place(event(8), NOTHING, PARKED_MAX, AT + 2);
    expect(holesOf(stream)).toEqual([
      [1, 4],
      [7, 7],
    ]);
  });

  it('refuses what it has no room to park, and takes the next number all the same', () => {
    const stream = StoreStream.open('S1', AT);
    stream.place(event(3), NOTHING, 1, AT);
    const before = stream.state;
    expect(stream.place(event(4), NOTHING, 1, AT)).toEqual({ kind: 'refuse' });
    expect(stream.state).toBe(before);
    expect(stream.place(event(1), NOTHING, 1, AT)).toEqual({ kind: 'apply' });
  });

  it('answers a known id with the same content as a duplicate, and uses its number up only if it is the next', () => {
    const stream = streamOf(1);
    const byId = known('same');
    expect(stream.place(event(1, 'same'), { byId, byNumber: byId }, PARKED_MAX, AT)).toEqual(duplicate(false));
    expect(stream.place(event(5, 'same'), { byId, byNumber: undefined }, PARKED_MAX, AT)).toEqual(duplicate(false));
    expect(stream.state).toMatchObject({ nextSequence: 2, highest: 1 });
    expect(stream.place(event(2, 'same'), { byId, byNumber: undefined }, PARKED_MAX, AT)).toEqual(duplicate(true));
    expect(stream.state).toMatchObject({ nextSequence: 3, highest: 2 });
  });

  it('answers other content under a known id or number as a conflict', () => {
    const stream = streamOf(1, 3);
    const byId = known('other');
    expect(stream.place(event(9), { byId, byNumber: undefined }, PARKED_MAX, AT)).toEqual(conflict(false));
    expect(stream.place(event(1), { byId: undefined, byNumber: byId }, PARKED_MAX, AT)).toEqual(conflict(false));
    expect(stream.place(event(3), { byId: undefined, byNumber: byId }, PARKED_MAX, AT)).toEqual(conflict(false));
    expect(stream.place(event(2), { byId, byNumber: undefined }, PARKED_MAX, AT)).toEqual(conflict(true));
    expect(stream.state.nextSequence).toBe(3);
  });

  it('takes the same content under a known number for the same event, whatever its id', () => {
    const stream = streamOf(1);
    const byNumber = known('same');
    expect(stream.place(event(1, 'same'), { byId: undefined, byNumber }, PARKED_MAX, AT)).toEqual(duplicate(false));
    const spent = known('same', 'SPENT');
    expect(stream.place(event(1, 'same'), { byId: undefined, byNumber: spent }, PARKED_MAX, AT)).toEqual(
      conflict(false),
    );
  });

  it('takes a number that nobody remembers any more for one that was answered', () => {
    expect(streamOf(1, 2).place(event(1), NOTHING, PARKED_MAX, AT)).toEqual(duplicate(false));
  });

  it('does not use up a number whose event has its turn but was not applied yet', () => {
    const stream = StoreStream.open('S1', AT);
    stream.place(event(2), NOTHING, PARKED_MAX, AT);
    stream.place(event(1), NOTHING, PARKED_MAX, AT);
    const byId = known('hash-2', 'PARKED');
    expect(stream.place(event(2), { byId, byNumber: byId }, PARKED_MAX, AT)).toEqual(duplicate(false));
    expect(stream.state).toMatchObject({ nextSequence: 2, parked: 1 });
  });

  it('applies what waited in an epoch that is over, when it comes again', () => {
    const stream = streamOf(1, 3);
    stream.openNext(AT);
    for (const byId of [known('hash-3', 'ENDED'), known('hash-3', 'PARKED')]) {
      const again = StoreStream.of(stream.state);
      expect(again.place(event(1, 'hash-3'), { byId, byNumber: undefined }, PARKED_MAX, AT)).toEqual({ kind: 'apply' });
    }
    const byId = known('hash-3', 'DISCARDED');
    expect(stream.place(event(1, 'hash-3'), { byId, byNumber: undefined }, PARKED_MAX, AT)).toEqual(duplicate(true));
  });
});

describe('StoreStream.openNext', () => {
  it('begins numbers anew under the next epoch, and tells how much is to be ended', () => {
    const stream = streamOf(1, 4, 6);
    stream.openNext(AT + 1);
    expect(stream.state).toMatchObject({ epoch: 2, nextSequence: 1, highest: 0, parked: 0, holes: [], toEnd: 2 });
    stream.place(event(9), NOTHING, PARKED_MAX, AT);
    stream.openNext(AT + 2);
    expect(stream.state).toMatchObject({ epoch: 3, toEnd: 3, openedAt: AT + 2 });
    stream.ended(3);
    expect(stream.state.toEnd).toBe(0);
  });

  it('makes older epochs stale; one that was never given is no epoch', () => {
    const stream = streamOf();
    stream.openNext(AT);
    expect(() => {
      stream.assertEpoch(1);
    }).toThrow(expect.objectContaining({ code: 'STALE_EPOCH', details: { currentEpoch: 2 } }));
    expect(() => {
      stream.assertEpoch(3);
    }).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }));
    stream.assertEpoch(2);
  });
});

/** What a server keeps beside the stream, in memory. */
class Store {
  private stream = StoreStream.open('S1', AT);
  private readonly byId = new Map<string, KnownEvent>();
  private readonly byNumber = new Map<number, KnownEvent & { sequence: number }>();
  readonly applied: string[] = [];

  take(id: string, sequence: number, parkedMax: number): Placement {
    const found = this.stream.isTaken(sequence) ? this.byNumber.get(sequence) : undefined;
    const knownNow = { byId: this.byId.get(id), byNumber: found };
    const placement = this.stream.place({ sequence, contentHash: id }, knownNow, parkedMax, AT);
    if (placement.kind === 'apply' || placement.kind === 'park') {
      const row = { eventId: id, contentHash: id, status: 'APPLIED', epoch: 1, sequence } as const;
      this.byId.set(id, row);
      this.byNumber.set(sequence, row);
    }
    if (placement.kind === 'apply') this.applied.push(id);
    return placement;
  }

  /** The parked ones whose turn has come, a few at a time: between two commits the server may be cut off. */
  drain(most: number): void {
    for (let taken = 0; taken < most && this.stream.due > 0; taken += 1) {
      this.applied.push(this.byNumber.get(this.stream.state.nextSequence)?.eventId ?? 'nothing');
      this.stream.takeParked();
    }
  }

  /** As it is read from the database after a crash. */
  restart(): void {
    this.stream = StoreStream.of(JSON.parse(JSON.stringify(this.stream.state)) as StoreStream['state']);
  }

  get state(): StoreStream['state'] {
    return this.stream.state;
  }
}

describe('Events of a store', () => {
  const step = fc.record({ event: fc.nat(29), drain: fc.nat(3), restart: fc.boolean() });

  it('are applied in order, each once, in whatever order and however often they come', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 0, max: 30 }), (steps, parkedMax) => {
        const store = new Store();
        const inOrder = Array.from({ length: 30 }, (_, n) => `e${n + 1}`);
        const check = (): void => {
          const { nextSequence, highest, holes, parked } = store.state;
          expect(store.applied).toEqual(inOrder.slice(0, nextSequence - 1));
          expect(parked).toBeLessThanOrEqual(parkedMax);
          const missing = holes.reduce((sum, { from, to }) => sum + to - from + 1, 0);
          expect(parked).toBe(highest - nextSequence + 1 - missing);
          holes.forEach(({ from, to }, index) => {
            expect(from).toBeLessThanOrEqual(to);
            expect(from).toBeGreaterThan((holes[index - 1]?.to ?? nextSequence - 2) + 1);
          });
        };
        for (const { event: number, drain, restart } of steps) {
          store.take(`e${number + 1}`, number + 1, parkedMax);
          store.drain(drain);
          if (restart) store.restart();
          check();
        }
        // The network is whole again: the store sends all that is missing, in order.
        store.drain(Infinity);
        for (let n = store.state.nextSequence; n <= 30; n = store.state.nextSequence) {
          store.take(`e${n}`, n, parkedMax);
          store.drain(Infinity);
        }
        check();
        expect(store.applied).toEqual(inOrder);
        expect(store.state).toMatchObject({ nextSequence: 31, highest: 30, parked: 0, holes: [] });
      }),
    );
  });

  it('are answered so that none is lost: what is neither done nor kept is refused or missing', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(19), { maxLength: 60 }), (numbers) => {
        const store = new Store();
        const done = new Set<number>();
        for (const number of numbers) {
          const { kind } = store.take(`e${number + 1}`, number + 1, 5);
          store.drain(Infinity);
          if (kind !== 'refuse') done.add(number + 1);
        }
        const { nextSequence, holes, highest } = store.state;
        for (const number of done) {
          const isMissing = holes.some(({ from, to }) => from <= number && number <= to);
          expect(number < nextSequence || (number <= highest && !isMissing)).toBe(true);
        }
      }),
    );
  });
});

function duplicate(spends: boolean): Placement {
  return { kind: 'duplicate', spends };
}

function conflict(spends: boolean): Placement {
  return { kind: 'conflict', spends };
}
