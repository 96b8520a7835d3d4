import { setImmediate as nextTurn } from 'node:timers/promises';
import type { QueryBus } from '@nestjs/cqrs';
import {
  GetAvailability,
  GetBalancesAsOf,
  ListBalancesAsOf,
  ListMovements,
  type MovementView,
  type ReportedThrough,
} from '../inventory/contract.ts';
import type { BalancePlace, Difference, StoreBalance } from './contract.ts';

/** Items of one look at what the store has not named. */
const PAGE_ITEMS = 200;
/** Entries of the ledger that are told of one difference. */
const MOVEMENTS_TOLD = 5;
/** Differences that are explained: whoever has more has another mistake than one in a ledger. */
const EXPLAINED_MAX = 1_000;

/** Compares the balances of a store, as they come, with those of the centre at the same place. */
export class StoreComparison {
  private readonly through: ReportedThrough;
  private found: Difference[] = [];

  constructor(
    private readonly queries: QueryBus,
    locationId: string,
    { epoch, sequence, cursor }: BalancePlace,
  ) {
    this.through = { locationId, place: { epoch, sequence }, cursor: Number(cursor) };
  }

  /** Safe to repeat when it fails. @param balances few enough for one look at the database */
  async compare(balances: readonly StoreBalance[]): Promise<void> {
    const skus = balances.map(({ sku }) => sku);
    const items = await this.queries.execute(new GetBalancesAsOf(this.through, skus));
    const central = new Map(items.map(({ sku, units }) => [sku, units]));
    const unknown = await this.unknownOf(skus.filter((sku) => !central.has(sku)));
    const differences = balances.flatMap(({ sku, onHand }) => {
      const difference = differenceOf(sku, onHand, central.get(sku) ?? 0);
      if (unknown.has(sku)) return [{ ...difference, code: 'UNKNOWN_PRODUCT' }];
      return difference.difference === 0 ? [] : [difference];
    });
    this.found.push(...differences);
  }

  /**
   * What the store has not named counts as none.
   * @param isNamed what it has named
   * @returns all differences, by sku
   */
  async finish(isNamed: (sku: string) => boolean): Promise<readonly Difference[]> {
    for (let after = ''; ;) {
      const items = await this.queries.execute(new ListBalancesAsOf(this.through, after, PAGE_ITEMS));
      for (const { sku, units } of items) {
        if (units !== 0 && !isNamed(sku)) this.found.push(differenceOf(sku, 0, units));
      }
      const last = items.at(-1);
      if (items.length < PAGE_ITEMS || last === undefined) break;
      after = last.sku;
      // Reads of SQLite are answered at once: without a turn of the event loop nobody else would be, until the last page.
      await nextTurn();
    }
    const differences = this.found.sort((a, b) => (a.sku < b.sku ? -1 : 1));
    for (let index = 0; index < Math.min(EXPLAINED_MAX, differences.length); index += 1) {
      const difference = differences[index];
      if (difference !== undefined && difference.code === undefined) {
        differences[index] = await this.explained(difference);
        await nextTurn();
      }
    }
    return differences;
  }

  private async unknownOf(skus: readonly string[]): Promise<ReadonlySet<string>> {
    if (skus.length === 0) return new Set();
    const products = await this.queries.execute(new GetAvailability(skus, null));
    return new Set(products.filter(({ known }) => !known).map(({ sku }) => sku));
  }

  private async explained(difference: Difference): Promise<Difference> {
    const { locationId } = this.through;
    const ledger = await this.queries.execute(new ListMovements(difference.sku, locationId, MOVEMENTS_TOLD, null));
    return { ...difference, movements: ledger.items.map(plain) };
  }
}

/** What is kept of an entry: no more than its list shows. */
function plain(movement: MovementView): Difference['movements'][number] {
  const { movementId, type, delta, onHandAfter, reason, reference, occurredAt, correlationId } = movement;
  return { movementId, type, delta, onHandAfter, reason, reference, occurredAt, correlationId };
}

function differenceOf(sku: string, store: number, central: number): Difference {
  return { sku, store, central, difference: store - central, movements: [] };
}
