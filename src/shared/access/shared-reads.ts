/**
 * Reads that many requests want at the same time, such as that of the key which all of a storefront's requests carry.
 * A read waits until the event loop has taken in what has arrived, and for the one before it; whoever asks meanwhile
 * shares it. So it begins after everybody has asked who gets its answer, which a cache could not promise, and what the
 * sockets deliver together costs one read.
 */
export class SharedReads<T> {
  private readonly waiting = new Map<string, Promise<T>>();
  private readonly running = new Map<string, Promise<T>>();

  constructor(private readonly load: (key: string) => Promise<T>) {}

  read(key: string): Promise<T> {
    let read = this.waiting.get(key);
    if (read === undefined) {
      read = new Promise<void>(setImmediate).then(() => this.whenFree(key)).then(() => this.start(key));
      this.waiting.set(key, read);
    }
    return read;
  }

  private whenFree(key: string): Promise<unknown> | undefined {
    return this.running.get(key)?.catch(() => undefined);
  }

  private start(key: string): Promise<T> {
    this.waiting.delete(key);
    const read = this.load(key);
    this.running.set(key, read);
    const end = (): void => {
      if (this.running.get(key) === read) this.running.delete(key);
    };
    read.then(end, end);
    return read;
  }
}
