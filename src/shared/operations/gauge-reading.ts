/** How a value that is read at scrape time may behave. */
export interface GaugeLimits {
  /** A scrape waits no longer than this for one value. */
  readonly readMaxMs: number;
  /** A value younger than this is not read again, so that many scrapers cost one read. */
  readonly freshMs: number;
}

/**
 * A value that costs a read, kept for a while. One read runs at a time: a read that hangs is waited for by the next
 * scrapes instead of being joined by more reads that would hang as well.
 */
export class GaugeReading<Value> {
  private value: Value | undefined;
  private readAtMs = -Infinity;
  private reading: Promise<void> | null = null;

  /**
   * @param read   may fail or hang
   * @param onFail called once for every read that failed
   * @param nowMs  a clock that never goes back
   */
  constructor(
    private readonly read: () => Promise<Value>,
    private readonly onFail: () => void,
    private readonly limits: GaugeLimits,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** @returns the value, or null when it could not be read in time; never rejects. */
  async current(): Promise<Value | null> {
    if (!this.isFresh()) {
      this.reading ??= this.refresh();
      await settledOrAfter(this.reading, this.limits.readMaxMs);
    }
    return this.isFresh() ? (this.value ?? null) : null;
  }

  private isFresh(): boolean {
    return this.nowMs() - this.readAtMs < this.limits.freshMs;
  }

  private async refresh(): Promise<void> {
    try {
      this.value = await this.read();
      this.readAtMs = this.nowMs();
    } catch {
      this.onFail();
    } finally {
      this.reading = null;
    }
  }
}

async function settledOrAfter(work: Promise<void>, afterMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeOut = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, afterMs);
  });
  await Promise.race([work, timeOut]);
  clearTimeout(timer);
}
