import { Injectable } from '@nestjs/common';
import type { Instant } from '../../../shared/kernel/clock.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { locationKey, type MovementType } from '../contract.ts';
import { type Alternative, InsufficientStock } from '../domain/inventory.errors.ts';
import { alternativesAmong, type StockSight } from '../domain/sourcing.ts';
import type { StockItem } from '../domain/stock-item.ts';
import { Catalogue } from './catalogue.repository.ts';
import { Holds } from './hold.repository.ts';
import { StockItems } from './stock-item.repository.ts';

/** A command that takes units of one item. */
export interface Taking {
  readonly type: MovementType;
  readonly units: number;
  /** False: nothing of the product may be taken in this way, wherever it is. */
  readonly allowed: boolean;
  /** Whether the units could be taken instead at a location that a refusal would name. */
  fitsElsewhere(sight: StockSight): boolean;
}

/** Units that the hold which looks has at a place; `ownOpen`: those of its open line. */
export type OwnUnits = Pick<StockSight, 'own' | 'ownOpen'>;

const NO_UNITS: OwnUnits = { own: 0, ownOpen: 0 };

/** What commands could take, the units of due holds included: at one item, and where else. */
@Injectable()
export class Room {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly items: StockItems,
    private readonly holds: Holds,
  ) {}

  async sightsOf(
    tx: Transaction,
    items: readonly StockItem[],
    at: Instant,
    ownAt: (sku: string, locationId: string) => OwnUnits | undefined = () => undefined,
  ): Promise<StockSight[]> {
    const places = items.map(({ state }) => state.locationId);
    const keys = places.map(locationKey);
    if (!tx.knows(keys)) await tx.load(keys);
    const locations = this.catalogue.loadedLocations(tx, places);
    const sights: StockSight[] = [];
    for (const item of items) {
      const { sku, locationId } = item.state;
      const { priority = 0, sellsOnline = false } = locations.get(locationId) ?? {};
      const due = this.holds.mayHaveDue(item, at) ? await this.holds.dueUnits(tx, item, at) : 0;
      const available = item.availableAt(at) + due;
      sights.push({ sku, locationId, available, ...(ownAt(sku, locationId) ?? NO_UNITS), priority, sellsOnline });
    }
    return sights;
  }

  /**
   * Makes the units available, if need be by releasing holds that are due. A refusal is counted here as an attempt; what
   * is taken then is for the caller to count.
   * @throws InsufficientStock, releasing none, with the other locations that have units
   */
  async make(tx: Transaction, item: StockItem, taking: Taking, at: Instant): Promise<void> {
    const available = taking.allowed ? await this.holds.makeRoom(tx, item, taking.units, at) : 0;
    if (available >= taking.units) {
      return;
    }
    const { sku, locationId } = item.state;
    this.items.countAttempt(tx, taking.type, locationId);
    throw new InsufficientStock(
      [{ sku, locationId, requested: taking.units, available: Math.max(0, available) }],
      taking.allowed ? await this.elsewhere(tx, item, taking, at) : [],
    );
  }

  /** Only a refusal needs to know. */
  private async elsewhere(tx: Transaction, item: StockItem, taking: Taking, at: Instant): Promise<Alternative[]> {
    const { sku, locationId } = item.state;
    const others = (await this.items.ofSkus(tx, [sku])).filter(({ state }) => state.locationId !== locationId);
    const sights = await this.sightsOf(tx, others, at);
    const fitting = sights.filter((sight) => taking.fitsElsewhere(sight));
    return alternativesAmong(
      sku,
      fitting.map((sight) => ({ ...sight, units: sight.available })),
    );
  }
}
