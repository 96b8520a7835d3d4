import { GaugeReading } from './gauge-reading.ts';

const limits = { readMaxMs: 5, freshMs: 100 };

describe('GaugeReading', () => {
  let now = 0;
  let reads = 0;
  let failures = 0;

  function aReading(read: () => Promise<number>): GaugeReading<number> {
    const counted = () => {
      reads += 1;
      return read();
    };
    return new GaugeReading(
      counted,
      () => (failures += 1),
      limits,
      () => now,
    );
  }

  beforeEach(() => {
    [now, reads, failures] = [0, 0, 0];
  });

  it('keeps a value while it is fresh and reads it again after that', async () => {
    const reading = aReading(() => Promise.resolve(reads));

    expect(await reading.current()).toBe(1);
    now = 99;
    expect(await reading.current()).toBe(1);
    now = 100;
    expect(await reading.current()).toBe(2);
  });

  it('lets scrapers that come together share one read', async () => {
    const reading = aReading(() => Promise.resolve(7));

    expect(await Promise.all([reading.current(), reading.current(), reading.current()])).toEqual([7, 7, 7]);
    expect(reads).toBe(1);
  });

  it('has no value after a failed read, counts it, and tries again', async () => {
    const reading = aReading(() => (reads === 1 ? Promise.reject(new Error('no database')) : Promise.resolve(3)));

    expect(await reading.current()).toBeNull();
    expect(failures).toBe(1);
    expect(await reading.current()).toBe(3);
  });

  it('does not show an old value when it can no longer be read', async () => {
    const reading = aReading(() => (reads === 1 ? Promise.resolve(3) : Promise.reject(new Error('no database'))));
    await reading.current();

    now = 100;

    expect(await reading.current()).toBeNull();
  });

  it('takes a read that throws at once for a failed one', async () => {
    const reading = aReading(() => {
      throw new Error('a bug');
    });

    expect(await reading.current()).toBeNull();
    expect(failures).toBe(1);
  });

  it('gives up on a read that hangs and starts no second one beside it', async () => {
    let finish: (value: number) => void = () => undefined;
    const reading = aReading(() => new Promise((resolve) => (finish = resolve)));

    expect(await reading.current()).toBeNull();
    expect(await reading.current()).toBeNull();
    expect(reads).toBe(1);

    finish(9);
    expect(await reading.current()).toBe(9);
    expect(reads).toBe(1);
  });
});
