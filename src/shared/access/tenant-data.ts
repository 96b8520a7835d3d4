import { Injectable, Logger } from '@nestjs/common';
import { Clock, toIsoInstant } from '../kernel/clock.ts';
import { currentContext, runInContext } from '../kernel/context.ts';
import { PersistedTables, type TenantTable } from '../persistence/persisted-tables.ts';
import { Reader } from '../persistence/reader.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';

/** Rows of one read of an export: on SQLite nothing else is answered meanwhile. */
const PAGE_ROWS = 250;
/** Rows that one work erases, so that requests of other tenants overtake it. */
const ERASED_ROWS_MAX = 500;
/** How often everything is gone through until nothing is found any more: what was under way when it began ends soon. */
const PASSES_MAX = 10;

/** Not for anybody to have, not even the tenant. */
const SECRET_COLUMNS: ReadonlySet<string> = new Set(['api_keys.hash']);

/** How many rows of each table, by its name. */
export type RowCounts = Readonly<Record<string, number>>;

export interface Erasure {
  readonly erasedAt: number;
  readonly rows: RowCounts;
}

/** Everything that a tenant has, whatever it is about: to be taken along, or to be erased. */
@Injectable()
export class TenantData {
  private readonly logger = new Logger(TenantData.name);

  constructor(
    private readonly tables: PersistedTables,
    private readonly reader: Reader,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * All rows of the tenant as JSON lines, `{table, row}`, table by table in the order of their keys, then a line that says
   * that it is whole and how many there were. It is read page by page while others write.
   */
  async *export(tenantId: string): AsyncGenerator<string> {
    // Whoever reads the stream asks for the next page in a context of its own.
    const context = { ...currentContext(), tenantId, reach: null };
    const counts: Record<string, number> = {};
    for (const table of this.tables.all) {
      counts[table.name] = 0;
      for (let after: Row | null = null; ;) {
        const rows: Row[] = await runInContext(context, () => this.page(table, after));
        if (rows.length > 0) yield rows.map((row) => `${JSON.stringify({ table: table.name, row })}\n`).join('');
        counts[table.name] = (counts[table.name] ?? 0) + rows.length;
        after = rows.at(-1) ?? null;
        if (rows.length < PAGE_ROWS) break;
      }
    }
    yield `${JSON.stringify({ complete: true, exportedAt: toIsoInstant(this.clock.now()), rows: counts })}\n`;
  }

  /** Erases all rows of a tenant that does nothing any more, piece by piece. It can be repeated when it was interrupted. */
  async erase(tenantId: string): Promise<Erasure> {
    const context = { ...currentContext(), tenantId, reach: null };
    const counts = Object.fromEntries(this.tables.all.map(({ name }) => [name, 0]));
    for (let pass = 1; pass <= PASSES_MAX; pass += 1) {
      let found = 0;
      for (const table of this.tables.all) {
        for (let rows = ERASED_ROWS_MAX; rows === ERASED_ROWS_MAX;) {
          rows = await runInContext(context, () => this.erasePiece(table));
          counts[table.name] = (counts[table.name] ?? 0) + rows;
          found += rows;
        }
      }
      if (found === 0) break;
    }
    this.logger.log(`Erased everything of tenant ${tenantId}`);
    return { erasedAt: this.clock.now(), rows: counts };
  }

  private page({ name, key, columns }: TenantTable, after: Row | null): Promise<Row[]> {
    const shown = [...key, ...columns].filter((column) => !SECRET_COLUMNS.has(`${name}.${column}`));
    const parameters = Object.fromEntries(key.map((column, index) => [`k${index}`, after?.[column] ?? null]));
    const behind =
      after === null ? '' : ` AND (${key.join(', ')}) > (${key.map((_, index) => `:k${index}`).join(', ')})`;
    return this.reader.select<Row>(
      `SELECT ${shown.join(', ')} FROM ${name} WHERE tenant_id = :tenant${behind} ORDER BY ${key.join(', ')} LIMIT :rows`,
      { ...(after === null ? {} : parameters), rows: PAGE_ROWS },
    );
  }

  private erasePiece({ name, key }: TenantTable): Promise<number> {
    const columns = key.join(', ');
    let erased = 0;
    const work = this.unitOfWork.run({ keys: [], workClass: 'bulk' }, (tx) => {
      tx.purge(
        `DELETE FROM ${name} WHERE tenant_id = :tenant AND (${columns}) IN (
          SELECT ${columns} FROM ${name} WHERE tenant_id = :tenant ORDER BY ${columns} LIMIT :rows)`,
        { rows: ERASED_ROWS_MAX },
        (rows) => {
          erased = rows;
        },
      );
      return Promise.resolve();
    });
    return work.then(() => erased);
  }
}

type Row = Readonly<Record<string, string | number | null>>;
