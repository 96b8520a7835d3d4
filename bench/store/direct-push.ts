import { randomUUID } from 'node:crypto';
import { QUANTITY_MAX } from '../../scripts/replay/limits.ts';
import type { Target } from '../load.ts';
import { SKUS, skuOf } from '../stock.ts';

/** As many as a call may bring (DESIGN section 7). */
const EVENTS_PER_CALL = 1000;

/** Pushes sales of a store of its own straight to the centre, as fast as it takes them: what ingestion can do. */
export class DirectPush {
  private sequence = 0;
  private epoch = 0;

  constructor(
    private readonly target: Target,
    private readonly locationId: string,
  ) {}

  async open(): Promise<void> {
    await this.send('PUT', `/v1/locations/${this.locationId}`, { name: 'Bench', kind: 'STORE' });
    const { epoch } = (await this.send('POST', `${this.path}/streams`)) as { epoch: number };
    this.epoch = epoch;
    // Every stock item is there before the clock runs, as it is for a store that comes back, and no sale oversells it.
    await this.push(SKUS, { type: 'receipt', quantity: QUANTITY_MAX });
  }

  /** @returns events a second */
  async push(events: number, what = { type: 'sale', quantity: 1 }): Promise<number> {
    const startedAt = performance.now();
    for (let left = events; left > 0; left -= EVENTS_PER_CALL) {
      const batch = Array.from({ length: Math.min(left, EVENTS_PER_CALL) }, () => this.next(what));
      const { results } = (await this.send('POST', `${this.path}/events`, { epoch: this.epoch, events: batch })) as {
        results: { outcome: string }[];
      };
      const other = results.find(({ outcome }) => outcome !== 'applied');
      if (other !== undefined) throw new Error(`An event was not applied but ${other.outcome}`);
    }
    return (events * 1000) / (performance.now() - startedAt);
  }

  private get path(): string {
    return `/v1/sync/stores/${this.locationId}`;
  }

  private next({ type, quantity }: { type: string; quantity: number }): object {
    this.sequence += 1;
    const data = { sku: skuOf(this.sequence % SKUS), quantity };
    const occurredAt = new Date().toISOString();
    return { id: randomUUID(), sequence: this.sequence, type, version: 1, occurredAt, data };
  }

  private async send(method: string, path: string, body?: object): Promise<unknown> {
    const { url, adminKey } = this.target;
    const who: Record<string, string> = adminKey === undefined ? {} : { 'x-api-key': adminKey };
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = body === undefined ? who : { ...who, 'content-type': 'application/json' };
    const answer = await fetch(`${url}${path}`, { method, headers, ...content });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}
