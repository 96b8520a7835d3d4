import type { Random } from '../random.ts';
import { Client } from './client.ts';
import { literal } from './shop.ts';
import { storedVersion } from './shopper.ts';
import { type Journal, replayedIfDone, type Task } from './task.ts';

interface Transfer {
  readonly id: string;
  readonly status: string;
  readonly quantity: number;
  readonly version: number;
}

/** Drives one product, which is nobody else's, back and forth between two places. */
export class Driver extends Client {
  /** What every one of its transfers has to be like now: status and version. */
  readonly known = new Map<string, Transfer>();
  private inHand: string | null = null;
  private made = 0;
  private direction = 0;

  constructor(
    private readonly name: string,
    readonly sku: string,
    private readonly random: Random,
    journal: Journal,
  ) {
    super(journal);
  }

  protected next(): Task {
    this.made += 1;
    const transfer = this.inHand === null ? undefined : this.known.get(this.inHand);
    return transfer === undefined ? this.dispatch() : this.end(transfer);
  }

  private dispatch(): Task {
    const [fromLocationId, toLocationId] = this.direction % 2 === 0 ? ['W1', 'W2'] : ['W2', 'W1'];
    const body = { sku: this.sku, fromLocationId, toLocationId, quantity: this.random.whole(1, 5) };
    const before = this.known.size;
    return {
      kind: 'transfer',
      request: { method: 'POST', path: '/v1/transfers', body: JSON.stringify(body), key: this.key() },
      whole: 1,
      effects: async (snapshot) =>
        (await snapshot.rows(`SELECT id FROM transfers WHERE sku = ${literal(this.sku)}`)).length - before,
      learn: ({ text }) => {
        this.inHand = this.note(text).id;
      },
      wrongRepeat: replayedIfDone,
      answerIsKept: true,
    };
  }

  private end({ id, version, quantity }: Transfer): Task {
    const verb = this.random.chance(70) ? 'receive' : 'cancel';
    const isShort = verb === 'receive' && this.random.chance(20);
    const body = isShort ? { quantity: quantity - 1, reason: 'one is broken' } : {};
    return {
      kind: verb === 'receive' ? 'transfer received' : 'transfer cancelled',
      request: { method: 'POST', path: `/v1/transfers/${id}/${verb}`, body: JSON.stringify(body), key: this.key() },
      whole: 1,
      effects: async (snapshot) => (await storedVersion(snapshot, 'transfers', id)) - version,
      learn: ({ text }) => {
        this.note(text);
        this.inHand = null;
        if (verb === 'receive') this.direction += 1;
      },
      wrongRepeat: replayedIfDone,
      answerIsKept: true,
    };
  }

  private key(): string {
    return `t-${this.name}-${this.made}`;
  }

  private note(text: string): Transfer {
    const transfer = JSON.parse(text) as Transfer;
    this.known.set(transfer.id, transfer);
    return transfer;
  }
}
