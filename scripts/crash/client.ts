import type { Snapshot } from '../audit/snapshot.ts';
import type { Journal, Sent, Task } from './task.ts';
import { isPutOff, isSuccess, type Received, type Wire } from './wire.ts';

/** Requests that one client sends at most in a round, so that a slow comparison does not grow with a fast machine. */
const ROUND_REQUESTS_MAX = 150;

/**
 * A client of one kind. It sends one request at a time, so at most one of each client has no answer when a server dies.
 */
export abstract class Client {
  private pending: Sent | null = null;
  private violations: string[] = [];

  constructor(private readonly journal: Journal) {}

  /** What it wants next; null: nothing can be done now. */
  protected abstract next(): Task | null;

  /** Sends until it is told to stop, or has no answer to a request. */
  async work(wire: Wire, isOver: () => boolean): Promise<void> {
    for (let sent = 0; sent < ROUND_REQUESTS_MAX && !isOver() && this.pending === null; sent += 1) {
      const task = this.next();
      if (task === null) return;
      await this.send(wire, task);
    }
  }

  private async send(wire: Wire, task: Task): Promise<void> {
    const sent = this.journal.begin(task);
    this.pending = sent;
    const received = await wire.send(task.request);
    if (!this.journal.end(sent, received) || received === null) return;
    this.pending = null;
    if (isSuccess(received)) task.learn(received);
    else if (received.status >= 500)
      this.violations.push(shown(sent, `is answered ${received.status} ${received.text}`));
  }

  /**
   * Repeats what has no answer and takes the answer for its own.
   * @param look at the database, at its state of now
   * @returns what is wrong
   */
  async settle(wire: Wire, look: <T>(at: (snapshot: Snapshot) => Promise<T>) => Promise<T>): Promise<string[]> {
    const violations = this.violations.splice(0);
    const sent = this.pending;
    if (sent === null) return violations;
    const { task } = sent;
    const before = await look((snapshot) => task.effects(snapshot));
    if (before > task.whole) violations.push(shown(sent, `was done ${before} times`));
    const told = sent.partial === null ? 0 : (task.toldEffects?.(sent.partial) ?? 0);
    if (before < told) violations.push(shown(sent, `had told ${told} of its effects, and ${before} are there`));
    const again = await this.repeat(wire, task);
    if (again === null) return [...violations, shown(sent, 'is not answered after the restart')];
    this.pending = null;
    this.journal.found(sent, before > 0);
    if (!isSuccess(again)) {
      // Nothing was done, so it is a new request, which may be refused as any.
      const isRight = before === 0 && again.status < 500;
      return isRight ? violations : [...violations, shown(sent, `is repeated as ${again.status} ${again.text}`)];
    }
    violations.push(...task.wrongRepeat(before, again).map((what) => shown(sent, what)));
    const after = await look((snapshot) => task.effects(snapshot));
    if (after !== task.whole) violations.push(shown(sent, `has ${after} effects after its repeat`));
    task.learn(again);
    return violations;
  }

  /** Only what is put off is asked for again. */
  private async repeat(wire: Wire, { request, brokeOff }: Task): Promise<Received | null> {
    for (let attempt = 0; attempt < REPEATS_MAX; attempt += 1) {
      const again = await wire.send(request);
      if (again === null || !again.whole) return null;
      if (!isPutOff(again) && brokeOff?.(again) !== true) return again;
    }
    return null;
  }
}

const REPEATS_MAX = 20;

/** For a person who looks for what happened. */
export function shown({ number, task: { kind, request } }: Sent, what: string): string {
  return `request ${number} (${kind}: ${request.method} ${request.path}, key ${request.key ?? 'none'}) ${what}`;
}
