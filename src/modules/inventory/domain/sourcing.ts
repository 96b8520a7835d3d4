import type { Allocation, HoldLine, SourcedLine } from '../contract.ts';
import type { Alternative, Shortage } from './inventory.errors.ts';

/** One sku at one location, as the hold that is to be planned sees it. */
export interface StockSight {
  readonly sku: string;
  readonly locationId: string;
  /** May be negative. Holds that are due count as given back already. */
  readonly available: number;
  /** Units that this very hold has here. */
  readonly own: number;
  /** Those of them that its open line has; the others are of the line that asked for this place. */
  readonly ownOpen: number;
  /** Of the location; lower first. */
  readonly priority: number;
  readonly sellsOnline: boolean;
}

export interface SourcingInput {
  /** Merged (see mergeLines): one per sku and asked location, at most one open line a sku. */
  readonly lines: readonly HoldLine[];
  /** Every place that a line may be served from or where the hold has units; one that is absent has nothing. */
  readonly sights: readonly StockSight[];
  /** False for an inactive product: the hold keeps what it has and gets nothing new. */
  takesNewHolds(sku: string): boolean;
}

/** What has to happen at one place: above 0 to hold more, below 0 to give back, never 0. */
export interface HoldChange {
  readonly sku: string;
  readonly locationId: string;
  readonly delta: number;
}

export type SourcingPlan =
  | { readonly kind: 'plan'; readonly lines: SourcedLine[]; readonly changes: HoldChange[] }
  | { readonly kind: 'short'; readonly shortages: Shortage[]; readonly alternatives: Alternative[] };

/** Sums lines of the same sku and the same asked location (rule 3); the order of first mention is kept. */
export function mergeLines(lines: readonly HoldLine[]): HoldLine[] {
  const merged = new Map<string, HoldLine>();
  for (const { sku, quantity, locationId } of lines) {
    // Ids have no spaces, so the key is unambiguous and an open line's key is nobody else's.
    const key = `${sku} ${locationId ?? ''}`;
    merged.set(key, { sku, quantity: quantity + (merged.get(key)?.quantity ?? 0), locationId });
  }
  return [...merged.values()];
}

/**
 * Decides where each line gets its units so that the hold becomes exactly these lines: all or nothing, and with as few
 * changes as possible (rules 3 and 4, sourcing as in section 4).
 *
 * Lines with an asked location are served first, then each open line sees what is left. As a sku has at most one open
 * line, no order of serving could succeed where this one fails. The answer does not depend on the order of the sights.
 */
export function planSourcing(input: SourcingInput): SourcingPlan {
  const places = placesBySku(input);
  serveAskedLines(input.lines, places);
  serveOpenLines(input.lines, places);
  const shortages = shortagesOf(input.lines, places);
  if (shortages.length > 0) {
    return { kind: 'short', shortages, alternatives: alternativesTo(shortages, places) };
  }
  const lines = input.lines.map((line) => ({ ...line, allocations: allocationsOf(line, places) }));
  return { kind: 'plan', lines, changes: changesOf(places) };
}

/** A place that sourcing may choose, or that a refusal may name. */
interface Candidate {
  readonly locationId: string;
  readonly priority: number;
  readonly sellsOnline: boolean;
  /** Units that could be had there. */
  readonly units: number;
}

/** A sight while it is being planned; lives within one call of planSourcing. */
class Place implements Candidate {
  readonly locationId: string;
  readonly priority: number;
  readonly sellsOnline: boolean;
  readonly own: number;
  readonly ownOpen: number;
  /** The most that the hold could have here. */
  readonly reach: number;
  /** Units that the line which asked for this place gets. */
  asked = 0;
  /** Units that the sku's open line gets. */
  open = 0;

  constructor({ locationId, priority, sellsOnline, own, ownOpen, available }: StockSight, takesNewHolds: boolean) {
    this.locationId = locationId;
    this.priority = priority;
    this.sellsOnline = sellsOnline;
    this.own = own;
    this.ownOpen = ownOpen;
    this.reach = own + (takesNewHolds ? Math.max(0, available) : 0);
  }

