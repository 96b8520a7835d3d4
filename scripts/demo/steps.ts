import type { SaleRow } from '../replay/sale-row.ts';

/** What happens in the story, one after the other. */
export type Step = {
  readonly locationId: string;
  readonly sku: string;
  readonly units: number;
  /** Names it at till or storefront, so that a repeat is one. */
  readonly key: string;
} & ({ readonly kind: 'sale' | 'return' } | { readonly kind: 'pickup' | 'change of mind' });

/** Of the sales, every so many is made on the web; of those, every so many is given up again. */
const WEB_EVERY = 5;
const GIVEN_UP_EVERY = 4;
/** Units of one till line. What a wholesaler buys at once is no till sale. */
const UNITS_MAX = 12;

/**
 * Turns the rows of a file into what happens at tills and on the web, the file over and over until there are enough.
 * Invoices stay together at one store. A write-off is not booked at a till, so it is passed over.
 */
export function stepsOf(rows: readonly SaleRow[], locations: readonly string[], count: number): Step[] {
  const usable = rows.filter(({ kind }) => kind !== 'write-off');
  if (usable.length === 0) throw new Error('the file has no sale');
  return Array.from({ length: count }, (_, index) => {
    const row = usable[index % usable.length] as SaleRow;
    const round = Math.floor(index / usable.length);
    const locationId = locations[(numberOf(row.invoice) + round) % locations.length] ?? '';
    const units = Math.min(row.units, UNITS_MAX);
    return { locationId, sku: row.sku, units, key: `demo-${index}`, kind: kindOf(row, index) };
  });
}

/** What has to be there in the beginning, so that the web can sell, too: by sku and location. */
export function openingUnits(steps: readonly Step[]): Map<string, { sku: string; locationId: string; units: number }> {
  const opening = new Map<string, { sku: string; locationId: string; units: number }>();
  for (const { sku, locationId, units, kind } of steps) {
    const key = `${sku} ${locationId}`;
    const found = opening.get(key) ?? { sku, locationId, units: 0 };
    opening.set(key, { ...found, units: found.units + (kind === 'return' ? 1 : units) });
  }
  return opening;
}

function kindOf({ kind }: SaleRow, index: number): Step['kind'] {
  if (kind === 'return') return 'return';
  if (index % WEB_EVERY !== 0) return 'sale';
  return (index / WEB_EVERY) % GIVEN_UP_EVERY === 0 ? 'change of mind' : 'pickup';
}

function numberOf(invoice: string): number {
  return Number(/\d+/.exec(invoice)?.[0] ?? 0);
}
