import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { Reader } from '../../../shared/persistence/reader.ts';
import { type AvailabilityView, GetAvailability } from '../contract.ts';
import { UnknownLocation } from '../domain/inventory.errors.ts';
import { FreshnessReads } from './freshness-reads.ts';
import { CAUTION_UNITS, DUE_UNITS, namesOf, STOCK_WITH_FRESHNESS } from './stock-reads.ts';

/**
 * The totals of every wanted product that exists, as the text of one JSON array: to hand over a hundred rows costs
 * more than to read and to add them up. The skus come as the names of a JSON object, because that is a list which both
 * engines can read; each is looked up by key. What is kept back comes with the safety stock.
 */
function totalsOf(stock: string, keptBack: string, items: string): string {
  return `SELECT '[' || string_agg(COALESCE(
      (SELECT '["' || wanted.key || '",' || SUM(s.on_hand) || ',' || SUM(s.held - ${DUE_UNITS}) || ','
          || SUM(s.committed) || ',' || SUM(s.incoming) || ',' || SUM(s.safety_stock${keptBack}) || ']'
        FROM ${stock} WHERE s.tenant_id = :tenant AND s.sku = wanted.key ${items}),
      (SELECT '["' || wanted.key || '",0,0,0,0,0]'
        FROM products p WHERE p.tenant_id = :tenant AND p.sku = wanted.key)
    ), ',') || ']' AS "totals"
  FROM json_each(:skus) AS wanted`;
}

const AT_LOCATION = 'AND s.location_id = :locationId';
/** While no location is to be sold carefully, which is nearly always, none is asked about item by item. */
const USUALLY = { everywhere: totalsOf('stock_items s', '', ''), there: totalsOf('stock_items s', '', AT_LOCATION) };
const WITH_CAUTION = {
  everywhere: totalsOf(STOCK_WITH_FRESHNESS, ` + ${CAUTION_UNITS}`, ''),
  there: totalsOf(STOCK_WITH_FRESHNESS, ` + ${CAUTION_UNITS}`, AT_LOCATION),
};

type Totals = [sku: string, onHand: number, held: number, committed: number, incoming: number, keptBack: number];

const LOCATION = 'SELECT 1 FROM locations WHERE tenant_id = :tenant AND location_id = :locationId';

/** Totals of many skus in one statement, true at this instant as the reads of single items are. */
@QueryHandler(GetAvailability)
export class GetAvailabilityHandler implements IQueryHandler<GetAvailability> {
  constructor(
    private readonly reader: Reader,
    private readonly clock: Clock,
    private readonly freshness: FreshnessReads,
  ) {}

  /** @throws UnknownLocation */
  async execute({ skus, locationId }: GetAvailability): Promise<AvailabilityView[]> {
    const at = this.clock.now();
    if (locationId !== null && (await this.reader.select(LOCATION, { locationId })).length === 0) {
      throw new UnknownLocation([locationId]);
    }
    const wanted = [...new Set(skus)];
    const names = namesOf(wanted);
    const totals = (await this.freshness.cautious(at)).size === 0 ? USUALLY : WITH_CAUTION;
    const [row] =
      locationId === null
        ? await this.reader.select<TotalsRow>(totals.everywhere, { skus: names, at })
        : await this.reader.select<TotalsRow>(totals.there, { skus: names, at, locationId });
    const bySku = new Map((JSON.parse(row?.totals ?? '[]') as Totals[]).map((totals) => [totals[0], totals]));
    return wanted.map((sku) => viewOf(sku, bySku.get(sku)));
  }
}

interface TotalsRow {
  /** JSON text of Totals[]; null when no product is known. */
  readonly totals: string | null;
}

function viewOf(sku: string, totals: Totals | undefined): AvailabilityView {
  if (totals === undefined) {
    return { sku, onHand: 0, held: 0, committed: 0, incoming: 0, available: 0, known: false };
  }
  const [, onHand, held, committed, incoming, keptBack] = totals;
  return { sku, onHand, held, committed, incoming, available: onHand - held - committed - keptBack, known: true };
}