  /** The most that the open line could have here. */
  get units(): number {
    return this.reach - this.asked;
  }

  /** Own units that are here besides the asked line's: the open line may have them and nothing moves. */
  get spare(): number {
    return Math.max(0, this.own - this.asked);
  }

  /**
   * The most own units that the open line may keep, even where nothing is sold online: what it has, except for units
   * that the asked line cannot do without, and what the asked line has no use for. More than `spare` is kept by newly
   * holding as many for the asked line.
   */
  get keepable(): number {
    const ownAsked = this.own - this.ownOpen;
    const wantedByAsked = Math.max(0, this.asked - ownAsked - (this.reach - this.own));
    return this.own - Math.min(this.asked, ownAsked) - wantedByAsked;
  }

  get left(): number {
    return this.units - this.open;
  }

  /** Units that the open line could still get newly. */
  get growable(): number {
    return this.sellsOnline ? this.left : 0;
  }
}

type Places = ReadonlyMap<string, Place[]>;

/** Units of an open line that its own units do not cover. */
interface Difference {
  readonly units: number;
  /** Of the line's sku, in the order of candidates. */
  readonly places: readonly Place[];
}

function placesBySku(input: SourcingInput): Places {
  const places = new Map<string, Place[]>();
  const add = (sight: StockSight): void => {
    const place = new Place(sight, input.takesNewHolds(sight.sku));
    const ofSku = places.get(sight.sku);
    if (ofSku === undefined) places.set(sight.sku, [place]);
    else ofSku.push(place);
  };
  input.sights.forEach(add);
  for (const { sku, locationId } of input.lines) {
    if (locationId !== null && findPlace(places, sku, locationId) === undefined) {
      add({ sku, locationId, available: 0, own: 0, ownOpen: 0, priority: 0, sellsOnline: false });
    }
  }
  return places;
}

function serveAskedLines(lines: readonly HoldLine[], places: Places): void {
  for (const { sku, quantity, locationId } of lines) {
    if (locationId === null) continue;
    const place = findPlace(places, sku, locationId);
    if (place === undefined || place.asked > 0) throw new Error(`Bug: lines of ${sku} at ${locationId} are not merged`);
    place.asked = Math.min(quantity, place.reach);
  }
}

/** Units that a line has stay its own; what is missing is sourced for all open lines together, a surplus is given back. */
function serveOpenLines(lines: readonly HoldLine[], places: Places): void {
  const differences: Difference[] = [];
  const served = new Set<string>();
  for (const { sku, quantity, locationId } of lines) {
    if (locationId !== null) continue;
    if (served.has(sku)) throw new Error(`Bug: open lines of ${sku} are not merged`);
    served.add(sku);
    const candidates = [...(places.get(sku) ?? [])].sort(compareCandidates);
    let missing = quantity;
    // Keeping from the front is the same as giving back from the end: what sourcing would choose last.
    for (const place of candidates) {
      place.open = Math.min(missing, place.spare);
      missing -= place.open;
    }
    // Units have to be newly held in any case: rather for a line that has come to where the open line's units are than
    // for the open line elsewhere.
    for (const place of candidates) {
      const stays = Math.min(missing, place.keepable - place.open);
      place.open += stays;
      missing -= stays;
    }
    if (missing > 0) differences.push({ units: missing, places: candidates });
  }
  sourceDifferences(differences);
}

/** One location for all differences, else one for each, else split. */
function sourceDifferences(differences: readonly Difference[]): void {
  const locationForAll = findLocationForAll(differences);
  for (const { units, places } of differences) {
    const single =
      locationForAll === undefined
        ? places.find((place) => place.growable >= units)
        : places.find((place) => place.locationId === locationForAll);
    let missing = units;
    for (const place of single === undefined ? places : [single]) {
      const grown = Math.min(missing, place.growable);
      place.open += grown;
      missing -= grown;
    }
  }
}

