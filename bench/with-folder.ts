import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Runs `work` on a folder of its own, and removes it. It lies beside the usual data and not in a temporary folder, which
 * may be memory: what is measured is durable.
 */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  mkdirSync('data', { recursive: true });
  const folder = mkdtempSync(resolve('data', 'bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
