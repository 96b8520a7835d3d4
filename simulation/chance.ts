/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Chance {
  private state: number;

  /** @param seed its lowest 32 bits count */
  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** From 0 to 1, without 1. */
  fraction(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** @returns a whole number from `min` to `max`, both included */
  whole(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1));
  }

  /** @param share from 0, never, to 1, always */
  happens(share: number): boolean {
    return this.fraction() < share;
  }

  pick<T>(items: readonly [T, ...T[]] | readonly T[]): T {
    if (items.length === 0) throw new Error('Nothing to pick from');
    return items[this.whole(0, items.length - 1)] as T;
  }

  /** @param weights of the names: one with twice the weight is picked twice as often */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][];
    let left = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return entries[0]?.[0] as Name;
  }

  /** A seed for a stream of its own: what that one draws does not move what this one draws next. */
  seed(): number {
    return Math.floor(this.fraction() * 4_294_967_296);
  }
}
