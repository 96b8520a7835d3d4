import { type Answer, type Api, freshKey } from './http.ts';
import { allPages, type Line, type Moved, type Reservation, ShopClient, stockPath } from './shop.ts';

/** So much that no shopper is ever refused, in one receipt that is told from all others by its size. */
export const OPENING_UNITS = 1_000_000;

/** One request of a shopper, and the answer when there was one. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: object;
  readonly key: string;
  /** Undefined: the connection broke before an answer came. */
  answer?: Answer;
}

/**
 * Shoppers who send requests one after the other until they are told to stop, and remember every one of them. What
 * was answered must be there afterwards, once; what was not answered must be there once or not at all.
 */
export class Shoppers {
  private stopped = false;
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly api: Api,
    private readonly place: string,
    private readonly sku: string,
    /** Grows with every request; the next shoppers may go on with it. */
    readonly sent: Sent[],
  ) {}

  start(count: number): void {
    this.running = Promise.all(Array.from({ length: count }, (_, i) => this.shop(i)));
  }

  get answeredCount(): number {
    return this.sent.filter(({ answer }) => answer !== undefined).length;
  }

  /** Nobody begins anything new; resolves when every request has its answer or lost its connection. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private goesOn(): boolean {
    return !this.stopped;
  }

  private async shop(shopper: number): Promise<void> {
    for (let round = 0; this.goesOn(); round++) {
      const lines: Line[] = [{ sku: this.sku, quantity: 1 + ((shopper + round) % 3) }];
      const made = await this.send<Reservation>('POST', '/v1/reservations', { lines, ttlSeconds: 14_400 });
      if (made?.status !== 201 || !this.goesOn()) continue;
      const url = `/v1/reservations/${made.body.id}`;
      if (round % 4 === 1) await this.send('PUT', `${url}/lines`, { lines: [{ sku: this.sku, quantity: 2 }] });
      if (round % 4 === 2) await this.send('POST', `${url}/confirm`, { orderId: `order-${shopper}-${round}` });
      if (round % 4 === 3) await this.send('POST', `${url}/cancel`, {});
      await this.send('POST', stockPath(this.sku, this.place, '/movements'), { type: 'RECEIPT', quantity: 1 });
    }
  }

  private async send<Body>(method: string, path: string, body: object): Promise<Answer<Body> | undefined> {
    const sent: Sent = { method, path, body, key: freshKey() };
    this.sent.push(sent);
    try {
      const answer = await this.api.send<Body>(method, path, body, { key: sent.key });
      sent.answer = answer;
      return answer;
    } catch {
      // There is no server to talk to until the suite starts the next one.
      this.stopped = true;
      return undefined;
    }
  }
}

/** A 503 says that nothing was done, or that nobody knows: as if there had been no answer. */
export function withoutRefusals(sent: readonly Sent[]): Sent[] {
  return sent.map((one) => (one.answer?.status === 503 ? { ...one, answer: undefined } : one));
}

/**
 * Repeats everything that was sent under its key, so that each request has been executed exactly once, and compares
 * that with what the server shows.
 * @returns all that was lost or doubled; an empty list when nothing was
 */
export async function lossesAndDoubles(api: Api, place: string, sku: string, sent: readonly Sent[]): Promise<string[]> {
  const wrong: string[] = [];
  const latest = new Map<string, Reservation>();
  const movementIds = new Set<string>();
  // All at once: of each shopper at most the last request is executed now, all others are replayed.
  const answers = await Promise.all(
    sent.map(({ method, path, body, key }) => api.send<Partial<Reservation & Moved>>(method, path, body, { key })),
  );
  sent.forEach((one, index) => {
    const again = answers[index];
    if (again === undefined) return;
    wrong.push(...differences(one, again));
    if (again.body.movementId !== undefined) movementIds.add(again.body.movementId);
    if (again.body.id !== undefined) latest.set(again.body.id, again.body as Reservation);
  });

  const listed = await allPages<Reservation>(api, '/v1/reservations');
  for (const reservation of listed) {
    const expected = JSON.stringify(latest.get(reservation.id));
    if (JSON.stringify(reservation) !== expected) {
      wrong.push(`reservation ${JSON.stringify(reservation)} instead of ${expected}`);
    }
    latest.delete(reservation.id);
  }
  for (const id of latest.keys()) wrong.push(`reservation ${id} is not listed`);

  const ledger = await new ShopClient(api).ledger(sku, place);
  for (const { movementId, type, delta } of ledger) {
    const isOpening = type === 'RECEIPT' && delta === OPENING_UNITS;
    if (!movementIds.delete(movementId) && !isOpening) wrong.push(`movement ${movementId} is nobody's`);
  }
  for (const id of movementIds) wrong.push(`movement ${id} is not in the ledger`);
  return wrong;
}

/** What an answered request shows when it is repeated must be what it showed; an unanswered one must succeed now. */
function differences({ method, path, key, answer }: Sent, again: Answer): string[] {
  const name = `${method} ${path} ${key}`;
  if (again.status >= 300) return [`${name}: repeated as ${again.status} ${again.text}`];
  if (answer === undefined) return [];
  const replayed = again.headers['idempotency-replayed'] === 'true';
  return [
    ...(replayed ? [] : [`${name}: its key is forgotten`]),
    ...(again.text === answer.text && again.status === answer.status
      ? []
      : [`${name}: answered ${answer.status} ${answer.text}, replayed ${again.status} ${again.text}`]),
  ];
}
