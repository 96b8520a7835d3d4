import type { LogFilter } from '../../../shared/outbox/log-reader.ts';
import { FEED_TYPES, type FeedChange, STOCK_CHANGE_TYPES, type ToldAs, TRANSFER_TYPES } from './feed-change.ts';

/** What somebody wants to hear of, for the log and for the tail. */
export interface FeedInterest {
  readonly as: ToldAs;
  /** Lets at least everything through that is wanted. */
  readonly filter: LogFilter;
  /** Under which of its keys (`keysOf`) a change is looked for; each change that is wanted has one of them. */
  readonly keys: readonly string[];
  wants(change: FeedChange): boolean;
}

const EVERYTHING = '*';

/** Under which keys a change is announced. */
export function keysOf({ sku, locationIds }: FeedChange): string[] {
  return [EVERYTHING, ...locationIds.map(atLocation), ...(sku === null ? [] : [ofSku(sku)])];
}

/** Every change of the location's stock, and of transfers from it and to it, that its store did not report itself. */
export function changesOfStore(locationId: string): FeedInterest {
  return {
    as: 'event',
    filter: { types: FEED_TYPES, locationId, anywhere: TRANSFER_TYPES, notFrom: locationId },
    keys: [atLocation(locationId)],
    wants: ({ origin, locationIds }) => origin !== locationId && locationIds.includes(locationId),
  };
}

/** Every change of these stock items, whoever made it. @param skus null: all @param locationId null: everywhere */
export function changesOfStock(skus: readonly string[] | null, locationId: string | null): FeedInterest {
  const wanted = skus === null ? null : new Set(skus);
  const keys = wanted === null ? [locationId === null ? EVERYTHING : atLocation(locationId)] : [...wanted].map(ofSku);
  return {
    as: 'stock',
    filter: { types: STOCK_CHANGE_TYPES, ...(locationId === null ? {} : { locationId }) },
    keys,
    wants: ({ type, sku, locationIds }) =>
      STOCK_CHANGE_TYPES.includes(type) &&
      (wanted === null || (sku !== null && wanted.has(sku))) &&
      (locationId === null || locationIds.includes(locationId)),
  };
}

function atLocation(locationId: string): string {
  return `location ${locationId}`;
}

function ofSku(sku: string): string {
  return `sku ${sku}`;
}
