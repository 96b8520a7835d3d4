import { setTimeout as pause } from 'node:timers/promises';

/** The link is told to end, or to do something else first. */
export class Interrupted extends Error {}

/** @throws Interrupted when it was given */
export function assertNotEnded(end: AbortSignal): void {
  if (end.aborted) throw new Interrupted();
}

/** @throws Interrupted when `end` is given before the time is over */
export async function pauseUnless(end: AbortSignal, ms: number): Promise<void> {
  await pause(ms, undefined, { signal: end, ref: false }).catch(() => {
    throw new Interrupted();
  });
}
