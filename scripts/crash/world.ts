import { Random } from '../random.ts';
import { Clerk } from './clerk.ts';
import type { Client } from './client.ts';
import { Driver } from './driver.ts';
import { Importer } from './importer.ts';
import { HOT_SKUS, IMPORTED_SKUS, OPENING_UNITS, STORES, TILL_SKUS, WEB_PLACES } from './shop.ts';
import { Shopper } from './shopper.ts';
import { Journal } from './task.ts';
import { Till } from './till.ts';
import { isSuccess, type Request, Wire } from './wire.ts';

const SHOPPERS = 7;
const CLERKS = 3;
const DRIVERS = 2;
const IMPORTERS = 1;

/** Who sends requests, all of them, and what they know. */
export class World {
  readonly journal = new Journal();
  readonly shoppers: Shopper[] = [];
  readonly clerks: Clerk[] = [];
  readonly drivers: Driver[] = [];
  readonly importers: Importer[] = [];
  readonly tills: Till[] = [];

  private constructor(
    private readonly operatorKey: string,
    private readonly storefrontKey: string,
    private readonly random: Random,
  ) {}

  /** Places, products, stock and keys; and clients who know of nothing else. */
  static async open(url: string, adminKey: string, seed: number): Promise<World> {
    const wire = new Wire(url, adminKey);
    const storefrontKey = await openShop(wire);
    const world = new World(adminKey, storefrontKey, new Random(seed));
    for (let n = 1; n <= SHOPPERS; n += 1)
      world.shoppers.push(new Shopper(String(n), world.ownRandom(), world.journal));
    for (let n = 1; n <= CLERKS; n += 1) world.clerks.push(new Clerk(String(n), world.ownRandom(), world.journal));
    for (let n = 1; n <= IMPORTERS; n += 1) {
      world.importers.push(new Importer(String(n), world.ownRandom(), world.journal));
    }
    for (let n = 1; n <= DRIVERS; n += 1) {
      world.drivers.push(new Driver(String(n), await stocked(wire, `driven-${n}`), world.ownRandom(), world.journal));
    }
    for (const store of STORES) {
      const opened = await send(wire, {
        method: 'POST',
        path: `/v1/sync/stores/${store}/streams`,
        key: `open-${store}`,
      });
      const { epoch } = JSON.parse(opened) as { epoch: number };
      world.tills.push(new Till(store, epoch, world.ownRandom(), world.journal));
    }
    wire.close();
    return world;
  }

  get clients(): Client[] {
    return [...this.shoppers, ...this.clerks, ...this.drivers, ...this.importers, ...this.tills];
  }

  /** A line to a server, with the key of the client's kind. */
  wireOf(client: Client, url: string): Wire {
    return new Wire(url, client instanceof Shopper ? this.storefrontKey : this.operatorKey, this.operatorKey);
  }

  operatorWire(url: string): Wire {
    return new Wire(url, this.operatorKey);
  }

  private ownRandom(): Random {
    return new Random(this.random.whole(0, 2 ** 31));
  }
}

/** @returns the key of a storefront */
async function openShop(wire: Wire): Promise<string> {
  for (const place of WEB_PLACES) await put(wire, `/v1/locations/${place}`, { name: place, kind: 'WAREHOUSE' });
  for (const store of STORES) {
    await put(wire, `/v1/locations/${store}`, { name: store, kind: 'STORE', sellsOnline: false });
  }
  for (const sku of HOT_SKUS) await stocked(wire, sku);
  for (const sku of [...IMPORTED_SKUS, ...TILL_SKUS]) await put(wire, `/v1/products/${sku}`, { name: sku });
  const body = JSON.stringify({ name: 'Storefront', role: 'storefront', clientId: 'storefront' });
  const made = await send(wire, { method: 'POST', path: '/v1/admin/keys', body, key: 'make-key' });
  return (JSON.parse(made) as { key: string }).key;
}

async function stocked(wire: Wire, sku: string): Promise<string> {
  await put(wire, `/v1/products/${sku}`, { name: sku });
  for (const place of WEB_PLACES) {
    const path = `/v1/stock/${sku}/${place}/movements`;
    const body = JSON.stringify({ type: 'RECEIPT', quantity: OPENING_UNITS, reference: 'opening' });
    await send(wire, { method: 'POST', path, body, key: `open-${sku}-${place}` });
  }
  return sku;
}

async function put(wire: Wire, path: string, body: object): Promise<void> {
  await send(wire, { method: 'PUT', path, body: JSON.stringify(body) });
}

/** @throws Error when it is not a success */
async function send(wire: Wire, request: Request): Promise<string> {
  const received = await wire.send(request);
  if (received === null || !isSuccess(received)) {
    throw new Error(`${request.method} ${request.path} is answered ${received?.status} ${received?.text}`);
  }
  return received.text;
}
