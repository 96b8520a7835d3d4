import { setTimeout as pause } from 'node:timers/promises';
import type { Api } from './http.ts';
import type { Random } from './random.ts';

const PAUSE_MS = 20;

/** Sales of one sku that are repeated under their key until they are answered, as a till does. */
export class Tills {
  private readonly sales = new Map<string, number>();
  private readonly answered = new Set<string>();
  private running: Promise<unknown> = Promise.resolve();
  private open = false;
  private keys = 0;

  constructor(
    private readonly sku: string,
    private readonly random: Random,
  ) {}

  get answeredCount(): number {
    return this.answered.size;
  }

  get soldUnits(): number {
    return [...this.sales.values()].reduce((sum, units) => sum + units, 0);
  }

  /** @param agent to whom they speak; asked anew for every attempt, because the process changes */
  start(count: number, agent: () => Api): void {
    this.open = true;
    this.running = Promise.all(Array.from({ length: count }, () => this.sellOnAndOn(agent)));
  }

  /** No new sales; resolves when those that were begun are answered. */
  async close(): Promise<void> {
    this.open = false;
    await this.running;
  }

  private async sellOnAndOn(agent: () => Api): Promise<void> {
    while (this.open) {
      this.keys += 1;
      const key = `till-${this.keys}`;
      const quantity = this.random.whole(1, 3);
      this.sales.set(key, quantity);
      while (!(await this.isSold(agent(), key, quantity))) await pause(PAUSE_MS);
      this.answered.add(key);
    }
  }

  private async isSold(api: Api, key: string, quantity: number): Promise<boolean> {
    const answer = await api.post('/sales', { sku: this.sku, quantity }, { key }).catch(() => undefined);
    if (answer !== undefined && answer.status !== 201 && answer.status !== 503) {
      throw new Error(`A sale was answered ${answer.status}: ${answer.text}`);
    }
    return answer?.status === 201;
  }
}
