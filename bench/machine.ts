import { closeSync, fdatasyncSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { median } from './row.ts';

/** What the figures were measured on, as lines for the page. */
export function describeMachine(): string[] {
  const processors = cpus();
  const load = loadavg()[0] ?? 0;
  return [
    `${processors.length} × ${processors[0]?.model ?? 'unknown processor'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB memory`,
    `${type()} ${release()}, Node.js ${process.version}, SQLite ${sqliteVersion()}, ${packageVersions()}`,
    `fdatasync of 4 KiB in ./data: ${syncMillis().toFixed(2)} ms (median); load before the run: ${load.toFixed(1)}`,
  ];
}

function sqliteVersion(): string {
  const database = new Database(':memory:');
  const version = database.prepare<[], string>('SELECT sqlite_version()').pluck().get();
  database.close();
  return version ?? 'unknown';
}

function packageVersions(): string {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
  return ['@nestjs/core', 'fastify', 'typeorm', 'better-sqlite3', 'pg']
    .map((name) => `${name} ${dependencies[name] ?? '?'}`)
    .join(', ');
}

/** A commit cannot be faster than the disk; the figures of another machine are read beside this one. */
function syncMillis(): number {
  mkdirSync('data', { recursive: true });
  const file = join('data', `bench-sync-${process.pid}`);
  const descriptor = openSync(file, 'w');
  const page = Buffer.alloc(4096, 1);
  const millis = Array.from({ length: 200 }, () => {
    writeSync(descriptor, page);
    const startedAt = performance.now();
    fdatasyncSync(descriptor);
    return performance.now() - startedAt;
  });
  closeSync(descriptor);
  rmSync(file);
  return median(millis);
}
