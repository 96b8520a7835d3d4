import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Where everything of this run lies. */
export function benchFolder(): string {
  const folder = process.env['BENCH_FOLDER'];
  if (folder === undefined) throw new Error('Bug: a row runs outside of a run');
  return folder;
}

/** Runs `work` on a folder of its own, and removes it. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(benchFolder(), 'row-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
