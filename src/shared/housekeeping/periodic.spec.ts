import { eventually } from '../../../test/support/eventually.ts';
import { Periodic } from './periodic.ts';

describe('Periodic', () => {
  it('runs round after round, never two at a time, also after one that failed', async () => {
    let rounds = 0;
    let running = 0;
    let most = 0;
    const periodic = new Periodic('Test', 1, async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      rounds += 1;
      if (rounds === 2) throw new Error('only this one');
    });
    periodic.start();
    await eventually('it goes on after the failure', () => Promise.resolve(rounds >= 4));
    await periodic.stop();
    expect(most).toBe(1);
  });

  it('ends with the round that runs, which can see that it should hurry', async () => {
    let finish = (): void => undefined;
    let seen: boolean | undefined;
    const periodic = new Periodic('Test', 1, async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      seen = periodic.stopped;
    });
    periodic.start();
    const started = finish;
    await eventually('the round has begun', () => Promise.resolve(finish !== started));
    const stopping = periodic.stop();
    finish();
    await stopping;
    expect(seen).toBe(true);
  });
});
