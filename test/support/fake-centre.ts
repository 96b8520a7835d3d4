import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** An event as a store sends it. */
interface SentEvent {
  readonly id: string;
  readonly sequence: number;
  readonly type: string;
  readonly version: number;
  readonly occurredAt: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Hold {
  units: number;
  state: 'HELD' | 'COMMITTED';
  expiresAt: string;
}

interface Item {
  onHand: number;
  safetyStock: number;
  version: number;
  readonly holds: Map<string, Hold>;
}

interface LoggedChange {
  readonly position: number;
  readonly event: Readonly<Record<string, unknown>>;
  /** Of a central movement of on-hand units. */
  readonly moved: { readonly sku: string; readonly delta: number } | null;
}

/** Answers something else than the fake would, or not at all; undefined leaves it to the fake. */
export type Intrusion = (
  method: string,
  path: string,
  body: unknown,
  headers: IncomingHttpHeaders,
) => { status: number; body: object; headers?: Readonly<Record<string, string>> } | 'cut' | 'silence' | undefined;

/**
 * A centre in a few lines, for one store: what the agent is told in docs/sync-protocol.md, and nothing else of the real one.
 * It stands beside it where a test has to have the centre lose its memory, refuse, cut or stop at will; what the agent
 * needs of the real one is proved by the same expectations on both (store-agent.spec.ts).
 */
export class FakeCentre {
  readonly items = new Map<string, Item>();
  readonly received: SentEvent[] = [];
  epoch = 0;
  nextSequence = 1;
  /** Cursors before this position are gone. */
  purgedThrough = 0;
  intrude: Intrusion = () => undefined;
  private readonly products = new Set<string>();
  private readonly contents = new Map<string, string>();
  private readonly outcomes = new Map<string, string>();
  private readonly parked = new Map<number, SentEvent>();
  private readonly homeless: SentEvent[] = [];
  private readonly openings = new Map<string, number>();
  private readonly log: LoggedChange[] = [];
  private readonly waiting = new Set<() => void>();
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private port = 0;