/** The best location that can serve every difference; its available units are summed over their skus. */
function findLocationForAll(differences: readonly Difference[]): string | undefined {
  const candidates = new Map<string, Candidate & { served: number }>();
  for (const { units, places } of differences) {
    for (const place of places) {
      if (place.growable < units) continue;
      const { locationId, priority, sellsOnline } = place;
      const { served, units: sum } = candidates.get(locationId) ?? { served: 0, units: 0 };
      candidates.set(locationId, { locationId, priority, sellsOnline, served: served + 1, units: sum + place.units });
    }
  }
  const serveAll = [...candidates.values()].filter(({ served }) => served === differences.length);
  return serveAll.sort(compareCandidates)[0]?.locationId;
}

function shortagesOf(lines: readonly HoldLine[], places: Places): Shortage[] {
  const shortages: Shortage[] = [];
  for (const line of lines) {
    // A line that is short has got the most that it could have.
    const got = allocationsOf(line, places).reduce((sum, { quantity }) => sum + quantity, 0);
    if (got < line.quantity) {
      shortages.push({ sku: line.sku, locationId: line.locationId, requested: line.quantity, available: got });
    }
  }
  return shortages;
}

/** Where else a line could go that was short at its asked location: what the other lines leave. */
function alternativesTo(shortages: readonly Shortage[], places: Places): Alternative[] {
  const askedSkus = new Set(shortages.filter(({ locationId }) => locationId !== null).map(({ sku }) => sku));
  return [...askedSkus].flatMap((sku) => {
    const soldOnline = (places.get(sku) ?? []).filter((place) => place.sellsOnline);
    return alternativesAmong(
      sku,
      soldOnline.map(({ locationId, priority, sellsOnline, left }) => ({
        locationId,
        priority,
        sellsOnline,
        units: left,
      })),
    );
  });
}

/** Those of the places that have units, in the order in which sourcing would choose them. */
export function alternativesAmong(sku: string, places: readonly Candidate[]): Alternative[] {
  return places
    .filter(({ units }) => units > 0)
    .sort(compareCandidates)
    .map(({ locationId, units }) => ({ sku, locationId, available: units }));
}

/** By location id, so that a plan reads the same however stock has moved meanwhile. */
function allocationsOf({ sku, locationId }: HoldLine, places: Places): Allocation[] {
  const allocations: Allocation[] = [];
  for (const place of places.get(sku) ?? []) {
    const quantity = locationId === null ? place.open : locationId === place.locationId ? place.asked : 0;
    if (quantity > 0) allocations.push({ locationId: place.locationId, quantity });
  }
  return allocations.sort((a, b) => compareText(a.locationId, b.locationId));
}

/** In key order, as everything is written. */
function changesOf(places: Places): HoldChange[] {
  const changes: HoldChange[] = [];
  for (const [sku, ofSku] of places) {
    for (const { locationId, asked, open, own } of ofSku) {
      const delta = asked + open - own;
      if (delta !== 0) changes.push({ sku, locationId, delta });
    }
  }
  return changes.sort((a, b) => compareText(a.sku, b.sku) || compareText(a.locationId, b.locationId));
}

function findPlace(places: Places, sku: string, locationId: string): Place | undefined {
  return places.get(sku)?.find((place) => place.locationId === locationId);
}

/**
 * By priority, then most available, then id (DESIGN section 4). Own units count as available, so that the order in
 * which units were taken is the order in which they are kept. Where nothing is sold online sourcing never chooses, so
 * such a place comes last and gives back first.
 */
function compareCandidates(a: Candidate, b: Candidate): number {
  return (
    Number(b.sellsOnline) - Number(a.sellsOnline) ||
    a.priority - b.priority ||
    b.units - a.units ||
    compareText(a.locationId, b.locationId)
  );
}

/** Plain code-unit order, the same on every machine and in both databases. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
