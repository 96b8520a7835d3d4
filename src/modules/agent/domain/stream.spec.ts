import { resume, Stream, type StreamState } from './stream.ts';

const AT = 1;

/** Ten events recorded, six of them acknowledged, in epoch 3, which began behind position 2; followed up to change 40. */
function aStream(changes: Partial<StreamState> = {}): StreamState {
  return {
    ...Stream.begin('S1', AT).state,
    ...{ epoch: 3, base: 2, head: 10, acknowledged: 6, cursor: '40', settled: true, snapshotWanted: false },
    ...changes,
  };
}

describe('Stream', () => {
  it('counts positions on, whatever the epoch', () => {
    const stream = Stream.of(aStream());
    expect(stream.append(AT)).toBe(11);
    stream.open(4, { position: 6, snapshot: false, because: 'continued' }, AT);
    expect(stream.append(AT)).toBe(12);
    expect(stream.state).toMatchObject({ epoch: 4, base: 6, head: 12, acknowledged: 6 });
  });

  it.each([
    [3, 5, 'noted', 6],
    [3, 7, 'noted', 8],
    [3, 9, 'noted', 10],
    [3, 4, 'lost', 6],
    [3, 10, 'foreign', 6],
    [2, 9, 'outdated', 6],
    [4, 9, 'outdated', 6],
  ])('an answer in epoch %d that waits for sequence %d is %s', (epoch, nextSequence, outcome, acknowledged) => {
    const stream = Stream.of(aStream());
    expect(stream.acknowledge(epoch, nextSequence, AT)).toBe(outcome);
    expect(stream.state.acknowledged).toBe(acknowledged);
  });

  it('changes nothing when an answer tells nothing new', () => {
    const stream = Stream.of(aStream());
    stream.acknowledge(3, 5, AT);
    expect(stream.version).toBe(1);
  });

  it('follows only what comes behind its cursor', () => {
    const stream = Stream.of(aStream());
    expect(stream.follow('39', '41', AT)).toBe(false);
    expect(stream.follow('40', '42', AT)).toBe(true);
    expect(stream.state.cursor).toBe('42');
  });

  it('gives counts no cursor from the beginning of a snapshot until the feed has caught up', () => {
    const stream = Stream.of(aStream());
    expect(stream.countCursor).toBe('40');
    const round = stream.beginSnapshot(AT);
    expect(stream.countCursor).toBeNull();
    stream.endSnapshot(round, '50', AT);
    expect(stream.countCursor).toBeNull();
    stream.settle(AT);
    expect(stream.countCursor).toBe('50');
    expect(stream.state.snapshotWanted).toBe(false);
  });

  it('never gives up what is not acknowledged', () => {
    expect(() => {
      Stream.of(aStream()).purged(7, AT);
    }).toThrow('never purged');
  });
});

describe('resume', () => {
  it('begins with a snapshot', () => {
    const before = aStream({ epoch: null, base: 0, acknowledged: 0, cursor: null });
    expect(resume(before, { epoch: null, nextSequence: 1 }, 10)).toEqual({
      position: 0,
      snapshot: true,
      because: 'first',
    });
  });

  it('goes on behind what is acknowledged when both sides know the same', () => {
    for (const nextSequence of [5, 6, 9]) {
      const found = resume(aStream(), { epoch: 3, nextSequence }, 10);
      expect(found).toEqual({ position: 6, snapshot: false, because: 'continued' });
    }
  });

  it('takes a snapshot all the same when one was wanted', () => {
    expect(resume(aStream({ snapshotWanted: true }), { epoch: 3, nextSequence: 5 }, 10)).toMatchObject({
      snapshot: true,
    });
  });

  it.each([
    ['does not know the store', { epoch: null, nextSequence: 1 }],
    ['is in an older epoch', { epoch: 2, nextSequence: 100 }],
    ['has less than it acknowledged', { epoch: 3, nextSequence: 4 }],
  ])('sends again whatever is kept when the centre %s', (_what, centre) => {
    const found = resume(aStream({ purgedThrough: 1 }), centre, 10);
    expect(found).toEqual({ position: 1, snapshot: true, because: 'centre-restored' });
  });

  it.each([
    ['has a newer epoch', aStream(), { epoch: 4, nextSequence: 1 }],
    ['has more of the epoch than was recorded', aStream(), { epoch: 3, nextSequence: 10 }],
    ['knows the store, and the store nothing of it', aStream({ epoch: null }), { epoch: 1, nextSequence: 9 }],
  ])('takes a snapshot when the centre %s: somebody else has told it', (_what, before, centre) => {
    expect(resume(before, centre, 10)).toEqual({ position: 6, snapshot: true, because: 'store-restored' });
  });
});
