import { type Answer, type Api, type SendOptions } from './http.ts';
import type { Engine } from './services.ts';
import { type RunningApp, startApp } from './start-app.ts';
import type { TestClock } from './test-clock.ts';

export interface StockItem {
  readonly sku: string;
  readonly locationId: string;
  readonly onHand: number;
  readonly held: number;
  readonly committed: number;
  readonly incoming: number;
  readonly safetyStock: number;
  readonly available: number;
  readonly version: number;
  readonly updatedAt: string | null;
  readonly freshness: Freshness;
}

export interface Freshness {
  readonly status: 'DIRECT' | 'LIVE' | 'STALE' | 'SILENT';
  readonly lastSequence: number | null;
  readonly asOf: string | null;
  readonly lagSeconds: number | null;
}

/** Of a location that never pushed, and so of nearly every one in these suites. */
export const DIRECT: Freshness = { status: 'DIRECT', lastSequence: null, asOf: null, lagSeconds: null };

export interface StockOfSku {
  readonly sku: string;
  readonly totals: Pick<StockItem, 'onHand' | 'held' | 'committed' | 'incoming' | 'available'>;
  readonly locations: readonly StockItem[];
}

export interface Movement {
  readonly movementId: string;
  readonly type: string;
  readonly delta: number;
  readonly onHandAfter: number;
  readonly reason: string | null;
  readonly reference: string | null;
  readonly occurredAt: string;
  readonly correlationId: string;
}

export interface Moved {
  readonly movementId: string;
  readonly stock: StockItem;
}

export interface Line {
  readonly sku: string;
  readonly quantity: number;
  readonly locationId?: string | null;
}

export interface Reservation {
  readonly id: string;
  readonly status: 'ACTIVE' | 'CONFIRMED' | 'FULFILLED' | 'CANCELLED' | 'EXPIRED';
  readonly lines: readonly (Line & {
    readonly allocations: readonly { locationId: string; quantity: number; fulfilled: boolean }[];
  })[];
  readonly cartId: string | null;
  readonly orderId: string | null;
  readonly expiresAt: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly version: number;
}

export interface Transfer {
  readonly id: string;
  readonly sku: string;
  readonly fromLocationId: string;
  readonly toLocationId: string;
  readonly quantity: number;
  readonly received: number | null;
  readonly status: 'IN_TRANSIT' | 'RECEIVED' | 'CANCELLED';
  readonly reason: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly version: number;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** The body of an answer that has to have this status. @throws Error showing the answer when it has not */
export function bodyOf<Body>(answer: Answer<Body>, status = 200): Body {
  if (answer.status !== status) {
    throw new Error(`Status ${answer.status} instead of ${status}: ${answer.text.slice(0, 600)}`);
  }
  return answer.body;
}

/** What each line got: `{ locationId: quantity }`, short enough to compare at a glance. */
export function allocationsOf(reservation: Reservation): Record<string, number>[] {
  return reservation.lines.map((line) =>
    Object.fromEntries(line.allocations.map(({ locationId, quantity }) => [locationId, quantity])),
  );
}

export function stockPath(sku: string, locationId: string, rest = ''): string {
  return `/v1/stock/${encodeURIComponent(sku)}/${encodeURIComponent(locationId)}${rest}`;
}

/** All items of a list, page after page. */
export async function allPages<Item>(api: Api, path: string, limit = 200): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const query = `${path.includes('?') ? '&' : '?'}limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`;
    const page: Page<Item> = bodyOf(await api.get<Page<Item>>(path + query));
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

/** The words in which the suites speak to a server; what is not said with "try" has to succeed. */
export class ShopClient {
  private names = 0;

  constructor(
    private connected: Api | undefined,
    /** Told apart by it, two clients of one server name different things. */
    private readonly prefix = '',
  ) {}

  get api(): Api {
    if (this.connected === undefined) throw new Error('There is no server yet: it is started by beforeAll');
    return this.connected;
  }

  protected connect(api: Api): void {
    this.connected = api;
  }

  /** An id that nothing has yet; later ones sort behind earlier ones. */
  name(kind: string): string {
    this.names += 1;
    return `${this.prefix}${kind}-${String(this.names).padStart(5, '0')}`;
  }

  async location(fields: object = {}, id = this.name('loc')): Promise<string> {
    bodyOf(await this.api.put(`/v1/locations/${id}`, { name: `Place ${id}`, kind: 'STORE', ...fields }), 201);
    return id;
  }

  async product(fields: object = {}, sku = this.name('sku')): Promise<string> {
    bodyOf(await this.api.put(`/v1/products/${sku}`, { name: `Thing ${sku}`, ...fields }), 201);
    return sku;
  }

  async receive(sku: string, locationId: string, quantity: number): Promise<StockItem> {
    return bodyOf(await this.tryMove(sku, locationId, 'RECEIPT', quantity), 201).stock;
  }

  /** A new product with this many units at each of the locations. */
  async stocked(units: Readonly<Record<string, number>>, fields: object = {}): Promise<string> {
    const sku = await this.product(fields);
    for (const [locationId, quantity] of Object.entries(units)) {
      if (quantity > 0) await this.receive(sku, locationId, quantity);
    }
    return sku;
  }

  tryMove(
    sku: string,
    locationId: string,
    type: string,
    quantity: number,
    more: object = {},
    options?: SendOptions,
  ): Promise<Answer<Moved>> {
    return this.api.post<Moved>(stockPath(sku, locationId, '/movements'), { type, quantity, ...more }, options);
  }

