import { isDeepStrictEqual } from 'node:util';
import { GetSkuStock, GetStockItem } from '../../src/modules/inventory/contract.ts';
import { GetReservation } from '../../src/modules/reservation/contract.ts';
import type { Chance } from '../chance.ts';
import { Disagreement, show } from '../model/explain.ts';
import { viewItem, viewReservation } from '../model/world.ts';
import type { Telling } from './telling.ts';

/** Reads a reservation, and compares it with the model. */
export async function readReservation({ record, stage, now }: Telling, chance: Chance, id: string): Promise<void> {
  const kept = record.world.reservations.get(id);
  const server = stage.server(chance);
  if (kept === undefined || server === undefined) return;
  same(viewReservation(kept, now), await server.query(new GetReservation(id)));
}

/** Reads one thing as everybody may, and compares it with the model. */
export async function readSomething(telling: Telling, chance: Chance, what: number): Promise<void> {
  const { world } = telling.record;
  const server = telling.stage.server(chance);
  if (server === undefined) return;
  const at = telling.now;
  const reservation = [...world.reservations.values()].at(-1 - (what % Math.max(1, world.reservations.size)));
  const item = [...world.items.values()][what % Math.max(1, world.items.size)];
  if (what % 2 === 0 && reservation !== undefined) {
    await readReservation(telling, chance, reservation.id);
  } else if (item !== undefined) {
    const wanted = viewItem(world, item, at);
    same(wanted, await server.query(new GetStockItem(item.sku, item.locationId)));
    const { locations } = await server.query(new GetSkuStock(item.sku));
    same(wanted, locations.find(({ locationId }) => locationId === item.locationId) ?? {});
  }
}

function same(wanted: object, shown: object): void {
  const [one, other] = [wanted, shown].map(
    (value) =>
      JSON.parse(
        JSON.stringify(value, (name, member: unknown) => (name === 'freshness' ? undefined : member)),
      ) as unknown,
  );
  if (!isDeepStrictEqual(one, other)) throw new Disagreement(`It has to read\n${show(one)}\nbut reads\n${show(other)}`);
}
