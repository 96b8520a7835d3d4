import { setTimeout as pause } from 'node:timers/promises';
import { forEachOf } from '../replay/for-each.ts';
import { ask, type Chain, expectOk } from './chain.ts';
import { openingUnits, type Step } from './steps.ts';

export interface StockItemRef {
  readonly sku: string;
  readonly locationId: string;
}

/** A fact that a till recorded, and when the till asked for it. */
export interface Recorded extends StockItemRef {
  readonly key: string;
  readonly at: number;
}

/** The line is cut, mended, and the centre is killed when this share of the story has been told. */
const CUT_AT = 0.2;
const MEND_AT = 0.5;
const KILL_AT = 0.65;
/** How long the centre stays dead. */
const DEAD_MS = 1500;
const CATALOGUE_CONCURRENCY = 16;
/** Customers that are served at the same time: at the tills of all stores, and on the web. Neither waits for the other. */
const AT_TILLS = 8;
const ON_THE_WEB = 4;

/** What the story does to the chain, told as it happens. */
export type Incident = (text: string) => void;

/** Tills sell, the web reserves; meanwhile a line is cut and the centre dies. */
export class Story {
  /** What is on every shelf when all is told, by `sku location`. */
  readonly expected = new Map<string, StockItemRef & { units: number }>();
  readonly recorded: Recorded[] = [];
  private done = 0;
  private refused = 0;

  constructor(
    private readonly chain: Chain,
    private readonly steps: readonly Step[],
    private readonly perSecond: number,
    private readonly incident: Incident,
  ) {}

  get stepsDone(): number {
    return this.done;
  }

  get stepsTotal(): number {
    return this.steps.length;
  }

  /** Web orders that the centre had no units for. */
  get webRefused(): number {
    return this.refused;
  }

  /** Catalogue and opening stock. */
  async prepare(): Promise<void> {
    const { api } = this.chain;
    const skus = [...new Set(this.steps.map(({ sku }) => sku))];
    await forEachOf(skus, CATALOGUE_CONCURRENCY, async (sku) => {
      expectOk(await ask(api, { method: 'PUT', path: `/v1/products/${sku}`, body: { name: `Article ${sku}` } }));
    });
    await forEachOf([...openingUnits(this.steps).values()], CATALOGUE_CONCURRENCY, async (item) => {
      const { sku, locationId, units } = item;
      const path = `/v1/stock/${sku}/${locationId}/movements`;
      const body = { type: 'RECEIPT', quantity: units };
      expectOk(await ask(api, { method: 'POST', path, body, idempotencyKey: `opening-${sku}-${locationId}` }));
      this.expected.set(`${sku} ${locationId}`, { ...item });
    });
  }

  async tell(): Promise<void> {
    const incidents = this.cutAndKill();
    const web = this.steps.filter(({ kind }) => kind === 'pickup' || kind === 'change of mind');
    const tills = this.steps.filter(({ kind }) => kind === 'sale' || kind === 'return');
    await Promise.all([
      this.inStep(tills, AT_TILLS, (step) => this.atTill(step)),
      this.inStep(web, ON_THE_WEB, (step) => this.onTheWeb(step)),
      incidents,
    ]);
  }

  /** Spread evenly over the time of the story. */
  private inStep(steps: readonly Step[], customers: number, take: (step: Step) => Promise<void>): Promise<void> {
    const perSecond = (this.perSecond * steps.length) / this.steps.length;
    const startedAt = performance.now();
    let begun = 0;
    return forEachOf(steps, customers, async (step) => {
      const dueAt = startedAt + (begun / perSecond) * 1000;
      begun += 1;
      await pause(Math.max(0, dueAt - performance.now()));
      await take(step);
      this.done += 1;
    });
  }

  private async cutAndKill(): Promise<void> {
    await this.untilShare(CUT_AT);
    this.chain.cable.cut();
    this.incident('the line of S2 is cut');
    await this.untilShare(MEND_AT);
    this.chain.cable.mend();
    this.incident('the line of S2 is mended');
    await this.untilShare(KILL_AT);
    await this.chain.centre.kill();
    this.incident('the centre was killed');
    await pause(DEAD_MS);
    await this.chain.centre.start();
    this.incident('the centre is there again');
  }

  private async untilShare(share: number): Promise<void> {
    while (this.done < share * this.steps.length) await pause(10);
  }

  private async atTill({ kind, sku, units, locationId, key }: Step): Promise<void> {
    const body = { sku, quantity: units, reference: key };
    const at = Date.now();
    const path = kind === 'sale' ? '/sales' : '/returns';
    expectOk(await ask(this.chain.store(locationId).api, { method: 'POST', path, body, idempotencyKey: key }));
    this.recorded.push({ sku, locationId, key, at });
    this.move(sku, locationId, kind === 'sale' ? -units : units);
  }

  /** Reserved and paid at the centre, then fetched at the store, or given up. */
  private async onTheWeb({ kind, sku, units, locationId, key }: Step): Promise<void> {
    const { api } = this.chain;
    const lines = [{ sku, quantity: units, locationId }];
    const reserved = await ask(api, { method: 'POST', path: '/v1/reservations', body: { lines }, idempotencyKey: key });
    if (!reserved.ok && reserved.code === 'INSUFFICIENT_STOCK') {
      this.refused += 1;
      return;
    }
    const { id } = expectOk(reserved).body as { id: string };
    if (kind === 'change of mind') {
      expectOk(await ask(api, { method: 'POST', path: `/v1/reservations/${id}/cancel`, body: {} }));
      return;
    }
    const body = { orderId: `order-${key}` };
    expectOk(await ask(api, { method: 'POST', path: `/v1/reservations/${id}/confirm`, body }));
    const pickup = { method: 'POST', path: '/pickups', body: { reservationId: id }, idempotencyKey: key } as const;
    expectOk(await ask(this.chain.store(locationId).api, pickup));
    this.move(sku, locationId, -units);
  }

  private move(sku: string, locationId: string, units: number): void {
    const item = this.expected.get(`${sku} ${locationId}`);
    if (item !== undefined) item.units += units;
  }
}
