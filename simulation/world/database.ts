import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { RowTimes } from './row-times.ts';

/** Linux's RAM disk: a commit takes 0.01 ms there, and better-sqlite3 has no database in memory that two could share. */
const RAM_DISK = '/dev/shm';

/** Where the databases of a run are: one at a time, each a copy of the same empty one. */
export class DatabaseFolder {
  private readonly folder: string;
  private stories = 0;

  constructor() {
    this.folder = mkdtempSync(path.join(existsSync(RAM_DISK) ? RAM_DISK : tmpdir(), 'holdfast-simulation-'));
  }

  /** A file that the first who opens it fills with empty tables; later ones are copies of that. */
  get template(): string {
    return path.join(this.folder, 'empty.sqlite');
  }

  fresh(): DatabaseFile {
    this.stories += 1;
    const file = path.join(this.folder, `story-${this.stories}.sqlite`);
    copyFileSync(this.template, file);
    return new DatabaseFile(file);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The database of one story, and an eye on it that belongs to no server. */
export class DatabaseFile {
  private readonly eye: SqliteDatabase.Database;
  private readonly statements = new Map<string, SqliteDatabase.Statement>();
  private readonly dataVersion: SqliteDatabase.Statement;
  private seenVersion = 0;
  /** Of all servers. */
  readonly rowTimes = new RowTimes();

  constructor(readonly file: string) {
    this.eye = new SqliteDatabase(file, { readonly: true });
    this.dataVersion = this.eye.prepare('PRAGMA data_version').pluck();
  }

  /** Whether anything was committed since this was last asked. */
  get hasChanged(): boolean {
    const version = this.dataVersion.get() as number;
    const hasChanged = version !== this.seenVersion;
    this.seenVersion = version;
    return hasChanged;
  }

  /** What is committed; `:tenant` is bound. */
  rows<Row>(tenantId: string, sql: string, parameters: Readonly<Record<string, string | number>> = {}): Row[] {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.eye.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement.all({ ...parameters, tenant: tenantId }) as Row[];
  }

  /** All that is stored, table by table, as text: the same for the same story. */
  *contents(): Generator<string> {
    const tables = this.eye
      .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
      .pluck()
      .all() as string[];
    for (const table of tables.filter((name) => name !== 'schema_migrations')) {
      const rows = this.eye.prepare(`SELECT * FROM "${table}"`).raw().all();
      yield `${table} ${rows
        .map((row) => JSON.stringify(row))
        .sort()
        .join('\n')}`;
    }
  }

  remove(): void {
    this.eye.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.file + suffix, { force: true });
  }
}
