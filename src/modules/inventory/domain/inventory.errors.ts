import { DomainError } from '../../../shared/kernel/domain-error.ts';
import { BALANCE_MAX } from '../contract.ts';

/*
 * Everything that inventory can refuse. Details become members of the problem document, so none of them is named
 * like one of its own members (type, title, status, detail, instance, code, correlationId).
 */

/** A line that cannot be had as it was asked for. */
export interface Shortage {
  readonly sku: string;
  /** As asked; null when the line left it open. */
  readonly locationId: string | null;
  /** The line's whole wanted quantity. */
  readonly requested: number;
  /** The most units that the line could have, own units included; never negative. */
  readonly available: number;
}

/** Another place that has units which a short line could have instead. */
export interface Alternative {
  readonly sku: string;
  readonly locationId: string;
  /** At least 1. */
  readonly available: number;
}

/** A command wants more than may be taken. Facts are never refused with it. */
export class InsufficientStock extends DomainError {
  readonly code = 'INSUFFICIENT_STOCK';
  readonly kind = 'refused';

  constructor(shortages: readonly Shortage[], alternatives: readonly Alternative[] = []) {
    const lines = shortages.map(
      ({ sku, locationId, requested, available }) =>
        `${sku} at ${locationId ?? 'any location'}: ${requested} wanted, ${available} available`,
    );
    const named = lines.slice(0, LINES_NAMED_MAX).join('; ');
    const more = lines.length > LINES_NAMED_MAX ? `; and ${lines.length - LINES_NAMED_MAX} more` : '';
    super(`Not enough stock: ${named}${more}`, { shortages, alternatives });
  }
}

/** The message names the first few short lines; `details.shortages` has them all. */
const LINES_NAMED_MAX = 3;

/** The request names products that are not in the catalogue. */
export class UnknownProduct extends DomainError {
  readonly code = 'UNKNOWN_PRODUCT';
  readonly kind = 'unprocessable';

  constructor(skus: readonly string[]) {
    super(`No such product: ${skus.join(', ')}`, { skus });
  }
}

/** The request names locations that do not exist. */
export class UnknownLocation extends DomainError {
  readonly code = 'UNKNOWN_LOCATION';
  readonly kind = 'unprocessable';

  constructor(locationIds: readonly string[]) {
    super(`No such location: ${locationIds.join(', ')}`, { locationIds });
  }
}

/** A balance would pass plus or minus BALANCE_MAX. The one refusal that a fact can meet. */
export class QuantityLimit extends DomainError {
  readonly code = 'QUANTITY_LIMIT';
  readonly kind = 'unprocessable';

  constructor(sku: string, locationId: string) {
    super(`A balance of ${sku} at ${locationId} would go beyond ${BALANCE_MAX} units`, {
      sku,
      locationId,
      limit: BALANCE_MAX,
    });
  }
}

/** The path names a product that is not in the catalogue. */
export class ProductNotFound extends DomainError {
  readonly code = 'NOT_FOUND';
  readonly kind = 'missing';

  constructor(sku: string) {
    super(`There is no product ${sku}`, { sku });
  }
}

/** The path names a location that does not exist. */
export class LocationNotFound extends DomainError {
  readonly code = 'NOT_FOUND';
  readonly kind = 'missing';

  constructor(locationId: string) {
    super(`There is no location ${locationId}`, { locationId });
  }
}

/** A row of an import came with ever new values under one Idempotency-Key; none of the earlier ones is forgotten. */
export class RowChangedTooOften extends DomainError {
  readonly code = 'IDEMPOTENCY_KEY_REUSED';
  readonly kind = 'unprocessable';

  constructor(rowNumber: number) {
    super(`Row ${rowNumber} was applied with too many different values under this Idempotency-Key; take a new key`);
  }
}
