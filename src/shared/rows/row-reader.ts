import type { Readable } from 'node:stream';
import { ValidationFailed } from '../http/http-error.ts';
import { fromStatus } from '../http/problem.ts';
import { DomainError } from '../kernel/domain-error.ts';
import { type Line, LineSplitter } from './lines.ts';
import type { RawRow, RowFormat } from './row-format.ts';

/** Rows that are carried out together. */
export interface RowPiece {
  /** Number of its first row; rows count from 1. */
  readonly first: number;
  readonly rows: readonly RawRow[];
}

export interface RowReaderLimits {
  /** Longest line, in bytes. */
  readonly lineBytesMax: number;
  /** Longest wait for more of a body that has stopped coming, in milliseconds. */
  readonly silenceMaxMs: number;
}

/**
 * Rows that have come wait this long for more to be carried out with, in milliseconds: what a person or a slow program
 * sends row by row is answered at once and still makes no more than fifty commits a second.
 */
const DRY_WAIT_MS = 20;

/** Its sender has gone, so most of the time nobody is left to be told. */
class BodyCutOff extends ValidationFailed {
  constructor() {
    super([{ field: 'body', message: 'was cut off before its end' }]);
  }
}

/** Reads the rows of a body piece by piece, as they are asked for, and holds no more of it than that. */
export class RowReader {
  private readonly bytes: AsyncIterator<Buffer>;
  private readonly splitter: LineSplitter;
  private coming: Promise<IteratorResult<Buffer>> | undefined;
  private ended = false;
  private formatEnded = false;
  /** Lines that have come and are not read as rows yet. */
  private lines: readonly Line[] = [];
  private linesRead = 0;
  private rows: RawRow[] = [];
  /** Number of the first of `rows`. */
  private first = 1;

  /** @param body bytes as they are to be read, decompressed */
  constructor(
    private readonly body: Readable,
    private readonly format: RowFormat,
    private readonly limits: RowReaderLimits,
  ) {
    this.bytes = body[Symbol.asyncIterator]();
    this.splitter = new LineSplitter(limits.lineBytesMax);
  }

  /**
   * Reads as far as what has to come before the rows, so that it can be refused like any other request.
   * @throws ValidationFailed, HttpError REQUEST_TIMEOUT
   */
  async open(): Promise<void> {
    do {
      await this.readMoreOrThrow();
      while (!this.format.isReady && this.readLine());
    } while (!this.format.isReady && !this.ended);
    if (!this.format.isReady) this.endFormat();
  }

  /**
   * @param rowsMax most rows of a piece; pieces end where the row number is a multiple of it, or where the body pauses
   * @throws ValidationFailed, HttpError REQUEST_TIMEOUT when nothing further can be read
   */
  async *pieces(rowsMax: number): AsyncGenerator<RowPiece> {
    for (;;) {
      const rowsToBoundary = rowsMax - ((this.first - 1) % rowsMax);
      while (this.rows.length < rowsToBoundary && this.readLine());
      if (this.rows.length >= rowsToBoundary) {
        yield this.take(rowsToBoundary);
      } else if (this.ended) {
        if (this.endFormat()) continue;
        if (this.rows.length > 0) yield this.take(this.rows.length);
        return;
      } else if (this.rows.length === 0) {
        await this.readMoreOrThrow();
      } else if (!(await this.readMore(DRY_WAIT_MS))) {
        yield this.take(this.rows.length);
      }
    }
  }

  /** Ends the reading, also where it waits. @param reason what whoever waits is told; without one, that the body was cut */
  stop(reason?: DomainError): void {
    this.body.destroy(reason);
  }

  private take(rows: number): RowPiece {
    const piece = { first: this.first, rows: this.rows.slice(0, rows) };
    this.first += rows;
    this.rows = this.rows.slice(rows);
    return piece;
  }

  /** @returns false when there was no line to read */
  private readLine(): boolean {
    const line = this.lines[this.linesRead];
    if (line === undefined) return false;
    this.linesRead += 1;
    this.format.read(line, this.rows);
    return true;
  }

  /** @returns whether this was the first call, so that more rows may have come out of what was open */
  private endFormat(): boolean {
    if (this.formatEnded) return false;
    this.formatEnded = true;
    this.format.end(this.rows);
    return true;
  }

  private async readMoreOrThrow(): Promise<void> {
    if (!(await this.readMore(this.limits.silenceMaxMs))) {
      throw fromStatus(408);
    }
  }

  /** Called when all lines are read. @returns false when nothing came in time; it may still come */
  private async readMore(maxMs: number): Promise<boolean> {
    this.coming ??= this.bytes.next();
    const read = await within(this.coming.catch(toReadError), maxMs);
    if (read === undefined) return false;
    this.coming = undefined;
    this.ended = read.done === true;
    this.lines = read.done === true ? this.splitter.end() : this.splitter.push(read.value);
    this.linesRead = 0;
    return true;
  }
}

function toReadError(error: unknown): never {
  if (error instanceof DomainError) throw error;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && code.startsWith('Z_')) {
    throw new ValidationFailed([{ field: 'body', message: 'is not valid gzip, or ends too early' }]);
  }
  throw new BodyCutOff();
}

/** @returns undefined when it took longer */
async function within<T>(promise: Promise<T>, maxMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, maxMs, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
