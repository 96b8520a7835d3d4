import { getEventListeners } from 'node:events';
import { Interrupted } from './interrupted.ts';
import { WakeUp } from './wake-up.ts';

describe('WakeUp', () => {
  it('wakes who waits, and remembers a call that came before', async () => {
    const wakeUp = new WakeUp();
    const { signal } = new AbortController();
    const waiting = wakeUp.wait(signal);
    wakeUp.wake();
    await waiting;
    wakeUp.wake();
    await wakeUp.wait(signal);
  });

  it('leaves nothing behind at a signal that lives long', async () => {
    const wakeUp = new WakeUp();
    const { signal } = new AbortController();
    for (let sale = 0; sale < 20; sale += 1) {
      const waiting = wakeUp.wait(signal);
      wakeUp.wake();
      await waiting;
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('ends with the signal, given before or meanwhile', async () => {
    const wakeUp = new WakeUp();
    const end = new AbortController();
    const waiting = wakeUp.wait(end.signal);
    end.abort();
    await expect(waiting).rejects.toThrow(Interrupted);
    wakeUp.wake();
    await expect(wakeUp.wait(end.signal)).rejects.toThrow(Interrupted);
  });
});
