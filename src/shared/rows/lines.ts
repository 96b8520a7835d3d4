import { isUtf8 } from 'node:buffer';

/** One line of a body without its line feed, or what is wrong with it. */
export type Line = string | LineFault;

/** To be read after the row's name: `is not valid UTF-8`. */
export class LineFault {
  constructor(readonly message: string) {}
}

const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Cuts bytes into lines. Never holds more than one unfinished line, and of a line beyond the limit nothing at all: it is
 * passed by until it ends.
 */
export class LineSplitter {
  private unfinished: Buffer[] = [];
  private unfinishedBytes = 0;
  private tooLong = false;
  private atStart = true;

  /** @param bytesMax longest line, its line feed not counted */
  constructor(private readonly bytesMax: number) {}

  /** @returns the lines that end within these bytes */
  push(bytes: Buffer): Line[] {
    const firstEnd = bytes.indexOf(LINE_FEED);
    if (firstEnd === -1) {
      this.keep(bytes);
      return [];
    }
    const lastEnd = bytes.lastIndexOf(LINE_FEED);
    this.keep(bytes.subarray(0, firstEnd));
    const lines = [this.finish()];
    if (lastEnd > firstEnd) {
      this.cut(bytes.subarray(firstEnd + 1, lastEnd), lines);
    }
    this.keep(bytes.subarray(lastEnd + 1));
    return lines;
  }

  /** @returns what stands behind the last line feed, if anything does */
  end(): Line[] {
    return this.unfinishedBytes > 0 ? [this.finish()] : [];
  }

  private keep(bytes: Buffer): void {
    this.unfinishedBytes += bytes.length;
    if (this.unfinishedBytes > this.bytesMax) {
      this.tooLong = true;
      this.unfinished = [];
    } else if (bytes.length > 0) {
      this.unfinished.push(bytes);
    }
  }

  private finish(): Line {
    const [only = Buffer.alloc(0)] = this.unfinished;
    const line = this.tooLong
      ? this.beyondLimit()
      : decode(this.unfinished.length > 1 ? Buffer.concat(this.unfinished) : only);
    this.unfinished = [];
    this.unfinishedBytes = 0;
    this.tooLong = false;
    return this.first(line);
  }

  private first(line: Line): Line {
    const marked = this.atStart && typeof line === 'string' && line.startsWith(BYTE_ORDER_MARK);
    this.atStart = false;
    return marked ? line.slice(BYTE_ORDER_MARK.length) : line;
  }

  /** Whole lines at once: decoding each by itself took three times as long. */
  private cut(block: Buffer, lines: Line[]): void {
    if (block.length <= this.bytesMax && isUtf8(block)) {
      for (const line of block.toString('utf8').split('\n')) lines.push(line);
      return;
    }
    let from = 0;
    while (from <= block.length) {
      const end = block.indexOf(LINE_FEED, from);
      const to = end === -1 ? block.length : end;
      lines.push(to - from > this.bytesMax ? this.beyondLimit() : decode(block.subarray(from, to)));
      from = to + 1;
    }
  }

  private beyondLimit(): LineFault {
    return new LineFault(`is longer than ${this.bytesMax} bytes`);
  }
}

function decode(bytes: Buffer): Line {
  return isUtf8(bytes) ? bytes.toString('utf8') : new LineFault('is not valid UTF-8');
}
