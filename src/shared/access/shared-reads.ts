/**
 * Reads that many requests want at the same time, such as that of the key which all of a storefront's requests carry.
 * Whoever asks while one is on its way shares the next one: nobody gets an answer from before they asked, which a cache
 * could not promise, and a thousand requests at once cost two reads.
 */
export class SharedReads<T> {
  private readonly running = new Map<string, RunningRead<T>>();

  constructor(private readonly load: (key: string) => Promise<T>) {}

  read(key: string): Promise<T> {
    const running = this.running.get(key);
    if (running === undefined) return this.start(key);
    running.next ??= running.now.then(ignore, ignore).then(() => this.start(key));
    return running.next;
  }

  private start(key: string): Promise<T> {
    const read: RunningRead<T> = { now: this.load(key), next: null };
    this.running.set(key, read);
    const end = (): void => {
      if (read.next === null) this.running.delete(key);
    };
    read.now.then(end, end);
    return read.now;
  }
}

interface RunningRead<T> {
  readonly now: Promise<T>;
  /** For those who came meanwhile. */
  next: Promise<T> | null;
}

function ignore(): void {
  // Whoever asked for it is told.
}
