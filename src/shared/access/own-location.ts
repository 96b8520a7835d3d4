import { currentContext } from '../kernel/context.ts';
import type { HttpError } from '../http/http-error.ts';
import { forbidden } from './access.errors.ts';

/*
 * A store sees and changes its own location. So its requests name that one, and no other, wherever they name one: in
 * the path, in the query, at any depth of the body.
 */

const LOCATION_MEMBERS: ReadonlySet<string> = new Set(['locationId', 'fromLocationId', 'toLocationId']);

/** @returns every location that a part of a request names; a JSON value is nested no deeper than JSON_DEPTH_MAX */
function locationsIn(part: unknown): unknown[] {
  if (Array.isArray(part)) return part.flatMap(locationsIn);
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part as Readonly<Record<string, unknown>>).flatMap(([name, value]) => {
    if (!LOCATION_MEMBERS.has(name)) return locationsIn(value);
    return value === null || value === undefined ? [] : [value];
  });
}

/** @returns why a request of this store, with these parts, is refused; null when it names its location and no other */
export function faultOfNamingOnly(locationId: string | null, parts: readonly unknown[]): HttpError | null {
  return parts.flatMap(locationsIn).length === 0
    ? forbidden('A store says with each request that it is about its own location')
    : faultOfNamingOther(locationId, parts);
}

/** The same for a request of which there is more to come. */
export function faultOfNamingOther(locationId: string | null, parts: readonly unknown[]): HttpError | null {
  return parts.flatMap(locationsIn).every((named) => named === locationId)
    ? null
    : forbidden('This key is for another location');
}

/**
 * Looks at a request that has been read whole; only a store's has to pass.
 * @throws HttpError FORBIDDEN
 */
export function assertWithinReach(parts: readonly unknown[]): void {
  const locationId = currentContext().reach?.locationId ?? null;
  const fault = locationId === null ? null : faultOfNamingOnly(locationId, parts);
  if (fault !== null) throw fault;
}
