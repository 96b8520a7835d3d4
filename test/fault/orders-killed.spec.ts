import { counts } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { useKilledServer } from '../support/killed-server.ts';
import { OrderScript, OutsideShop, type SentOrderEvent } from '../support/order-events.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { allPages, type Reservation, ShopClient } from '../support/shop.ts';
import type { ServerProcess } from '../support/start-process.ts';

const ORDERS = counts(120, 3_000);
const KILLS = counts(2, 30);
const CALL_EVENTS = 7;

describeOnBothEngines(`A server that is killed while a shop tells it of orders, TEST_SEED=${SEED}`, (engine) => {
  const server = useKilledServer(engine);

  /** Until all are sent or the line is cut. @returns how many were answered */
  async function sendInCalls(outside: OutsideShop, events: readonly SentOrderEvent[]): Promise<number> {
    let answered = 0;
    try {
      while (answered < events.length) {
        answered += (await outside.send(...events.slice(answered, answered + CALL_EVENTS))).length;
      }
    } catch {
      // It is dead: what was not answered is sent again.
    }
    return answered;
  }

  it('has held, confirmed and handed over each order once when the shop has sent everything again', async () => {
    const random = new Random(SEED);
    await server.start();
    const shop = new ShopClient(server.api);
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: ORDERS });
    const orders = Array.from({ length: ORDERS }, (_, index) => new OrderScript(`order-${index}`));
    const events = orders
      .flatMap((order) => [order.created(1, [{ sku, quantity: 1 }]), order.paid(2), order.shipped(3)])
      .map((event) => ({ event, at: random.whole(0, 1_000_000) }))
      .sort((a, b) => a.at - b.at)
      .map(({ event }) => event);

    for (let kill = 0; kill < KILLS; kill += 1) {
      const running = server.now;
      const sending = sendInCalls(new OutsideShop(running.api, 'any'), events);
      const before = await shippedUnits(running, sku, place);
      const enough = Math.min(ORDERS, before + random.whole(1, Math.ceil(ORDERS / KILLS / 2)));
      await eventually('some more are shipped', async () => (await shippedUnits(running, sku, place)) >= enough);
      await running.kill();
      await sending;
      await server.start();
    }
    const outside = new OutsideShop(server.api, 'any');
    expect(await sendInCalls(outside, events)).toBe(events.length);

    const { api } = server;
    expect(await new ShopClient(api).stock(sku, place)).toMatchObject({ onHand: 0, held: 0, committed: 0 });
    const reservations = await allPages<Reservation>(api, '/v1/reservations');
    expect(reservations.map(({ orderId }) => orderId).sort()).toEqual(orders.map(({ orderId }) => orderId).sort());
    for (const { orderId } of orders) {
      expect(await outside.known(orderId)).toMatchObject({ status: 'SHIPPED', nextVersion: 4, parked: [] });
    }
    expect(await brokenInvariants(api, { commandsOnly: true })).toEqual([]);
  });

  async function shippedUnits(running: ServerProcess, sku: string, place: string): Promise<number> {
    return ORDERS - (await new ShopClient(running.api).stock(sku, place)).onHand;
  }
});