  constructor(readonly locationId = 'S1') {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get head(): number {
    return this.log.length;
  }

  async start(): Promise<this> {
    this.server = createServer((request, response) => void this.answer(request, response));
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => this.server?.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  /** Gone at once; `start` brings it back at the same address with all that it knew. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.wakeAll();
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => (server === undefined ? resolve(null) : server.close(resolve)));
  }

  // ---------------------------------------------------------------- what happens at the centre

  addProduct(sku: string): void {
    this.products.add(sku);
    for (const event of this.homeless.splice(0)) {
      if (event.data['sku'] === sku) this.process(event);
      else this.homeless.push(event);
    }
  }

  move(sku: string, delta: number): void {
    this.addProduct(sku);
    const item = this.change(sku);
    item.onHand += delta;
    this.tell('inventory.stock.moved', sku, { movementType: 'RECEIPT', delta }, delta);
  }

  hold(sku: string, holdId: string, units: number): void {
    const item = this.change(sku);
    const expiresAt = '2030-01-01T00:00:00.000Z';
    item.holds.set(holdId, { units, state: 'HELD', expiresAt });
    this.tell('inventory.stock.held', sku, { holdId, units, expiresAt });
  }

  confirm(sku: string, holdId: string): void {
    const hold = this.change(sku).holds.get(holdId);
    if (hold === undefined) throw new Error(`There is no hold ${holdId}`);
    hold.state = 'COMMITTED';
    this.tell('inventory.stock.committed', sku, { holdId, units: hold.units });
  }

  release(sku: string, holdId: string): void {
    const item = this.change(sku);
    const hold = item.holds.get(holdId);
    if (hold === undefined) throw new Error(`There is no hold ${holdId}`);
    item.holds.delete(holdId);
    this.tell('inventory.stock.released', sku, { holdId, units: hold.units, from: hold.state, cause: 'CANCELLED' });
  }

  fulfil(sku: string, holdId: string): void {
    const units = this.takeHold(sku, holdId);
    const data = { movementType: 'FULFILMENT', delta: -units, holdId };
    this.tell('inventory.stock.moved', sku, data, -units);
  }

  setSafetyStock(sku: string, safetyStock: number): void {
    this.change(sku).safetyStock = safetyStock;
    this.tell('inventory.stock.policy-changed', sku, { safetyStock, lowStockThreshold: null });
  }

  /** Something of a type that came after the agent. */
  tellSomethingNew(sku: string, type = 'inventory.stock.admired'): void {
    this.tell(type, sku, { by: 'everybody' });
  }

  /** As GET /stock of the agent shows it. */
  stockOf(sku: string): { onHand: number; held: number; committed: number; available: number } {
    const item = this.items.get(sku);
    const { onHand, safetyStock } = item ?? { onHand: 0, safetyStock: 0 };
    const held = unitsOf(item, 'HELD');
    const committed = unitsOf(item, 'COMMITTED');
    return { onHand, held, committed, available: onHand - held - committed - safetyStock };
  }

  /** Restored from a backup that was taken before anybody had told it anything. */
  forgetEverything(): void {
    for (const kept of [this.items, this.contents, this.outcomes, this.parked, this.openings]) kept.clear();
    for (const kept of [this.received, this.homeless, this.log]) kept.length = 0;
    this.epoch = 0;
    this.nextSequence = 1;
    this.wakeAll();
  }

  // ---------------------------------------------------------------- HTTP

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const text = await bodyOf(request).catch(() => '');
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const path = pathname.replace(`/v1/sync/stores/${this.locationId}`, '');
    const intrusion = this.intrude(request.method ?? '', path, body, request.headers);
    // Taken, and never answered.
    if (intrusion === 'silence') return;
    if (intrusion === 'cut') {
      request.socket.destroy();
      return;
    }
    if (intrusion !== undefined) {
      for (const [name, value] of Object.entries(intrusion.headers ?? {})) response.setHeader(name, value);
      send(response, intrusion.status, intrusion.body);
      return;
    }
    switch (`${request.method} ${path}`) {
      case 'GET ':
        if (this.epoch === 0) send(response, 404, { code: 'NOT_FOUND', detail: 'no stream' });
        else send(response, 200, { locationId: this.locationId, epoch: this.epoch, nextSequence: this.nextSequence });
        break;
      case 'POST /streams':
        send(response, 201, { epoch: this.openStream(request.headers['idempotency-key']), nextSequence: 1 });
        break;
      case 'POST /events':
        this.takeEvents(body as { epoch: number; events: SentEvent[] }, response);
        break;
      case 'GET /changes':
        await this.sendChanges(searchParams, response);
        break;
      case 'GET /snapshot':
        this.sendSnapshot(response);
        break;
      default:
        send(response, 404, { code: 'NOT_FOUND', detail: path });
    }
  }

  private openStream(key: string | string[] | undefined): number {
    const before = this.openings.get(String(key));
    if (before !== undefined) return before;
    this.epoch += 1;
    this.nextSequence = 1;
    for (const event of this.parked.values()) this.contents.delete(event.id);
    this.parked.clear();
    this.openings.set(String(key), this.epoch);
    return this.epoch;
  }

  private takeEvents({ epoch, events }: { epoch: number; events: SentEvent[] }, response: ServerResponse): void {
    if (epoch < this.epoch) {
      send(response, 409, { code: 'STALE_EPOCH', detail: `${epoch} is over` });
      return;
    }
    if (epoch > this.epoch) {
      send(response, 400, { code: 'VALIDATION_FAILED', detail: 'epoch was never given' });
      return;
    }
    const results = events.map((event) => this.takeEvent(event));
    send(response, 200, { results, nextSequence: this.nextSequence, missing: this.missing() });
  }

  private takeEvent(event: SentEvent): object {
    const { id, sequence } = event;
    const { type, version, occurredAt, data } = event;
    const content = JSON.stringify({ type, version, occurredAt, data });
    const known = this.contents.get(id);
    const isNext = sequence === this.nextSequence;
    if (known !== undefined || sequence < this.nextSequence || this.parked.has(sequence)) {
      if (isNext) this.advance();
      return { id, sequence, outcome: known === content ? 'duplicate' : 'conflict' };
    }
    this.contents.set(id, content);
    if (!isNext) {
      this.parked.set(sequence, event);
      return { id, sequence, outcome: 'parked' };
    }
    this.process(event);
    this.advance();
    const code = this.outcomes.get(id);
    return code === undefined ? { id, sequence, outcome: 'applied' } : { id, sequence, outcome: 'dead', code };
  }

  private advance(): void {
    this.nextSequence += 1;
    for (let next = this.parked.get(this.nextSequence); next; next = this.parked.get(this.nextSequence)) {
      this.parked.delete(this.nextSequence);
      this.process(next);
      this.nextSequence += 1;
    }
  }

  private missing(): [number, number][] {
    const ranges: [number, number][] = [];
    let from = this.nextSequence;
    for (const sequence of [...this.parked.keys()].sort((one, other) => one - other)) {
      if (sequence > from) ranges.push([from, sequence - 1]);
      from = sequence + 1;
    }
    return ranges;
  }

  private process(event: SentEvent): void {
    const { id, type, data } = event;
    const sku = String(data['sku']);
    if (type === 'pickup') {
      const code = this.pickUp(String(data['reservationId']));
      if (code === null) this.received.push(event);
      else this.outcomes.set(id, code);
      return;
    }
    if (!this.products.has(sku)) {
      this.outcomes.set(id, 'UNKNOWN_PRODUCT');
      this.homeless.push(event);
      return;
    }
    this.received.push(event);
    const item = this.change(sku);
    if (type === 'count') {
      item.onHand = Number(data['counted']) + this.movedBehind(sku, Number(data['cursor']));
    } else {
      item.onHand += (type === 'sale' ? -1 : 1) * Number(data['quantity']);
    }
  }

  private pickUp(reservationId: string): string | null {
    const lines = [...this.items].filter(([, item]) => item.holds.has(reservationId));
    if (lines.some(([, item]) => item.holds.get(reservationId)?.state === 'HELD') || lines.length === 0) {
      return 'RESERVATION_NOT_CONFIRMED';
    }
    for (const [sku] of lines) this.takeHold(sku, reservationId);
    return null;
  }

  private movedBehind(sku: string, cursor: number): number {
    return this.log.slice(cursor).reduce((units, { moved }) => units + (moved?.sku === sku ? moved.delta : 0), 0);
  }

  private async sendChanges(query: URLSearchParams, response: ServerResponse): Promise<void> {
    const after = Number(query.get('after') ?? this.purgedThrough);
    if (after < this.purgedThrough || after > this.head) {
      send(response, 410, { code: 'CURSOR_GONE', detail: 'purged' });
      return;
    }
    if (after === this.head) await this.waitForChange(Number(query.get('waitSeconds')));
    if (response.destroyed) return;
    const changes = this.log.slice(after).map(({ event }) => event);
    send(response, 200, { changes, cursor: String(this.head) });
  }

  private waitForChange(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, seconds * 1000);
      this.waiting.add(done);
    });
  }

  private wakeAll(): void {
    for (const wake of this.waiting) wake();
  }

  private sendSnapshot(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const head = { cursor: String(this.head), epoch: this.epoch, nextSequence: this.nextSequence };
    response.write(`${JSON.stringify(head)}\n`);
    for (const [sku, { onHand, safetyStock, version, holds }] of this.items) {
      const lines = [...holds].map(([holdId, hold]) => ({ holdId, ...hold }));
      response.write(`${JSON.stringify({ sku, onHand, safetyStock, version, holds: lines })}\n`);
    }
    response.end();
  }

  // ---------------------------------------------------------------- stock and its log

  private takeHold(sku: string, holdId: string): number {
    const item = this.change(sku);
    const units = item.holds.get(holdId)?.units ?? 0;
    item.holds.delete(holdId);
    item.onHand -= units;
    return units;
  }

  private change(sku: string): Item {
    const item = this.items.get(sku) ?? { onHand: 0, safetyStock: 0, version: 0, holds: new Map() };
    item.version += 1;
    this.items.set(sku, item);
    return item;
  }

  private tell(type: string, sku: string, data: object, delta = 0): void {
    const position = this.log.length + 1;
    const event = {
      specversion: '1.0',
      id: `change-${position}`,
      source: 'urn:holdfast:inventory',
      type,
      subject: `stock/${sku}/${this.locationId}`,
      dataversion: 1,
      subjectversion: this.items.get(sku)?.version ?? 1,
      data: { sku, locationId: this.locationId, ...data },
    };
    this.log.push({ position, event, moved: delta === 0 ? null : { sku, delta } });
    this.wakeAll();
  }
}

function unitsOf(item: Item | undefined, state: Hold['state']): number {
  return [...(item?.holds.values() ?? [])].reduce((units, hold) => units + (hold.state === state ? hold.units : 0), 0);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
