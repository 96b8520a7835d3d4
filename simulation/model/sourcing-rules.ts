import type { HoldLine, SourcedLine } from '../../src/modules/inventory/contract.ts';

/* Where lines get their units: DESIGN section 4 (sourcing, update) and rules 3 and 4, step by step. */

/** A location as one reservation sees it for one sku. */
export interface Shelf {
  readonly locationId: string;
  readonly priority: number;
  readonly sellsOnline: boolean;
  /** Units that the reservation has here, and those of them that its open line has. */
  readonly own: number;
  readonly ownOpen: number;
  /** Units that it could take besides; never negative. */
  readonly free: number;
}

export interface Sourced {
  readonly lines: SourcedLine[];
  readonly shortages: { sku: string; locationId: string | null; requested: number; available: number }[];
  readonly alternatives: { sku: string; locationId: string; available: number }[];
}

/** Lines of the same sku and asked location count as one, where the first of them stands. */
export function summed(lines: readonly HoldLine[]): HoldLine[] {
  const isSame = (a: HoldLine, b: HoldLine): boolean => a.sku === b.sku && a.locationId === b.locationId;
  const firsts = lines.filter((line, index) => lines.findIndex((other) => isSame(line, other)) === index);
  return firsts.map(({ sku, locationId }) => ({
    sku,
    quantity: lines
      .filter((other) => isSame(other, { sku, locationId, quantity: 0 }))
      .reduce((n, l) => n + l.quantity, 0),
    locationId,
  }));
}

/** The shelves of one sku while its lines are served. */
class Aisle {
  private readonly asked = new Map<string, number>();
  private readonly open = new Map<string, number>();

  constructor(private readonly shelves: readonly Shelf[]) {}

  /** Lines that name their location come first. */
  serveAsked(locationId: string, quantity: number): void {
    const shelf = this.shelves.find((one) => one.locationId === locationId);
    this.asked.set(locationId, Math.min(quantity, shelf === undefined ? 0 : shelf.own + shelf.free));
  }

  askedAt(locationId: string): number {
    return this.asked.get(locationId) ?? 0;
  }

  openAt(locationId: string): number {
    return this.open.get(locationId) ?? 0;
  }

  /** The most that the open line could have here, its own units included. */
  room({ locationId, own, free }: Shelf): number {
    return own + free - this.askedAt(locationId);
  }

  /** What it could still get newly: only where things are sold online. */
  gain(shelf: Shelf): number {
    return shelf.sellsOnline ? this.room(shelf) - this.openAt(shelf.locationId) : 0;
  }

  /** By priority, then most available, then id; where nothing is sold online nothing would be chosen at all. */
  get bestFirst(): Shelf[] {
    return [...this.shelves].sort(
      (a, b) =>
        Number(b.sellsOnline) - Number(a.sellsOnline) ||
        a.priority - b.priority ||
        this.room(b) - this.room(a) ||
        (a.locationId < b.locationId ? -1 : 1),
    );
  }

  /**
   * Units already held stay where they are; a surplus is given back from where sourcing would choose last. What the open
   * line has stays its own although another line asks for the place now, as long as that one can have new units.
   */
  keep(quantity: number): number {
    let missing = quantity;
    for (const { locationId, own } of this.bestFirst) {
      const kept = Math.min(missing, Math.max(0, own - this.askedAt(locationId)));
      this.open.set(locationId, kept);
      missing -= kept;
    }
    for (const shelf of this.bestFirst) {
      const open = this.openAt(shelf.locationId);
      const stays = Math.max(0, Math.min(missing, shelf.ownOpen - open, this.room(shelf) - open));
      this.open.set(shelf.locationId, open + stays);
      missing -= stays;
    }
    return missing;
  }

  /** @returns what could not be had */
  take(shelves: readonly Shelf[], units: number): number {
    let missing = units;
    for (const shelf of shelves) {
      const taken = Math.min(missing, this.gain(shelf));
      this.open.set(shelf.locationId, this.openAt(shelf.locationId) + taken);
      missing -= taken;
    }
    return missing;
  }
}

