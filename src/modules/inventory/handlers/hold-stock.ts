import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Instant } from '../../../shared/kernel/clock.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { type HoldLine, type HoldOutcome, HoldStock, type SourcedLine } from '../contract.ts';
import { InsufficientStock, type Shortage } from '../domain/inventory.errors.ts';
import type { ProductState } from '../domain/product.ts';
import { type HoldChange, mergeLines, planSourcing, type SourcingPlan } from '../domain/sourcing.ts';
import type { StockItem } from '../domain/stock-item.ts';
import { Catalogue } from '../storage/catalogue.repository.ts';
import { Holds } from '../storage/hold.repository.ts';
import type { HoldRow } from '../storage/hold.table.ts';
import { type OwnUnits, Room } from '../storage/room.ts';
import { StockItems } from '../storage/stock-item.repository.ts';

/** Label of refused holds that no location was asked for. */
const UNSOURCED = 'unsourced';

/** Makes a hold be exactly the wanted lines: sources them on the batch's state, moves only the difference, or reports every shortage. */
@CommandHandler(HoldStock)
export class HoldStockHandler implements ICommandHandler<HoldStock> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly catalogue: Catalogue,
    private readonly items: StockItems,
    private readonly holds: Holds,
    private readonly room: Room,
  ) {}

  execute(command: HoldStock): Promise<{ outcome: HoldOutcome; lines: readonly SourcedLine[] }> {
    return this.unitOfWork.run(command, async (tx) => {
      const own = command.held.length === 0 ? [] : await this.ownRows(tx, command);
      if (own === undefined) {
        return { outcome: 'over', lines: [] };
      }
      if (!tx.knows(command.keys)) await tx.load(command.keys);
      const products = this.catalogue.loadedProducts(
        tx,
        command.lines.map(({ sku }) => sku),
      );
      const { plan, items } = await this.plan(tx, command, own, products);
      if (plan.kind === 'short') {
        this.countRefusals(tx, plan.shortages);
        throw new InsufficientStock(plan.shortages, plan.alternatives);
      }
      await this.apply(tx, command, own, plan.changes, items);
      return { outcome: 'done', lines: plan.lines };
    });
  }

  /** Of a hold that has something. @returns undefined when it is over */
  private async ownRows(tx: Transaction, { holdId, held, at }: HoldStock): Promise<HoldRow[] | undefined> {
    const heldUnits = held.reduce((sum, { quantity }) => sum + quantity, 0);
    return this.holds.whole(tx, holdId, heldUnits, at);
  }

  private async plan(
    tx: Transaction,
    command: HoldStock,
    own: readonly HoldRow[],
    products: ReadonlyMap<string, ProductState>,
  ): Promise<{ plan: SourcingPlan; items: ItemsByPlace }> {
    const { at, held } = command;
    const lines = mergeLines(command.lines);
    const takesNewHolds = (sku: string): boolean => products.get(sku)?.active ?? false;
    const openSkus = lines.filter(({ locationId }) => locationId === null).map(({ sku }) => sku);
    const ownUnits = ownUnitsOf(own, held);
    const ownAt = (sku: string, locationId: string): OwnUnits | undefined => ownUnits.get(placeOf(sku, locationId));
    const items = await this.itemsOf(tx, lines, own, openSkus);
    const sights = await this.room.sightsOf(tx, [...items.values()], at, ownAt);
    const plan = planSourcing({ lines, sights, takesNewHolds });
    const askedShort = plan.kind === 'short' ? plan.shortages.filter(({ locationId }) => locationId !== null) : [];
    if (askedShort.length === 0) {
      return { plan, items };
    }
    // Only a refusal needs to know where else the asked lines could be served.
    const all = await this.itemsOf(tx, lines, own, [...openSkus, ...askedShort.map(({ sku }) => sku)]);
    const allSights = await this.room.sightsOf(tx, [...all.values()], at, ownAt);
    return { plan: planSourcing({ lines, sights: allSights, takesNewHolds }), items: all };
  }

  /** The items that the lines ask for, those that the hold has units of, and all items of the given skus. */
  private async itemsOf(
    tx: Transaction,
    lines: readonly HoldLine[],
    own: readonly HoldRow[],
    wholeSkus: readonly string[],
  ): Promise<ItemsByPlace> {
    const places = new Map<string, { sku: string; locationId: string }>();
    for (const { sku, locationId } of [...lines, ...own]) {
      if (locationId !== null) {
        places.set(placeOf(sku, locationId), { sku, locationId });
      }
    }
    const items: ItemsByPlace = new Map();
    const ofSkus = wholeSkus.length === 0 ? [] : await this.items.ofSkus(tx, wholeSkus);
    for (const item of ofSkus) items.set(placeOf(item.state.sku, item.state.locationId), item);
    const asked = [...places.values()];
    if (!this.items.areLoaded(tx, asked)) await this.items.load(tx, asked);
    for (const [place, { sku, locationId }] of places) items.set(place, this.items.loaded(tx, sku, locationId));
    return items;
  }

  private async apply(
    tx: Transaction,
    { holdId, expiresAt, at }: HoldStock,
    own: readonly HoldRow[],
    changes: readonly HoldChange[],
    items: ItemsByPlace,
  ): Promise<void> {
    const rows = new Map(own.map((row) => [placeOf(row.sku, row.locationId), row]));
    for (const { sku, locationId, delta } of changes) {
      const place = placeOf(sku, locationId);
      const item = itemAt(items, place);
      const row = rows.get(place);
      const units = (row?.units ?? 0) + delta;
      if (delta > 0) {
        if (item.availableAt(at) < delta) {
          await this.holds.makeRoom(tx, item, delta, at);
        }
        this.items.change(tx, item, 'HOLD', () => {
          item.hold(delta, holdId, expiresAt, at);
        });
      } else {
        this.items.change(tx, item, 'RELEASE', () => {
          item.release(-delta, 'HELD', holdId, 'CHANGED', at);
        });
      }
      rows.delete(place);
      this.putRow(tx, { holdId, sku, locationId, units, state: 'HELD', expiresAt, version: 0 }, row, item, at);
    }
    for (const [place, row] of rows) {
      this.putRow(tx, { ...row, expiresAt }, row, itemAt(items, place), at);
    }
  }

  private putRow(tx: Transaction, next: HoldRow, row: HoldRow | undefined, item: StockItem, at: Instant): void {
    if (row === undefined) {
      this.holds.insert(tx, { ...next, version: 1 });
    } else if (next.units === 0) {
      this.holds.remove(tx, row);
    } else {
      this.holds.renew(tx, { ...next, version: row.version + 1 }, row, item, at);
    }
  }

  private countRefusals(tx: Transaction, shortages: readonly Shortage[]): void {
    for (const { locationId } of shortages) {
      this.items.countAttempt(tx, 'HOLD', locationId ?? UNSOURCED);
    }
  }
}

type ItemsByPlace = Map<string, StockItem>;

/** Ids have no spaces. */
function placeOf(sku: string, locationId: string): string {
  return `${sku} ${locationId}`;
}

/** By place: what the hold has, and what of it the caller says to be its open line's. */
function ownUnitsOf(own: readonly HoldRow[], held: readonly SourcedLine[]): Map<string, OwnUnits> {
  const open = new Map<string, number>();
  for (const { sku, allocations } of held.filter(({ locationId }) => locationId === null)) {
    for (const { locationId, quantity } of allocations) open.set(placeOf(sku, locationId), quantity);
  }
  return new Map(
    own.map(({ sku, locationId, units }) => {
      const place = placeOf(sku, locationId);
      return [place, { own: units, ownOpen: Math.min(units, open.get(place) ?? 0) }];
    }),
  );
}

function itemAt(items: ItemsByPlace, place: string): StockItem {
  const item = items.get(place);
  if (item === undefined) {
    throw new Error(`Bug: the plan changes ${place}, which it was not shown`);
  }
  return item;
}