  tryCount(sku: string, locationId: string, counted: number, more: object = {}): Promise<Answer<Moved>> {
    return this.api.post<Moved>(stockPath(sku, locationId, '/counts'), { counted, ...more });
  }

  async count(sku: string, locationId: string, counted: number): Promise<StockItem> {
    return bodyOf(await this.tryCount(sku, locationId, counted), 201).stock;
  }

  async safetyStock(sku: string, locationId: string, safetyStock: number): Promise<StockItem> {
    return bodyOf(await this.api.put<StockItem>(stockPath(sku, locationId, '/policy'), { safetyStock }));
  }

  async stock(sku: string, locationId: string): Promise<StockItem> {
    return bodyOf(await this.api.get<StockItem>(stockPath(sku, locationId)));
  }

  async ledger(sku: string, locationId: string): Promise<Movement[]> {
    return allPages<Movement>(this.api, stockPath(sku, locationId, '/movements'));
  }

  tryReserve(lines: readonly Line[], more: object = {}, options?: SendOptions): Promise<Answer<Reservation>> {
    return this.api.post<Reservation>('/v1/reservations', { lines, ...more }, options);
  }

  async reserve(lines: readonly Line[], more: object = {}): Promise<Reservation> {
    return bodyOf(await this.tryReserve(lines, more), 201);
  }

  async reservation(id: string): Promise<Reservation> {
    return bodyOf(await this.api.get<Reservation>(`/v1/reservations/${id}`));
  }

  tryUpdate(
    id: string,
    lines: readonly Line[],
    more: object = {},
    options?: SendOptions,
  ): Promise<Answer<Reservation>> {
    return this.api.put<Reservation>(`/v1/reservations/${id}/lines`, { lines, ...more }, options);
  }

  async update(id: string, lines: readonly Line[], more: object = {}): Promise<Reservation> {
    return bodyOf(await this.tryUpdate(id, lines, more));
  }

  tryTo(
    verb: 'refresh' | 'confirm' | 'cancel' | 'fulfil',
    id: string,
    body: object = {},
    options?: SendOptions,
  ): Promise<Answer<Reservation>> {
    return this.api.post<Reservation>(`/v1/reservations/${id}/${verb}`, body, { key: null, ...options });
  }

  async refresh(id: string, body: object = {}): Promise<Reservation> {
    return bodyOf(await this.tryTo('refresh', id, body));
  }

  async confirm(id: string, orderId = this.name('order')): Promise<Reservation> {
    return bodyOf(await this.tryTo('confirm', id, { orderId }));
  }

  async cancel(id: string): Promise<Reservation> {
    return bodyOf(await this.tryTo('cancel', id));
  }

  async fulfil(id: string, locationId?: string): Promise<Reservation> {
    return bodyOf(await this.tryTo('fulfil', id, locationId === undefined ? {} : { locationId }));
  }

  tryDispatch(
    sku: string,
    fromLocationId: string,
    toLocationId: string,
    quantity: number,
    options?: SendOptions,
  ): Promise<Answer<Transfer>> {
    return this.api.post<Transfer>('/v1/transfers', { sku, fromLocationId, toLocationId, quantity }, options);
  }

  async dispatch(sku: string, fromLocationId: string, toLocationId: string, quantity: number): Promise<Transfer> {
    return bodyOf(await this.tryDispatch(sku, fromLocationId, toLocationId, quantity), 201);
  }

  /** Says what became of a transfer. */
  tryEnd(verb: 'receive' | 'cancel', id: string, body: object = {}, options?: SendOptions): Promise<Answer<Transfer>> {
    return this.api.post<Transfer>(`/v1/transfers/${id}/${verb}`, body, { key: null, ...options });
  }

  async end(verb: 'receive' | 'cancel', id: string, body: object = {}): Promise<Transfer> {
    return bodyOf(await this.tryEnd(verb, id, body));
  }

  async transfer(id: string): Promise<Transfer> {
    return bodyOf(await this.api.get<Transfer>(`/v1/transfers/${id}`));
  }

  /** All that can be seen of stock, transfers and reservations, to prove that something changed nothing. */
  async everything(): Promise<{
    locations: unknown[];
    products: unknown[];
    stock: unknown[];
    transfers: unknown[];
    reservations: unknown[];
  }> {
    return {
      locations: await allPages(this.api, '/v1/locations'),
      products: await allPages(this.api, '/v1/products'),
      stock: await allPages(this.api, '/v1/stock'),
      transfers: await allPages(this.api, '/v1/transfers'),
      reservations: await allPages(this.api, '/v1/reservations'),
    };
  }
}

/** A shop client whose server a suite starts and stops, see `useShop`. */
export class Shop extends ShopClient {
  private running: RunningApp | undefined;

  constructor() {
    super(undefined);
  }

  open(running: RunningApp): void {
    this.running = running;
    this.connect(running.api);
  }

  get clock(): TestClock {
    return this.app.clock;
  }

  get url(): string {
    return this.app.url;
  }

  get app(): RunningApp {
    if (this.running === undefined) throw new Error('There is no server yet: it is started by beforeAll');
    return this.running;
  }

  async close(): Promise<void> {
    await this.running?.close();
  }
}

/** A server for the suite that is being described: started before its first test, stopped after its last. */
export function useShop(engine: Engine, env: Readonly<Record<string, string>> = {}): Shop {
  const shop = new Shop();
  beforeAll(async () => {
    shop.open(await startApp(engine, env));
  });
  afterAll(() => shop.close());
  return shop;
}
