import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A folder beside the usual data, not in a temporary one, which may be memory: what is measured is durable. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  mkdirSync('data', { recursive: true });
  const folder = mkdtempSync(resolve('data', 'bench-'));
  try {
    return await work(join(folder, 'store'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
