import { FakeCentre } from './fake-centre.ts';
import { bodyOf, type Reservation } from './shop.ts';
import { type RunningApp, startApp } from './start-app.ts';

export interface CentralStock {
  readonly onHand: number;
  readonly held: number;
  readonly committed: number;
  readonly available: number;
}

/** What happens at a centre, as far as one store is told of it: the same words for the real one and for the fake. */
export interface CentreOfStore {
  readonly url: string;
  addProduct(sku: string): Promise<void>;
  receive(sku: string, units: number): Promise<void>;
  /** @returns the reservation */
  reserve(sku: string, units: number): Promise<string>;
  confirm(sku: string, reservationId: string): Promise<void>;
  cancel(sku: string, reservationId: string): Promise<void>;
  fulfil(sku: string, reservationId: string): Promise<void>;
  setSafetyStock(sku: string, units: number): Promise<void>;
  stock(sku: string): Promise<CentralStock>;
  close(): Promise<void>;
}

export async function startFakeCentre(): Promise<CentreOfStore> {
  const fake = await new FakeCentre().start();
  let reservations = 0;
  const now = (work: () => void): Promise<void> => Promise.resolve().then(work);
  return {
    url: fake.url,
    addProduct: (sku) => now(() => fake.addProduct(sku)),
    receive: (sku, units) => now(() => fake.move(sku, units)),
    reserve: (sku, units) => {
      reservations += 1;
      const id = `r-${reservations}`;
      fake.hold(sku, id, units);
      return Promise.resolve(id);
    },
    confirm: (sku, id) => now(() => fake.confirm(sku, id)),
    cancel: (sku, id) => now(() => fake.release(sku, id)),
    fulfil: (sku, id) => now(() => fake.fulfil(sku, id)),
    setSafetyStock: (sku, units) => now(() => fake.setSafetyStock(sku, units)),
    stock: (sku) => Promise.resolve(fake.stockOf(sku)),
    close: () => fake.stop(),
  };
}

/** Of the store S1, which exists. */
export async function startRealCentre(): Promise<RealCentre> {
  return new RealCentre(await startApp('sqlite'), '').withStore('S1');
}

/** The real centre within the test's process, from the point of view of one of its stores. */
export class RealCentre implements CentreOfStore {
  constructor(
    private readonly app: RunningApp,
    private readonly locationId: string,
  ) {}

  get url(): string {
    return this.app.url;
  }

  /** Makes another store, and looks at the same centre from there. */
  async withStore(locationId: string): Promise<RealCentre> {
    bodyOf(await this.app.api.put(`/v1/locations/${locationId}`, { name: 'A store', kind: 'STORE' }), 201);
    return new RealCentre(this.app, locationId);
  }

  async addProduct(sku: string): Promise<void> {
    await this.app.api.put(`/v1/products/${sku}`, { name: `Thing ${sku}` });
  }

  async receive(sku: string, units: number): Promise<void> {
    await this.post(`/v1/stock/${sku}/${this.locationId}/movements`, { type: 'RECEIPT', quantity: units });
  }

  async reserve(sku: string, units: number): Promise<string> {
    const lines = [{ sku, quantity: units, locationId: this.locationId }];
    return (await this.post<Reservation>('/v1/reservations', { lines })).id;
  }

  async confirm(_sku: string, id: string): Promise<void> {
    await this.post(`/v1/reservations/${id}/confirm`, { orderId: `order-${id}` });
  }

  async cancel(_sku: string, id: string): Promise<void> {
    await this.post(`/v1/reservations/${id}/cancel`, {});
  }

  async fulfil(_sku: string, id: string): Promise<void> {
    await this.post(`/v1/reservations/${id}/fulfil`, {});
  }

  async setSafetyStock(sku: string, safetyStock: number): Promise<void> {
    bodyOf(await this.app.api.put(`/v1/stock/${sku}/${this.locationId}/policy`, { safetyStock }));
  }

  async stock(sku: string): Promise<CentralStock> {
    const { body } = await this.app.api.get<CentralStock>(`/v1/stock/${sku}/${this.locationId}`);
    const { onHand, held, committed, available } = body;
    return { onHand, held, committed, available };
  }

  close(): Promise<void> {
    return this.app.close();
  }

  private async post<Body>(path: string, body: object): Promise<Body> {
    const answer = await this.app.api.post<Body>(path, body);
    if (answer.status >= 300) throw new Error(`POST ${path}: ${answer.text}`);
    return answer.body;
  }
}
