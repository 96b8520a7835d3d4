import { follow, type Following } from '../follow.ts';
import type { Target } from '../load.ts';

/** A balance that the centre has told, and when it arrived here. */
interface Seen {
  readonly onHand: number;
  readonly at: number;
}

/** Follows the stock of a sku at the centre, as a storefront does. */
export class StockWatch {
  private readonly seen: Seen[] = [];
  private waiting: (() => void) | undefined;
  private unfinished = '';
  private following: Following | undefined;

  static async open(target: Target, sku: string, locationId: string): Promise<StockWatch> {
    const watch = new StockWatch();
    const path = `/v1/streams/stock?skus=${sku}&locationId=${locationId}`;
    // Skus of the bench are ASCII, so no piece ends within a character.
    watch.following = await follow(target, path, (piece) => {
      watch.take(piece.toString('latin1'));
    });
    return watch;
  }

  /** When this balance arrived, by `performance.now()`. */
  async arrivalOf(onHand: number): Promise<number> {
    for (;;) {
      const found = this.seen.find((one) => one.onHand === onHand);
      if (found !== undefined) return found.at;
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
    }
  }

  close(): void {
    this.following?.stop();
  }

  private take(text: string): void {
    const lines = (this.unfinished + text).split('\n');
    this.unfinished = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data:')) continue;
      const { onHand } = JSON.parse(line.slice('data:'.length)) as { onHand: number };
      this.seen.push({ onHand, at: performance.now() });
      this.waiting?.();
    }
  }
}
