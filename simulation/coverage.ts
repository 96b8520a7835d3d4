/** Counts what a run has met: one that never got into the odd places would prove nothing. */
export class Coverage {
  private readonly times = new Map<string, number>();

  count(name: string, times = 1): void {
    this.times.set(name, this.of(name) + times);
  }

  of(name: string): number {
    return this.times.get(name) ?? 0;
  }

  add(other: Coverage): void {
    other.times.forEach((times, name) => {
      this.count(name, times);
    });
  }

  /** By name. */
  get entries(): [string, number][] {
    return [...this.times].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
