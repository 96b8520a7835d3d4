import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { clusterFolderOf } from './private-cluster.ts';
import type { Row, RowResult, Sizes } from './row.ts';

/** Unless a row says otherwise. On a quiet machine rows take 15 to 40 s with the sizes of a standard run. */
const LIMIT_SECONDS = 180;

/** What the process of a row is asked, and what it tells. */
export interface RowOrder {
  readonly id: string;
  readonly sizes: Sizes;
}

export type RowReport = { readonly line: string } | { readonly result: RowResult } | { readonly failure: string };

/**
 * Runs rows one after the other, each in a process of its own: a row that hangs or falls takes only itself along, and what
 * one has left in the heap of the load generator is no matter of the next.
 */
export class RowRuns {
  /** All that the rows put on disk lies in it. It lies beside the usual data and not in memory: what is measured is durable. */
  private readonly folder: string;
  private running: ChildProcess | undefined;

  constructor(private readonly sizes: Sizes) {
    mkdirSync('data', { recursive: true });
    this.folder = mkdtempSync(resolve('data', 'bench-'));
  }

  /** @returns an error when the row could not run, or not within its time */
  async run(row: Row): Promise<RowResult | Error> {
    const limitSeconds = row.limitSeconds?.(this.sizes) ?? LIMIT_SECONDS;
    const child = fork(new URL('./row-process.js', import.meta.url), {
      env: { ...process.env, BENCH_FOLDER: this.folder },
      // With a group of its own it can be ended with all that it has started.
      detached: true,
    });
    this.running = child;
    try {
      return await Promise.race([reportOf(child, { id: row.id, sizes: this.sizes }), lateAfter(limitSeconds, child)]);
    } finally {
      endGroupOf(child);
      this.running = undefined;
    }
  }

  /** Ends what runs, and takes away what is on disk. */
  end(): void {
    if (this.running !== undefined) endGroupOf(this.running);
    rmSync(this.folder, { recursive: true, force: true });
    const { parent, prefix } = clusterFolderOf(this.folder);
    for (const left of readdirSync(parent).filter((name) => name.startsWith(prefix))) {
      rmSync(join(parent, left), { recursive: true, force: true });
    }
    if (readdirSync(dirname(this.folder)).length === 0) rmSync(dirname(this.folder), { recursive: true });
  }
}

async function reportOf(child: ChildProcess, order: RowOrder): Promise<RowResult | Error> {
  const outcome = new Promise<RowResult | Error>((tell) => {
    child.on('message', (report: RowReport) => {
      if ('line' in report) console.log(report.line);
      else tell('result' in report ? report.result : new Error(report.failure));
    });
  });
  const ended = once(child, 'exit').then(([code, signal]: (number | string | null)[]) => {
    return new Error(`its process ended: ${signal ?? code ?? 'unknown'}`);
  });
  child.send(order);
  return Promise.race([outcome, ended]);
}

async function lateAfter(seconds: number, child: ChildProcess): Promise<Error> {
  await new Promise<void>((past) => {
    const timer = setTimeout(past, seconds * 1000);
    child.once('exit', () => {
      clearTimeout(timer);
    });
  });
  return new Error(`not done within ${seconds} s`);
}

/** Whatever of it still runs. */
function endGroupOf({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
