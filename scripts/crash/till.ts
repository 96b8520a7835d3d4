import type { Random } from '../random.ts';
import { Client } from './client.ts';
import { literal, TILL_SKUS } from './shop.ts';
import { type Journal, replayedIfDone, type Task } from './task.ts';

interface Pushed {
  readonly results: readonly { readonly outcome: string }[];
  readonly nextSequence: number;
}

/** The server takes 250 events in a commit: a push beyond that is several. */
const EVENTS_MAX = 600;

/** Pushes what a store has sold, in order, as its agent does, and now and then something that the centre does not know yet. */
export class Till extends Client {
  /** What the events that were applied have named themselves. */
  readonly references = new Set<string>();
  /** Products that are still to be made, each with the event that has sold it: a dead letter waits for it. */
  private readonly awaited = new Map<string, string>();
  private nextSequence = 1;
  private made = 0;

  constructor(
    private readonly locationId: string,
    private readonly epoch: number,
    private readonly random: Random,
    journal: Journal,
  ) {
    super(journal);
  }

  protected next(): Task {
    this.made += 1;
    const [late] = this.awaited;
    return late !== undefined && this.random.chance(50) ? this.product(...late) : this.push();
  }

  /** From now on what was sold of it can be replayed, by a reaction to the event of its creation. */
  private product(sku: string, event: string): Task {
    return {
      kind: 'product',
      request: { method: 'PUT', path: `/v1/products/${sku}`, body: JSON.stringify({ name: sku }), key: `p-${sku}` },
      whole: 1,
      effects: async (snapshot) => (await snapshot.rows(`SELECT sku FROM products WHERE sku = ${literal(sku)}`)).length,
      learn: () => {
        this.awaited.delete(sku);
        this.references.add(event);
      },
      wrongRepeat: replayedIfDone,
      answerIsKept: true,
    };
  }

  private push(): Task {
    const first = this.nextSequence;
    const length = this.random.chance(15) ? this.random.whole(100, EVENTS_MAX) : this.random.whole(1, 30);
    const unknownSku = this.random.chance(20) ? `late-${this.locationId}-${this.made}` : null;
    const names = Array.from({ length }, (_, at) => `s-${this.locationId}-${first + at}`);
    const events = names.map((id, at) => ({
      id,
      sequence: first + at,
      type: this.random.pick(['sale', 'sale', 'sale', 'return']),
      version: 1,
      occurredAt: new Date().toISOString(),
      data: {
        sku: at === 0 && unknownSku !== null ? unknownSku : this.random.pick(TILL_SKUS),
        quantity: this.random.whole(1, 3),
        reference: id,
      },
    }));
    return {
      kind: 'push',
      request: {
        method: 'POST',
        path: `/v1/sync/stores/${this.locationId}/events`,
        body: JSON.stringify({ epoch: this.epoch, events }),
      },
      whole: length,
      effects: async (snapshot) =>
        (
          await snapshot.rows(`SELECT sequence FROM store_events WHERE location_id = ${literal(this.locationId)}
            AND epoch = ${this.epoch} AND sequence BETWEEN ${first} AND ${first + length - 1}`)
        ).length,
      learn: () => {
        this.nextSequence = first + length;
        const [late = ''] = names;
        names.slice(unknownSku === null ? 0 : 1).forEach((name) => this.references.add(name));
        if (unknownSku !== null) this.awaited.set(unknownSku, late);
      },
      answerIsKept: false,
      wrongRepeat: (before, { text }) => {
        const { results, nextSequence } = JSON.parse(text) as Pushed;
        // They are taken in order. The one that is dead is told to be, however often it comes.
        const known = results.findIndex(
          ({ outcome }, at) => outcome === 'applied' || (outcome === 'dead' && at >= before),
        );
        const isRight = (known === -1 ? length : known) === before && nextSequence >= first + length;
        return isRight ? [] : [`had ${before} of ${length} events taken, and now: ${text.slice(0, 400)}`];
      },
    };
  }
}
