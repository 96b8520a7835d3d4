import type { Change, Snapshot } from './feeds.ts';

/** Units that a hold has, as a copy knows them. */
export interface CopiedHold {
  readonly units: number;
  readonly state: 'HELD' | 'COMMITTED';
}

/** One stock item as a copy knows it. */
export interface CopiedItem {
  onHand: number;
  held: number;
  committed: number;
  incoming: number;
  safetyStock: number;
  /** Changes up to this version are in it. */
  version: number;
  readonly holds: Map<string, CopiedHold>;
}

/**
 * A copy of a store's stock, kept as docs/sync-protocol.md says that an agent can keep one: from a snapshot, then change by
 * change by what each says has changed, and never by the balances that it carries. What the store did itself it adds itself.
 */
export class StoreCopy {
  readonly items = new Map<string, CopiedItem>();
  private readonly handedOver = new Set<string>();

  constructor(snapshot?: Snapshot) {
    for (const { sku, holds, onHand, held, committed, incoming, safetyStock, version } of snapshot?.items ?? []) {
      this.items.set(sku, {
        ...{ onHand, held, committed, incoming, safetyStock, version },
        holds: new Map(holds.map(({ holdId, units, state }) => [holdId, { units, state }])),
      });
    }
  }

  apply({ type, data, subjectversion }: Change): void {
    const name = type.slice('inventory.stock.'.length);
    if (!type.startsWith('inventory.stock.') || name === 'oversold' || name === 'low') return;
    const item = this.itemOf(data.sku);
    if (subjectversion <= item.version) return;
    item.version = subjectversion;
    const { holdId = '', units = 0, delta = 0 } = data;
    if (name === 'moved') this.move(item, data);
    else if (name === 'held') this.changeHold(item, holdId, 'HELD', units);
    else if (name === 'released') this.changeHold(item, holdId, data.from ?? 'HELD', -units);
    else if (name === 'committed') {
      this.changeHold(item, holdId, 'HELD', -units);
      this.changeHold(item, holdId, 'COMMITTED', units);
    } else if (name === 'incoming-changed') item.incoming += delta;
    else if (name === 'policy-changed') item.safetyStock = data.safetyStock ?? item.safetyStock;
    else if (name !== 'hold-shortened') throw new Error(`A copy does not know what to do with ${type}`);
  }

  /** What the store did itself: it is told of none of it. */
  applyOwn(sku: string, delta: number): void {
    this.itemOf(sku).onHand += delta;
  }

  /** What the store found on its shelf. */
  count(sku: string, counted: number): void {
    this.itemOf(sku).onHand = counted;
  }

  /** Reservations that are paid for and wait here to be handed over. */
  get toHandOver(): string[] {
    const holds = [...this.items.values()].flatMap((item) => [...item.holds]);
    return [...new Set(holds.filter(([, { state }]) => state === 'COMMITTED').map(([holdId]) => holdId))];
  }

  /** A customer took a reservation that the store had known of. */
  pickUp(holdId: string): void {
    this.handedOver.add(holdId);
    for (const item of this.items.values()) {
      const hold = item.holds.get(holdId);
      if (hold?.state !== 'COMMITTED') continue;
      this.changeHold(item, holdId, 'COMMITTED', -hold.units);
      item.onHand -= hold.units;
    }
  }

  private move(item: CopiedItem, { delta = 0, holdId, movementType, stock }: Change['data']): void {
    // The centre was told by somebody else, too; it is the same hand-over.
    if (holdId !== undefined && this.handedOver.has(holdId)) return;
    item.onHand += delta;
    if (holdId !== undefined) this.changeHold(item, holdId, 'COMMITTED', delta);
    // Units that come out of a transfer were incoming here, or they come back to where they were sent from; only the
    // balance tells. No push of a store changes it, so it is the copy's, too.
    if (movementType === 'TRANSFER_IN') item.incoming = stock.incoming;
  }

  private changeHold(item: CopiedItem, holdId: string, state: CopiedHold['state'], units: number): void {
    if (state === 'HELD') item.held += units;
    else item.committed += units;
    const known = item.holds.get(holdId);
    const left = (known?.state === state ? known.units : 0) + units;
    if (left > 0) item.holds.set(holdId, { units: left, state });
    else if (known?.state === state) item.holds.delete(holdId);
  }

  private itemOf(sku: string): CopiedItem {
    let item = this.items.get(sku);
    if (item === undefined) {
      item = { onHand: 0, held: 0, committed: 0, incoming: 0, safetyStock: 0, version: 0, holds: new Map() };
      this.items.set(sku, item);
    }
    return item;
  }
}
