import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Target } from '../load.ts';
import type { Uploaded } from './upload.ts';

let uploads = 0;

/**
 * Imports while `work` runs.
 * @returns what both came to
 * @throws Error when the import ends before
 */
export async function whileImporting<T>(
  { url, adminKey = '' }: Target,
  differentRows: number,
  work: () => Promise<T>,
): Promise<{ result: T; uploaded: Uploaded }> {
  uploads += 1;
  const args = [url, adminKey, `bench-background-${uploads}`, String(differentRows)];
  const child = fork(new URL('./uploader.js', import.meta.url), args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const told = once(child, 'message') as Promise<[Uploaded]>;
  const ended = once(child, 'exit');
  try {
    const result = await Promise.race([
      work(),
      ended.then(() => Promise.reject(new Error('The import in the background ended'))),
    ]);
    child.send('stop');
    const [uploaded] = await told;
    return { result, uploaded };
  } finally {
    child.kill();
    await ended;
  }
}
