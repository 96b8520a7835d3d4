import { Readable } from 'node:stream';

/** Text that is not read yet by a slow client, in bytes; past it the writer waits. */
const WAITING_BYTES_MAX = 64 * 1024;

/** An answer that is written while it is read: whoever writes waits for whoever reads. */
export class ResultStream extends Readable {
  private onRoom: (() => void) | undefined;
  private cut = false;

  /** @param unreadMaxMs how long a reader may take nothing, in milliseconds; past it the answer is cut */
  constructor(private readonly unreadMaxMs: number) {
    super({ highWaterMark: WAITING_BYTES_MAX });
  }

  /** Whether it ended because nobody took anything of it. */
  get isCut(): boolean {
    return this.cut;
  }

  /**
   * @returns when there is room for more
   * @throws Error when the reader has gone, or takes nothing any more
   */
  async send(text: string | Buffer): Promise<void> {
    if (!this.destroyed && !this.push(text, 'utf8')) {
      await this.room();
    }
    if (this.destroyed) throw new Error('Nobody reads the results any more');
  }

  /** The answer is whole. */
  finish(): void {
    this.push(null);
  }

  override _read(): void {
    this.goOn();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.goOn();
    callback(error);
  }

  private room(): Promise<void> {
    return new Promise((resolve) => {
      // Whoever neither reads nor goes would hold the place of another import for ever.
      const cut = setTimeout(() => {
        this.cut = true;
        this.destroy();
      }, this.unreadMaxMs);
      this.onRoom = () => {
        clearTimeout(cut);
        resolve();
      };
    });
  }

  private goOn(): void {
    this.onRoom?.();
    this.onRoom = undefined;
  }
}
