import type { Row } from '../../src/shared/persistence/engine/engine.ts';
import type { Table } from '../../src/shared/persistence/table.ts';

/**
 * When each row was last written. PostgreSQL refuses to write a row that was written since the writer's state of the database
 * was the newest one (40001), at whatever version; SQLite, which plays its part here, does not know.
 */
export class RowTimes {
  private commits = 0;
  private readonly last = new Map<string, number>();

  /** Grows with each commit. */
  get now(): number {
    return this.commits;
  }

  /** @param rows ids of those that one transaction has written */
  committed(rows: ReadonlySet<string>): void {
    this.commits += 1;
    for (const id of rows) this.last.set(id, this.commits);
  }

  wasWrittenAfter(time: number, id: string): boolean {
    return (this.last.get(id) ?? 0) > time;
  }
}

export function rowId(tenantId: string, table: Table, row: Row): string {
  return JSON.stringify([tenantId, table.name, ...table.key.map((property) => row[property])]);
}
