import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { Logger } from '@nestjs/common';

/** Written rows after which copying their pages is worth its two fsyncs. */
const ROWS_PER_CHECKPOINT = 2_000;
/** From 8,000 pages (32 MiB) on the writer waits, once, for all of the log to be in the file, so that it starts anew. */
const LOG_PAGES_MAX = 8_000;
/** When something (a long read, a backup) keeps the log from starting anew: pages that it may grow before the next try. */
const LOG_PAGES_PER_RETRY = 2_000;

/** Plain JavaScript: the same under the compiler, the tests and `node dist`, and it needs no file beside this one. */
const WORKER_CODE = `
const { parentPort, workerData } = require('node:worker_threads');
const Database = require(workerData.driver);
let database;
parentPort.on('message', () => {
  try {
    database ??= new Database(workerData.file, { fileMustExist: true, timeout: 0 });
    const [{ log, checkpointed }] = database.pragma('wal_checkpoint(PASSIVE)');
    parentPort.postMessage({ log, checkpointed });
  } catch (error) {
    database?.close();
    database = undefined;
    parentPort.postMessage({ failure: String(error?.message ?? error) });
  }
});`;

/** What a checkpoint found: pages in the log, and how many of them are in the file now. -1: there is no log. */
interface Checkpointed {
  readonly log: number;
  readonly checkpointed: number;
}

const NOTHING: Checkpointed = { log: 0, checkpointed: 0 };

type Reply = Checkpointed | { readonly failure: string };

/**
 * Copies SQLite's write-ahead log into the file on a thread of its own: some 20 ms of writing and syncing for 16 MiB
 * that would hold up the event loop (docs/decisions/0025). A checkpoint of this kind never blocks the writer, and it
 * takes nothing from durability: what is committed is in the log, and synced, whoever copies it later. The connection
 * keeps its own checkpoint at a far greater length of the log, for a thread that fails or falls behind.
 */
export class Checkpoints {
  private readonly logger = new Logger(Checkpoints.name);
  private worker: Worker | undefined;
  private running: Promise<unknown> | undefined;
  private rows = 0;
  private waitFromPages = LOG_PAGES_MAX;
  private logPages = 0;
  private failing = false;
  private closed = false;

  /** @param file of the database; the thread starts with the first checkpoint */
  constructor(private readonly file: string) {}

  /** @param rows written by the transaction that has just been committed */
  committed(rows: number): void {
    this.rows += rows;
    if (this.rows >= ROWS_PER_CHECKPOINT && this.running === undefined) {
      void this.checkpoint();
    }
  }

  /** True: the log may be so long that the next transaction should wait for `startAnew`. A row counts as a page. */
  get isLogLong(): boolean {
    return this.logPages + this.rows >= this.waitFromPages;
  }

  /** Nobody writes meanwhile: all of the log gets into the file, and the next transaction starts it anew. */
  async startAnew(): Promise<void> {
    await this.running;
    const { log, checkpointed } = await this.checkpoint();
    // A reader of an old state keeps the log: that one has to end first.
    const isKept = checkpointed < log;
    this.logPages = isKept ? log : 0;
    this.waitFromPages = isKept ? Math.max(LOG_PAGES_MAX, log + LOG_PAGES_PER_RETRY) : LOG_PAGES_MAX;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.running;
    await this.worker?.terminate();
  }

  private async checkpoint(): Promise<Checkpointed> {
    if (this.closed) return NOTHING;
    this.rows = 0;
    const checkpoint = this.ask().then((reply) => this.note(reply));
    this.running = checkpoint.then(() => {
      this.running = undefined;
    });
    return checkpoint;
  }

  private note(reply: Reply): Checkpointed {
    if ('failure' in reply) {
      // The writer's own checkpoint and the readiness check tell what is wrong with the disk; one line is enough here.
      if (!this.failing) this.logger.warn({ reason: reply.failure }, 'Could not copy the log of SQLite into its file');
      this.failing = true;
      this.logPages = 0;
      return NOTHING;
    }
    this.failing = false;
    this.logPages = Math.max(0, reply.log);
    return reply;
  }

  /** Never rejects. */
  private ask(): Promise<Reply> {
    return new Promise((resolve) => {
      const worker = (this.worker ??= this.start());
      const settle = (reply: Reply): void => {
        worker.off('message', settle);
        worker.off('error', fail);
        worker.off('exit', exit);
        resolve(reply);
      };
      const fail = (error: unknown): void => {
        this.worker = undefined;
        settle({ failure: String(error) });
      };
      const exit = (): void => {
        fail('its thread has ended');
      };
      worker.on('message', settle);
      worker.on('error', fail);
      worker.on('exit', exit);
      worker.postMessage('checkpoint');
    });
  }

  private start(): Worker {
    const driver = createRequire(import.meta.url).resolve('better-sqlite3');
    const worker = new Worker(WORKER_CODE, { eval: true, workerData: { file: this.file, driver } });
    worker.unref();
    return worker;
  }
}
