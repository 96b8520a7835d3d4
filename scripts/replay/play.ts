import { type Answer, type ApiClient, type ApiRequest, NO_ANSWER } from './api-client.ts';
import { forEachOf } from './for-each.ts';
import { type Invoice, type Plan, toText } from './plan.ts';
import type { Progress } from './progress.ts';
import type { SaleRow } from './sale-row.ts';
import type { Tally } from './tally.ts';

/** Kept short, because it begins every key and correlation id of the run. */
const RUN_ID = /^[A-Za-z0-9._-]{1,32}$/;

/**
 * Sends a plan to the server: locations, products, opening stock, then the invoices in time order.
 *
 * Every key and correlation id is made of the run and the place in the file, so a repeat of a request, or of the whole
 * run under the same run id, doubles nothing, and the proof finds the run's movements in the ledger.
 */
export class Play {
  constructor(
    private readonly api: ApiClient,
    private readonly tally: Tally,
    private readonly progress: Progress,
    private readonly run: { readonly id: string; readonly concurrency: number },
  ) {
    if (!RUN_ID.test(run.id)) throw new Error(`--run takes 1 to 32 of A-Z a-z 0-9 . _ -, not "${run.id}"`);
  }

  /** @throws Error when the server no longer answers; a refusal is counted and the run goes on */
  async all(plan: Plan): Promise<void> {
    await this.phase('locations', plan.locations, ({ locationId, name }) =>
      this.putIfMissing(`/v1/locations/${locationId}`, { name, kind: 'STORE' }),
    );
    await this.phase('products', plan.products, ({ sku, name }) => this.putIfMissing(`/v1/products/${sku}`, { name }));
    await this.phase('opening stock', plan.opening, (receipt) => this.receive(receipt));
    await this.phase('invoices', plan.invoices, (invoice) => this.invoice(invoice));
  }

  /** Correlation ids of a run begin so. */
  static correlationPrefix(runId: string): string {
    return `replay:${runId}:`;
  }

  private async phase<Item>(title: string, items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
    this.progress.start(title, items.length);
    try {
      await forEachOf(items, this.run.concurrency, async (item) => {
        await work(item);
        this.progress.step();
      });
    } finally {
      this.progress.stop();
    }
  }

  /** What is there keeps its name and policy: a replay adds to a chain's catalogue and overwrites nothing. */
  private async putIfMissing(path: string, body: unknown): Promise<void> {
    const found = await this.send({ method: 'GET', path }, 'catalogue');
    if (found.ok) return;
    const answer = found.status === 404 ? await this.send({ method: 'PUT', path, body }, 'catalogue') : found;
    if (!answer.ok) this.tally.countRefusal(answer.code, `${path}: ${answer.detail}`, 0);
  }

  private async receive({ sku, locationId, units, part }: Plan['opening'][number]): Promise<void> {
    const body = { type: 'RECEIPT', quantity: units, reason: 'opening stock of a replay', reference: this.run.id };
    const path = `/v1/stock/${sku}/${locationId}/movements`;
    const answer = await this.send({ method: 'POST', path, body }, 'opening', `${sku}:${locationId}:${part}`);
    if (answer.ok) {
      this.tally.movements.recorded += 1;
      this.tally.moved({ sku, locationId }, 'RECEIPT', units, 0);
    } else {
      this.tally.notMoved('RECEIPT', units, 0);
      this.tally.countRefusal(answer.code, `${path}: ${answer.detail}`, 0);
    }
  }

  private async invoice({ invoice, reservations, movements }: Invoice): Promise<void> {
    for (const [part, rows] of reservations.entries()) {
      await this.reserve(invoice, part, rows);
    }
    for (const row of movements) {
      await this.record(row);
    }
  }

  private async record({ kind, line, sku, locationId, units, invoice, description }: SaleRow): Promise<void> {
    const type = kind === 'return' ? 'RETURN' : 'WRITE_OFF';
    // On a write-off the description is the clerk's remark ("damaged"), so it is the reason.
    const reason = type === 'WRITE_OFF' ? toText(description) : '';
    const body = { type, quantity: units, reference: invoice, ...(reason === '' ? {} : { reason }) };
    const path = `/v1/stock/${sku}/${locationId}/movements`;
    const answer = await this.send({ method: 'POST', path, body }, invoice, `line-${line}`);
    if (answer.ok) {
      this.tally.movements.recorded += 1;
      this.tally.moved({ sku, locationId }, type, units, 1);
    } else {
      this.tally.notMoved(type, units, 1);
      this.tally.countRefusal(answer.code, `invoice ${invoice}: ${answer.detail}`, 1);
    }
  }

  /** Create, confirm, fulfil: a sale of the storefront from cart to parcel. */
  private async reserve(invoice: string, part: number, rows: readonly SaleRow[]): Promise<void> {
    const { reservations } = this.tally;
    const lines = rows.map(({ sku, locationId, units }) => ({ sku, quantity: units, locationId }));
    const step = (path: string, name: string, body: unknown): Promise<Answer> =>
      this.send({ method: 'POST', path, body }, invoice, `${part}:${name}`);

    const created = await step('/v1/reservations', 'create', { lines });
    if (!created.ok) {
      this.refuse(invoice, rows, created);
      return;
    }
    reservations.created += 1;
    const path = `/v1/reservations/${(created.body as { id: string }).id}`;

    const confirmed = await step(`${path}/confirm`, 'confirm', { orderId: invoice });
    if (confirmed.ok) reservations.confirmed += 1;
    const fulfilled = confirmed.ok ? await step(`${path}/fulfil`, 'fulfil', {}) : confirmed;
    if (fulfilled.ok) {
      reservations.fulfilled += 1;
      for (const row of rows) this.tally.moved(row, 'FULFILMENT', row.units, 1);
      return;
    }
    this.refuse(invoice, rows, fulfilled);
    const cancelled = await step(`${path}/cancel`, 'cancel', { reason: 'the replay could not complete the sale' });
    if (cancelled.ok) reservations.cancelled += 1;
    else for (const row of rows) this.tally.leftOpen(row, row.units);
  }

  private refuse(invoice: string, rows: readonly SaleRow[], answer: Answer & { ok: false }): void {
    for (const row of rows) this.tally.notMoved('FULFILMENT', row.units, 1);
    this.tally.countRefusal(answer.code, `invoice ${invoice}: ${answer.detail}`, rows.length);
  }

  /** @throws Error when all attempts went unanswered: without a server every further request would only wait, too */
  private async send(request: ApiRequest, subject: string, step?: string): Promise<Answer> {
    const correlationId = `${Play.correlationPrefix(this.run.id)}${subject}`;
    const answer = await this.api.send({
      ...request,
      correlationId,
      ...(step === undefined ? {} : { idempotencyKey: `${correlationId}:${step}` }),
    });
    if (!answer.ok && answer.code === NO_ANSWER) {
      throw new Error(`the server no longer answers (${answer.detail}); "--run ${this.run.id}" continues this run`);
    }
    return answer;
  }
}
