import { Injectable } from '@nestjs/common';
import { DeadLetters } from '../../../shared/outbox/dead-letters.ts';
import { Replays } from '../../../shared/outbox/replays.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';

/** Most letters that one commit replays, whatever it was that they waited for. */
const LETTERS_PER_COMMIT_MAX = 200;

/** Where the works of a batch count together. */
const REPLAYED = 'sync.replayed-letters';

/** Letters whose events could not be processed for want of something that is there now. */
@Injectable()
export class WaitingLetters {
  constructor(
    private readonly letters: DeadLetters,
    private readonly replays: Replays,
  ) {}

  /**
   * Replays letters in the order in which they died, as many as the commit has room for. One that fails stays dead.
   * @param after only those behind this letter; null: from the first
   * @returns null when none is left, else where to go on
   */
  async replaySome(tx: Transaction, waitsFor: string, after: string | null): Promise<{ after: string | null } | null> {
    const replayed = (tx.shared.get(REPLAYED) as number | undefined) ?? 0;
    const room = Math.max(0, LETTERS_PER_COMMIT_MAX - replayed);
    const letters = await this.letters.waitingFor(tx, waitsFor, room + 1, after);
    const now = letters.slice(0, room);
    tx.shared.set(REPLAYED, replayed + now.length);
    for (const { id } of now) {
      await this.replays.replay(tx, id, null);
    }
    return letters.length > room ? { after: now.at(-1)?.id ?? after } : null;
  }
}
