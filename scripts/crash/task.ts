import type { Snapshot } from '../audit/snapshot.ts';
import { isPutOff, isSuccess, type Received, type Request } from './wire.ts';

/** One request as its client means it, with what it needs to find out afterwards what became of it. */
export interface Task {
  /** For the report: `create`, `confirm`, ... */
  readonly kind: string;
  readonly request: Request;
  /**
   * How much of its effect is in the database: 0 none, `whole` all. Only an import and a push have something in between,
   * because they are carried out in several commits.
   */
  effects(snapshot: Snapshot): Promise<number>;
  readonly whole: number;
  /** What the client knows once it has a success; never called twice. */
  learn(answer: Received): void;
  /** @returns what is wrong with the answer to a repeat, when this much of the effect had been there before it */
  wrongRepeat(effectsBefore: number, again: Received): string[];
  /** Whether the answer is kept under the key, so that a repeat gets the very same. */
  readonly answerIsKept: boolean;
  /** Whether a whole answer tells that it broke off: that of an import has its status before its end is known. */
  readonly brokeOff?: (answer: Received) => boolean;
  /** What had been told before the connection broke: of an import, whose answer comes bit by bit. */
  readonly toldEffects?: (partial: Received) => number;
}

/** The key finds out: it is replayed if, and only if, its effect had been there. */
export function replayedIfDone(effectsBefore: number, again: Received): string[] {
  if (again.replayed === effectsBefore > 0) return [];
  return [again.replayed ? 'is replayed without its effect' : 'was done, and its key is not known'];
}

/** A request, and the answer where there was one. */
export interface Sent {
  readonly number: number;
  readonly task: Task;
  /** Null: not known, it was cut off or put off. */
  answer: Received | null;
  /** What came of an answer that was cut off. */
  partial: Received | null;
}

export interface Count {
  sent: number;
  answered: number;
  refused: number;
  putOff: number;
  cutOff: number;
  /** Of those without an answer: how many had been done. */
  foundDone: number;
}

/** Everything that clients have sent, and what was answered. */
export class Journal {
  private readonly counts = new Map<string, Count>();
  private numbers = 0;
  /** Successes since the last comparison. */
  private fresh: Sent[] = [];
  /** Some of those of before. */
  private readonly old: Sent[] = [];

  begin(task: Task): Sent {
    this.numbers += 1;
    this.of(task.kind).sent += 1;
    return { number: this.numbers, task, answer: null, partial: null };
  }

  /** @returns whether the client has its answer */
  end(sent: Sent, received: Received | null): boolean {
    const count = this.of(sent.task.kind);
    if (received === null || !received.whole) {
      count.cutOff += 1;
      sent.partial = received;
      return false;
    }
    if (isPutOff(received) || sent.task.brokeOff?.(received) === true) {
      count.putOff += 1;
      sent.partial = received;
      return false;
    }
    sent.answer = received;
    if (isSuccess(received)) {
      count.answered += 1;
      this.fresh.push(sent);
    } else {
      count.refused += 1;
    }
    return true;
  }

  /** A request without an answer was repeated. */
  found(sent: Sent, wasDone: boolean): void {
    if (wasDone) this.of(sent.task.kind).foundDone += 1;
  }

  /** Successes since the last call, and `oldMax` of those before. @param pick 0 to n - 1 */
  toCompare(oldMax: number, pick: (n: number) => number): Sent[] {
    const picked = Array.from({ length: Math.min(oldMax, this.old.length) }, () => this.old[pick(this.old.length)]);
    const fresh = this.fresh;
    this.fresh = [];
    this.old.push(...fresh.slice(0, REMEMBERED_OF_A_ROUND));
    return [...fresh, ...picked.filter((sent) => sent !== undefined)];
  }

  get byKind(): ReadonlyMap<string, Count> {
    return this.counts;
  }

  /** @returns kinds of requests that were often sent and never done: of them the run has shown nothing */
  neverDone(): string[] {
    return [...this.counts]
      .filter(([, { sent, answered, foundDone }]) => sent >= OFTEN && answered + foundDone === 0)
      .map(([kind, { sent }]) => `none of ${sent} requests of the kind ${kind} was ever done`);
  }

  private of(kind: string): Count {
    let count = this.counts.get(kind);
    if (count === undefined) {
      count = { sent: 0, answered: 0, refused: 0, putOff: 0, cutOff: 0, foundDone: 0 };
      this.counts.set(kind, count);
    }
    return count;
  }
}

const OFTEN = 30;
/** Whole answers stay in memory. */
const REMEMBERED_OF_A_ROUND = 50;
