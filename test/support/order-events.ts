import type { Answer, Api } from './http.ts';
import { bodyOf, type Line } from './shop.ts';

/** An event as a shop sends it; anything may be wrong with it. */
export interface SentOrderEvent {
  readonly id: string;
  readonly orderId: string;
  readonly version: number;
  readonly type: unknown;
  readonly occurredAt: unknown;
  readonly data: unknown;
}

export interface OrderResult {
  readonly id: string;
  readonly orderId: string;
  readonly version: number;
  readonly outcome: string;
  readonly code?: string;
  readonly flags?: readonly string[];
}

export interface Order {
  readonly orderId: string;
  readonly status: 'NEW' | 'HELD' | 'PAID' | 'SHIPPED' | 'CANCELLED';
  readonly nextVersion: number;
  readonly blockedBy: number | null;
  readonly parked: readonly number[];
  readonly deadLetters: readonly { readonly id: string; readonly version: number }[];
  readonly conflicts: readonly { readonly id: string; readonly version: number; readonly data: unknown }[];
  readonly reservationId: string | null;
  readonly lines: readonly Line[];
}

const OCCURRED_AT = '2026-11-22T09:00:00.000Z';

/** One order of an outside shop, in the words of its events. */
export class OrderScript {
  constructor(readonly orderId: string) {}

  created(version: number, lines: readonly Line[]): SentOrderEvent {
    return this.event(version, 'order.created', { lines });
  }

  adopted(version: number, reservationId: string): SentOrderEvent {
    return this.event(version, 'order.created', { reservationId });
  }

  paid(version: number): SentOrderEvent {
    return this.event(version, 'order.paid');
  }

  shipped(version: number, data: object = {}): SentOrderEvent {
    return this.event(version, 'order.shipped', data);
  }

  cancelled(version: number, data: object = {}): SentOrderEvent {
    return this.event(version, 'order.cancelled', data);
  }

  event(version: number, type: unknown, data: unknown = {}, id = `${this.orderId}.${version}`): SentOrderEvent {
    return { id, orderId: this.orderId, version, type, occurredAt: OCCURRED_AT, data };
  }
}

/** An outside shop that speaks to a server. */
export class OutsideShop {
  private orders = 0;

  constructor(
    private readonly api: Api,
    private readonly prefix: string,
  ) {}

  order(): OrderScript {
    this.orders += 1;
    return new OrderScript(`${this.prefix}-${this.orders}`);
  }

  trySend(...events: readonly SentOrderEvent[]): Promise<Answer<{ results: OrderResult[] }>> {
    return this.api.post('/v1/sync/orders/events', { events }, { key: null });
  }

  async send(...events: readonly SentOrderEvent[]): Promise<OrderResult[]> {
    return bodyOf(await this.trySend(...events)).results;
  }

  /** In one call. @returns e.g. `['applied', 'dead INSUFFICIENT_STOCK', 'stale +PAID_AFTER_CANCELLED']` */
  async outcomes(...events: readonly SentOrderEvent[]): Promise<string[]> {
    return (await this.send(...events)).map(shown);
  }

  async known(orderId: string): Promise<Order> {
    return bodyOf(await this.api.get<Order>(`/v1/sync/orders/${orderId}`));
  }

  async letterOf(orderId: string): Promise<string> {
    const [letter] = (await this.known(orderId)).deadLetters;
    if (letter === undefined) throw new Error(`${orderId} has no open dead letter`);
    return letter.id;
  }

  async replay(letterId: string): Promise<{ status: string; code: string; attempts: number }> {
    return bodyOf(await this.api.post(`/v1/dead-letters/${letterId}/replay`, undefined, { key: null }));
  }

  async discard(letterId: string): Promise<{ status: string }> {
    return bodyOf(await this.api.post(`/v1/dead-letters/${letterId}/discard`, { reason: 'given up' }, { key: null }));
  }
}

export function shown({ outcome, code, flags }: OrderResult): string {
  return [outcome, ...(code === undefined ? [] : [code]), ...(flags ?? []).map((flag) => `+${flag}`)].join(' ');
}
