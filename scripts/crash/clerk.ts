import type { Random } from '../random.ts';
import { Client } from './client.ts';
import { HOT_SKUS, literal, WEB_PLACES } from './shop.ts';
import { type Journal, replayedIfDone, type Task } from './task.ts';

interface Moved {
  readonly movementId: string;
}

/** Receives and sells on the shelves that shoppers take from: all commands, so nothing may be oversold by them. */
export class Clerk extends Client {
  /** The movement of each request that was done, by what it named it. */
  readonly movements = new Map<string, string>();
  private made = 0;

  constructor(
    private readonly name: string,
    private readonly random: Random,
    journal: Journal,
  ) {
    super(journal);
  }

  protected next(): Task {
    this.made += 1;
    const key = `m-${this.name}-${this.made}`;
    const type = this.random.pick(['RECEIPT', 'RECEIPT', 'SALE', 'RETURN', 'ADJUSTMENT', 'WRITE_OFF']);
    const quantity = type === 'ADJUSTMENT' ? this.random.pick([-3, -2, 2, 3]) : this.random.whole(1, 6);
    const path = `/v1/stock/${this.random.pick(HOT_SKUS)}/${this.random.pick(WEB_PLACES)}/movements`;
    return {
      kind: 'movement',
      request: { method: 'POST', path, body: JSON.stringify({ type, quantity, reference: key }), key },
      whole: 1,
      effects: async (snapshot) =>
        (await snapshot.rows(`SELECT movement_id FROM movements WHERE reference = ${literal(key)}`)).length,
      learn: ({ text }) => this.movements.set(key, (JSON.parse(text) as Moved).movementId),
      wrongRepeat: replayedIfDone,
      answerIsKept: true,
    };
  }
}
