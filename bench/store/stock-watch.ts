import { get } from 'node:http';
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

  private constructor(private readonly end: () => void) {}

  static open({ url }: Target, sku: string, locationId: string): Promise<StockWatch> {
    return new Promise((resolve, reject) => {
      const path = `/v1/streams/stock?skus=${sku}&locationId=${locationId}`;
      const request = get(`${url}${path}`, { agent: false, headers: { accept: 'text/event-stream' } }, (response) => {
        if (response.statusCode !== 200) {
          reject(new Error(`${path}: ${response.statusCode}`));
          return;
        }
        const watch = new StockWatch(() => request.destroy());
        let unfinished = '';
        response.setEncoding('utf8');
        response.on('error', () => undefined);
        response.on('data', (text: string) => {
          const lines = (unfinished + text).split('\n');
          unfinished = lines.pop() ?? '';
          lines.forEach((line) => {
            watch.read(line);
          });
          resolve(watch);
        });
      });
      request.once('error', reject);
    });
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
    this.end();
  }

  private read(line: string): void {
    if (!line.startsWith('data:')) return;
    const { onHand } = JSON.parse(line.slice('data:'.length)) as { onHand: number };
    this.seen.push({ onHand, at: performance.now() });
    this.waiting?.();
  }
}
