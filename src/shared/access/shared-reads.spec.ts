import { SharedReads } from './shared-reads.ts';

/** Reads of a value that changes, each of which the test lets end. */
function slowReads(): { reads: SharedReads<number>; value: number; begun: number; end: () => Promise<void> } {
  const open: (() => void)[] = [];
  const world = {
    value: 0,
    begun: 0,
    reads: new SharedReads<number>(() => {
      world.begun += 1;
      const seen = world.value;
      return new Promise((resolve) => open.push(() => resolve(seen)));
    }),
    end: async () => {
      await turn();
      open.splice(0).forEach((resolve) => {
        resolve();
      });
    },
  };
  return world;
}

const turn = () => new Promise<void>(setImmediate);

describe('SharedReads', () => {
  it('answers all who ask in one turn by one read', async () => {
    const world = slowReads();
    const answers = Promise.all([world.reads.read('a'), world.reads.read('a'), world.reads.read('a')]);
    await world.end();
    expect(await answers).toEqual([0, 0, 0]);
    expect(world.begun).toBe(1);
  });

  it('never answers by a read that began before it was asked', async () => {
    const world = slowReads();
    const before = world.reads.read('a');
    await turn();
    expect(world.begun).toBe(1);
    world.value = 1;
    const [after, too] = [world.reads.read('a'), world.reads.read('a')];
    await turn();
    expect(world.begun).toBe(1);
    await world.end();
    expect(await before).toBe(0);
    await turn();
    await world.end();
    expect([await after, await too, world.begun]).toEqual([1, 1, 2]);
  });

  it('reads what is different at the same time, and again after a failure', async () => {
    let fails = true;
    const reads = new SharedReads<string>((key) => (fails ? Promise.reject(new Error(key)) : Promise.resolve(key)));
    await expect(reads.read('a')).rejects.toThrow('a');
    fails = false;
    expect(await Promise.all([reads.read('a'), reads.read('b')])).toEqual(['a', 'b']);
  });
});
