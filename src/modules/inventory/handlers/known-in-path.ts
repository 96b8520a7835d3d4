import type { Reader } from '../../../shared/persistence/reader.ts';
import { LocationNotFound, ProductNotFound } from '../domain/inventory.errors.ts';

const KNOWN = `SELECT
  (SELECT COUNT(*) FROM products WHERE tenant_id = :tenant AND sku = :sku) AS "products",
  (SELECT COUNT(*) FROM locations WHERE tenant_id = :tenant AND location_id = :locationId) AS "locations"`;

/**
 * For reads that found nothing: tells "nothing there yet" from "no such thing".
 * @throws ProductNotFound, LocationNotFound
 */
export async function assertKnownInPath(reader: Reader, sku: string, locationId: string): Promise<void> {
  const [known] = await reader.select<{ products: number; locations: number }>(KNOWN, { sku, locationId });
  if (Number(known?.products) === 0) {
    throw new ProductNotFound(sku);
  }
  if (Number(known?.locations) === 0) {
    throw new LocationNotFound(locationId);
  }
}