/** @param shelvesOf every location, for one sku */
export function source(wanted: readonly HoldLine[], shelvesOf: (sku: string) => readonly Shelf[]): Sourced {
  const lines = summed(wanted);
  const aisles = new Map(lines.map(({ sku }) => [sku, new Aisle(shelvesOf(sku))]));
  const aisleOf = (sku: string): Aisle => aisles.get(sku) ?? new Aisle([]);
  for (const { sku, quantity, locationId } of lines) {
    if (locationId !== null) aisleOf(sku).serveAsked(locationId, quantity);
  }
  const missing = lines
    .filter(({ locationId }) => locationId === null)
    .map(({ sku, quantity }) => ({ aisle: aisleOf(sku), units: aisleOf(sku).keep(quantity) }))
    .filter(({ units }) => units > 0);
  const forAll = oneLocationForAll(missing);
  for (const { aisle, units } of missing) {
    const forLine = aisle.bestFirst.find((shelf) => aisle.gain(shelf) >= units);
    const shelves = aisle.bestFirst.filter(({ locationId }) => locationId === (forAll ?? forLine?.locationId));
    aisle.take(shelves.length > 0 ? shelves : aisle.bestFirst, units);
  }
  return answer(lines, aisleOf, shelvesOf);
}

/** The best location that can give every open line what it misses. */
function oneLocationForAll(missing: readonly { aisle: Aisle; units: number }[]): string | undefined {
  const [first] = missing;
  const able = (first?.aisle.bestFirst ?? []).flatMap(({ locationId, priority }) => {
    const shelves = missing.map(({ aisle, units }) => {
      const shelf = aisle.bestFirst.find((one) => one.locationId === locationId);
      return shelf !== undefined && aisle.gain(shelf) >= units ? { room: aisle.room(shelf) } : undefined;
    });
    if (shelves.includes(undefined)) return [];
    return [{ locationId, priority, room: shelves.reduce((sum, shelf) => sum + (shelf?.room ?? 0), 0) }];
  });
  able.sort((a, b) => a.priority - b.priority || b.room - a.room || (a.locationId < b.locationId ? -1 : 1));
  return able[0]?.locationId;
}

function answer(
  lines: readonly HoldLine[],
  aisleOf: (sku: string) => Aisle,
  shelvesOf: (sku: string) => readonly Shelf[],
): Sourced {
  const sourced = lines.map((line) => {
    const aisle = aisleOf(line.sku);
    const unitsAt = (place: string): number =>
      line.locationId === null ? aisle.openAt(place) : line.locationId === place ? aisle.askedAt(place) : 0;
    const allocations = shelvesOf(line.sku).map(({ locationId }) => ({ locationId, quantity: unitsAt(locationId) }));
    allocations.sort((a, b) => (a.locationId < b.locationId ? -1 : 1));
    return { ...line, allocations: allocations.filter(({ quantity }) => quantity > 0) };
  });
  const shortages = sourced.flatMap(({ sku, locationId, quantity, allocations }) => {
    const available = allocations.reduce((sum, allocation) => sum + allocation.quantity, 0);
    return available < quantity ? [{ sku, locationId, requested: quantity, available }] : [];
  });
  // A line that named its location may be told of others that still have some when every line has taken its own.
  const skus = new Set(shortages.filter(({ locationId }) => locationId !== null).map(({ sku }) => sku));
  const alternatives = [...skus].flatMap((sku) => {
    const aisle = aisleOf(sku);
    const others = aisle.bestFirst.map((shelf) => ({ ...shelf, sku, available: aisle.gain(shelf) }));
    others.sort(
      (a, b) => a.priority - b.priority || b.available - a.available || (a.locationId < b.locationId ? -1 : 1),
    );
    return others
      .filter(({ available }) => available > 0)
      .map(({ locationId, available }) => ({ sku, locationId, available }));
  });
  return { lines: sourced, shortages, alternatives };
}
