import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Chance } from '../chance.ts';

/** One life of a server: when it is over, whatever it was waiting for never comes. */
export interface Life {
  isOver: boolean;
}

/** More turns than any step takes; who needs more of them goes round in circles. */
const TURNS_MAX = 200_000;

/**
 * Everybody who waits waits here, and is let go one at a time: the seed picks who. Between two turns the code runs as far
 * as it can without waiting, so the order of the turns is all that there is to an order of things.
 */
export class Turns {
  private waiting: { readonly life: Life; readonly go: () => void }[] = [];
  chance: Chance;

  constructor(chance: Chance) {
    this.chance = chance;
  }

  /** Waits for a turn; for ever when the life ends before. */
  wait(life: Life): Promise<void> {
    return new Promise((go) => this.waiting.push({ life, go }));
  }

  /** Gives turns until nobody waits for one. */
  async untilRest(): Promise<void> {
    for (let turns = 0; turns < TURNS_MAX; turns += 1) {
      // Promises go on as far as they can before the event loop turns.
      await nextTurn();
      this.waiting = this.waiting.filter(({ life }) => !life.isOver);
      if (this.waiting.length === 0) return;
      const [next] = this.waiting.splice(this.chance.whole(0, this.waiting.length - 1), 1);
      next?.go();
    }
    throw new Error(`${TURNS_MAX} turns were not enough for everybody to come to rest`);
  }
}
