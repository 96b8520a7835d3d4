import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 15;

/**
 * Asks again and again until `probe` answers with something true, and gives that back.
 * @throws Error naming `what` when the deadline passes first; the last error of the probe is its cause
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | null | false>,
  withinMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  let cause: unknown;
  do {
    try {
      const found = await probe();
      if (found !== undefined && found !== null && found !== false) return found;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await delay(POLL_MS);
  } while (performance.now() < deadline);
  throw new Error(`Not within ${withinMs} ms: ${what}`, { cause });
}
