import type { Readable } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { logProblem, pathOf } from '../http/problem.filter.ts';
import { toProblem } from '../http/problem.ts';
import { discardRest, NDJSON_TYPES, openStream } from '../http/streamed-body.ts';
import { Lifecycle } from '../operations/lifecycle.ts';
import { Busy, Unavailable } from '../persistence/persistence.errors.ts';
import { Settings } from '../settings.ts';
import { ResultStream } from './result-stream.ts';
import type { RowFormat } from './row-format.ts';
import { type RowPiece, RowReader } from './row-reader.ts';

export const RESULTS_CONTENT_TYPE = `${NDJSON_TYPES[0]}; charset=utf-8`;

/** Rows of a piece: at 40 to 80 µs a row, with its share of the commit, a piece stays within BULK_SLICE_MS. */
export const PIECE_ROWS = 100;

/** Attempts at a piece while the database has no room for it; with the pauses between them it has half a minute. */
const ATTEMPTS_MAX = 9;
const FIRST_PAUSE_MS = 100;
const PAUSE_MAX_MS = 5_000;

/** What becomes of the rows; both texts are whole lines of NDJSON. */
export interface RowWork {
  /** Carries a piece out, as often as it is asked to, once. @returns the results of its rows, in their order */
  carryOut(piece: RowPiece): Promise<string>;
  /** Called when all rows are done. @returns the last line */
  summary(): string;
}

/**
 * Bodies of rows that are answered row by row while they are still being read. Memory does not grow with the body: a
 * slow reader of the results keeps rows from being read, and the sender waits.
 */
@Injectable()
export class RowStreams {
  private readonly logger = new Logger(RowStreams.name);
  private running = 0;

  constructor(
    private readonly settings: Settings,
    private readonly lifecycle: Lifecycle,
  ) {}

  /**
   * Begins to read, and lets `prepare` refuse the request as long as that is an ordinary answer.
   * @returns the body of a 200 answer. It ends with a summary if all rows were read, with a line `{"error": <problem>}`
   *   when they could not be, and with neither when it is cut.
   * @throws Busy when IMPORTS_MAX others are running
   * @throws Unavailable when the process is stopping
   * @throws ValidationFailed, HttpError REQUEST_TIMEOUT when nothing can be read from the start
   */
  async answer(request: FastifyRequest, format: RowFormat, prepare: () => Promise<RowWork>): Promise<Readable> {
    const { reader, close } = this.open(request, format);
    try {
      await reader.open();
      const work = await prepare();
      const results = new ResultStream(this.settings.importUnreadMaxMs);
      // Whoever stops reading ends the reading of rows, too, also where that waits for more of them.
      results.once('close', () => {
        reader.stop();
      });
      void this.run(reader, work, results)
        .catch((error: unknown) => this.breakOff(error, request, results))
        .finally(close);
      return results;
    } catch (error) {
      close();
      throw error;
    }
  }

  /**
   * Reads a body of rows to its end, for a call whose answer depends on all of them.
   * @param carryOut gets them piece by piece, as often as it is asked to, once
   * @throws as `answer`; ValidationFailed, HttpError REQUEST_TIMEOUT when something further cannot be read
   */
  async readAll(
    request: FastifyRequest,
    format: RowFormat,
    carryOut: (piece: RowPiece) => Promise<void>,
  ): Promise<void> {
    const { reader, close } = this.open(request, format);
    try {
      await reader.open();
      for await (const piece of reader.pieces(PIECE_ROWS)) {
        await this.patiently(() => carryOut(piece));
        await nextTurn();
      }
    } finally {
      close();
    }
  }

  /** Begins to read; `close` has to be called in the end. */
  private open(request: FastifyRequest, format: RowFormat): { reader: RowReader; close: () => void } {
    if (this.running >= this.settings.importsMax) {
      throw new Busy('As many imports as may run at a time are running; try again when one is done');
    }
    if (this.lifecycle.draining) throw stopping();
    this.running += 1;
    const body = openStream(request.raw);
    const { importLineBytesMax: lineBytesMax, requestTimeoutMs: silenceMaxMs } = this.settings;
    const reader = new RowReader(body, format, { lineBytesMax, silenceMaxMs });
    // Its sender may have nothing to send for a while, and would learn of the end by a connection that breaks.
    const forget = this.lifecycle.onDraining(() => {
      reader.stop(stopping());
    });
    const close = (): void => {
      forget();
      this.running -= 1;
      reader.stop();
      discardRest(request.raw);
    };
    return { reader, close };
  }

  private async run(reader: RowReader, work: RowWork, results: ResultStream): Promise<void> {
    for await (const piece of reader.pieces(PIECE_ROWS)) {
      // One piece at a time: rows that follow each other may be about one thing, so their order counts.
      await results.send(await this.patiently(() => work.carryOut(piece)));
      // Requests of others have their turn between two pieces, also where no row of a piece needs the database.
      await nextTurn();
    }
    await results.send(work.summary());
    results.finish();
  }

  /** An import has time: it waits where a request of a person is told BUSY. */
  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      if (this.lifecycle.draining) {
        throw stopping();
      }
      try {
        return await work();
      } catch (error) {
        const mayPass = error instanceof Busy || error instanceof Unavailable;
        if (!mayPass || attempt === ATTEMPTS_MAX) throw error;
      }
      await pause(Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), PAUSE_MAX_MS));
    }
  }

  /** The status has gone out already; so the last line tells what went wrong, as a problem document. */
  private async breakOff(error: unknown, request: FastifyRequest, results: ResultStream): Promise<void> {
    if (results.destroyed) return;
    const { status, body } = toProblem(error, pathOf(request.url), request.id);
    logProblem(error, status, this.logger);
    await results.send(`{"error":${body}}\n`).catch(() => undefined);
    results.finish();
  }
}

function stopping(): Unavailable {
  return new Unavailable('The server is stopping; send the same again under the same key');
}
