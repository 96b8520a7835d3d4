import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { locationKey, productKey } from '../contract.ts';
import { LocationNotFound, ProductNotFound, UnknownLocation, UnknownProduct } from '../domain/inventory.errors.ts';
import type { LocationState } from '../domain/location.ts';
import type { ProductState } from '../domain/product.ts';
import { locationsTable } from './location.table.ts';
import { productsTable } from './product.table.ts';

/** Products and locations, as commands ask for them: those in the path are missing (404), those in the body unknown (422). */
@Injectable()
export class Catalogue {
  /**
   * The product and the location that a path names.
   * @throws ProductNotFound, LocationNotFound
   */
  async inPath(tx: Transaction, sku: string, locationId: string): Promise<ProductState> {
    const product = await tx.get(productsTable, sku);
    if (product === undefined) {
      throw new ProductNotFound(sku);
    }
    await this.locationInPath(tx, locationId);
    return product;
  }

  /** @throws LocationNotFound */
  async locationInPath(tx: Transaction, locationId: string): Promise<void> {
    if ((await tx.get(locationsTable, locationId)) === undefined) {
      throw new LocationNotFound(locationId);
    }
  }

  /**
   * The product of a row whose product and location were loaded before; without a promise, for rows by the million.
   * @throws UnknownProduct, UnknownLocation
   */
  ofLoadedRow(tx: Transaction, sku: string, locationId: string): ProductState {
    const product = tx.loaded(productsTable, sku);
    if (product === undefined) {
      throw new UnknownProduct([sku]);
    }
    if (tx.loaded(locationsTable, locationId) === undefined) {
      throw new UnknownLocation([locationId]);
    }
    return product;
  }

  /**
   * The products of a body's lines, by sku.
   * @throws UnknownProduct with all that are unknown
   */
  async productsInBody(tx: Transaction, skus: Iterable<string>): Promise<Map<string, ProductState>> {
    const distinct = [...new Set(skus)];
    const keys = distinct.map(productKey);
    if (!tx.knows(keys)) await tx.load(keys);
    return this.loadedProducts(tx, distinct);
  }

  /**
   * The same of products that were loaded before, without a promise: for the hot path.
   * @throws UnknownProduct with all that are unknown
   */
  loadedProducts(tx: Transaction, skus: Iterable<string>): Map<string, ProductState> {
    const distinct = [...new Set(skus)];
    const products = new Map<string, ProductState>();
    for (const sku of distinct) {
      const product = tx.loaded(productsTable, sku);
      if (product !== undefined) {
        products.set(sku, product);
      }
    }
    const unknown = distinct.filter((sku) => !products.has(sku));
    if (unknown.length > 0) {
      throw new UnknownProduct(unknown);
    }
    return products;
  }

  /**
   * The locations that a body names, by id.
   * @throws UnknownLocation with all that are unknown
   */
  async locationsInBody(tx: Transaction, locationIds: Iterable<string>): Promise<Map<string, LocationState>> {
    const distinct = [...new Set(locationIds)];
    const keys = distinct.map(locationKey);
    if (!tx.knows(keys)) await tx.load(keys);
    return this.loadedLocations(tx, distinct);
  }

  /**
   * The same of locations that were loaded before, without a promise: for the hot path.
   * @throws UnknownLocation with all that are unknown
   */
  loadedLocations(tx: Transaction, locationIds: Iterable<string>): Map<string, LocationState> {
    const distinct = [...new Set(locationIds)];
    const locations = new Map<string, LocationState>();
    for (const locationId of distinct) {
      const location = tx.loaded(locationsTable, locationId);
      if (location !== undefined) {
        locations.set(locationId, location);
      }
    }
    const unknown = distinct.filter((locationId) => !locations.has(locationId));
    if (unknown.length > 0) {
      throw new UnknownLocation(unknown);
    }
    return locations;
  }
}
