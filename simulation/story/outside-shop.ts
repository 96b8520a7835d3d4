import { type OrderEventResult, RecordOrderEvents } from '../../src/modules/sync/contract.ts';
import { toOrderEvent } from '../../src/modules/sync/order.dto.ts';
import { toIsoInstant } from '../../src/shared/kernel/clock.ts';
import { Chance } from '../chance.ts';
import type { Coverage } from '../coverage.ts';
import { drawLines } from './draw-ask.ts';
import type { Network } from './network.ts';
import type { Telling } from './telling.ts';

const ORDERS = 6;

interface OrderEvent {
  readonly id: string;
  readonly orderId: string;
  readonly version: number;
  readonly type: string;
  readonly occurredAt: string;
  readonly data: object;
}

/** What becomes of an order in the shop that sells it. */
export interface OrderScript {
  readonly orderId: string;
  readonly events: readonly OrderEvent[];
  /** As the order has to end when all was told. */
  readonly end: 'HELD' | 'PAID' | 'SHIPPED' | 'CANCELLED';
}

const SCRIPTS: readonly { readonly types: readonly string[]; readonly end: OrderScript['end'] }[] = [
  { types: ['created', 'paid', 'shipped'], end: 'SHIPPED' },
  { types: ['created', 'paid', 'shipped'], end: 'SHIPPED' },
  { types: ['created', 'paid'], end: 'PAID' },
  { types: ['created', 'cancelled'], end: 'CANCELLED' },
  { types: ['created', 'paid', 'cancelled'], end: 'CANCELLED' },
  { types: ['created'], end: 'HELD' },
];

/** A shop elsewhere that tells what happens to its orders, in whatever order, as often as it takes. */
export class OutsideShop {
  readonly scripts: readonly OrderScript[];
  /** Orders of which anything was told. */
  readonly begun = new Set<OrderScript>();
  /** How often an event was answered to be applied. */
  readonly applied = new Map<string, number>();

  constructor(
    seed: number,
    private readonly telling: Telling,
    private readonly network: Network,
    private readonly coverage: Coverage,
  ) {
    const chance = new Chance(seed);
    this.scripts = Array.from({ length: ORDERS }, (_, index) => drawScript(chance, `order-${index + 1}`, telling.now));
  }

  async tell(chance: Chance, order: number, events: readonly number[]): Promise<void> {
    const script = this.scripts[order % ORDERS];
    if (script === undefined) return;
    this.begun.add(script);
    await this.send(
      chance,
      events.map((number) => script.events[number % script.events.length]).filter((event) => event !== undefined),
    );
  }

  async tellAll(chance: Chance): Promise<void> {
    for (const { events } of this.begun) await this.send(chance, events);
  }

  private async send(chance: Chance, events: readonly OrderEvent[]): Promise<void> {
    await this.network.send(chance, async (server) => {
      const name = this.telling.nextName('orders');
      const called = await server.command(name, new RecordOrderEvents(events.map(toOrderEvent)));
      const said = called.kind === 'answer' ? called.answer : called.kind;
      this.telling.note(`${name} ${JSON.stringify(events)} -> ${JSON.stringify(said)}`);
      if (called.kind === 'answer') this.note(called.answer);
      return called;
    });
  }

  private note(results: readonly OrderEventResult[]): void {
    for (const { id, outcome, code } of results) {
      this.coverage.count(`order event: ${code ?? outcome}`);
      if (outcome === 'applied') this.applied.set(id, (this.applied.get(id) ?? 0) + 1);
    }
  }
}

function drawScript(chance: Chance, orderId: string, now: number): OrderScript {
  const { types, end } = chance.pick(SCRIPTS);
  const lines = drawLines(chance).map((line) => ({
    ...line,
    sku: line.sku === 'Z' ? 'A' : line.sku,
    locationId: null,
  }));
  const events = types.map((type, index) => ({
    id: `${orderId}.${index + 1}`,
    orderId,
    version: index + 1,
    type: `order.${type}`,
    occurredAt: toIsoInstant(now),
    data: type === 'created' ? { lines } : {},
  }));
  return { orderId, events, end };
}
