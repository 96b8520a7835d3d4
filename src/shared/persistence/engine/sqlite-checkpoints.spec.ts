import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import Database from 'better-sqlite3';
import { Logger } from '@nestjs/common';
import { Checkpoints } from './sqlite-checkpoints.ts';
import { SQLITE_WRITER_PRAGMAS } from './sqlite.ts';
import { eventually } from '../../../../test/support/eventually.ts';

const PAGE_BYTES = 4_096;
/** Rows of half a page: two of them fill one. */
const TEXT = 'x'.repeat(1_900);

describe('Checkpoints', () => {
  let folder: string;
  let file: string;
  let writer: Database.Database;
  let checkpoints: Checkpoints;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-checkpoints-'));
    file = join(folder, 'a.db');
    writer = new Database(file);
    SQLITE_WRITER_PRAGMAS.forEach((pragma) => writer.pragma(pragma));
    writer.exec('CREATE TABLE notes (text TEXT NOT NULL)');
    checkpoints = new Checkpoints(file);
  });

  afterEach(async () => {
    await checkpoints.close();
    writer.close();
    rmSync(folder, { recursive: true });
  });

  function commit(rows: number): void {
    writer.exec('BEGIN IMMEDIATE');
    const insert = writer.prepare('INSERT INTO notes (text) VALUES (?)');
    for (let row = 0; row < rows; row += 1) insert.run(TEXT);
    writer.exec('COMMIT');
    checkpoints.committed(rows);
  }

  it('gets what was committed into the file while the writer goes on', async () => {
    const before = statSync(file).size;
    commit(2_000);
    commit(10);
    await eventually('pages in the file', () => Promise.resolve(statSync(file).size > before + 900 * PAGE_BYTES));
    commit(10);
    expect(writer.prepare('SELECT COUNT(*) AS "rows" FROM notes').get()).toEqual({ rows: 2_020 });
  });

  it('keeps the log short under a writer that never pauses', async () => {
    for (let round = 0; round < 40; round += 1) {
      commit(2_000);
      if (checkpoints.isLogLong) await checkpoints.startAnew();
      else await new Promise(setImmediate);
    }
    // 40,000 pages were written; the connection's own checkpoint would come at 32,000.
    expect(statSync(`${file}-wal`).size).toBeLessThan(20_000 * PAGE_BYTES);
    expect(writer.prepare('SELECT COUNT(*) AS "rows" FROM notes').get()).toEqual({ rows: 80_000 });
  });

  it('does not wait again and again for a log that a long read keeps', async () => {
    const reader = new Database(file, { readonly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT COUNT(*) FROM notes').get();
    for (let round = 0; round < 9; round += 1) {
      commit(2_000);
      await checkpoints.startAnew();
    }
    expect(checkpoints.isLogLong).toBe(false);
    commit(2_000);
    await checkpoints.startAnew();
    reader.close();
    await checkpoints.startAnew();
    expect(checkpoints.isLogLong).toBe(false);
  });

  it('says once that it fails, and goes on', async () => {
    const said = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const lost = new Checkpoints(join(folder, 'missing.db'));
    await lost.startAnew();
    await lost.startAnew();
    expect(said).toHaveBeenCalledTimes(1);
    expect(lost.isLogLong).toBe(false);
    await lost.close();
    said.mockRestore();
  });
});
