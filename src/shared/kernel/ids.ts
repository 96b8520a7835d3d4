import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** The one source of new ids. Ids rise with time (UUIDv7, RFC 9562), so "newest first" is descending id order. */
export abstract class Ids {
  abstract next(): string;
}

/** Random bytes of one id. */
const ID_BYTES = 16;
/** Ids whose random bytes are drawn together: one call to the system for each id cost 6 of 7 µs (measured). */
const POOLED_IDS = 512;

/** Rises within a process even within a millisecond and when the clock steps back (RFC 9562, section 6.2, method 1). */
export class UuidV7Ids extends Ids {
  private readonly pool = new Uint8Array(ID_BYTES * POOLED_IDS);
  private used = this.pool.length;
  private milliseconds = 0;
  private counter = 0;

  next(): string {
    const random = this.drawRandom();
    const now = Date.now();
    if (now > this.milliseconds) {
      this.milliseconds = now;
      // The counter has 32 bits and starts in the lower half, so it cannot overflow within a millisecond.
      this.counter = new DataView(random.buffer, random.byteOffset).getUint32(0) >>> 1;
    } else {
      this.counter += 1;
    }
    return v7({ random, msecs: this.milliseconds, seq: this.counter });
  }

  private drawRandom(): Uint8Array {
    if (this.used === this.pool.length) {
      randomFillSync(this.pool);
      this.used = 0;
    }
    const drawn = this.pool.subarray(this.used, this.used + ID_BYTES);
    this.used += ID_BYTES;
    return drawn;
  }
}
