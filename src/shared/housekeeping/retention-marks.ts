import { Injectable } from '@nestjs/common';
import type { Transaction } from '../persistence/transaction.ts';
import { Reader } from '../persistence/reader.ts';
import { type RetentionMarkName, retentionMarksTable } from './retention-mark.table.ts';

/** Whose works concern the database as a whole. No tenant's id has such a character. */
export const NO_TENANT = '*';

const MARK = `SELECT value AS "value" FROM retention_marks WHERE tenant_id = '${NO_TENANT}' AND name = :name`;

interface Value {
  readonly value: number;
}

/** How far the purge has come. */
@Injectable()
export class RetentionMarks {
  constructor(private readonly reader: Reader) {}

  /** What is committed; null before the first purge. */
  async read(name: RetentionMarkName): Promise<number | null> {
    const [row] = await this.reader.selectAcrossTenants<Value>(MARK, { name });
    return row?.value ?? null;
  }

  /** What was committed when the batch began, for works of any tenant. */
  async readWithin(tx: Transaction, name: RetentionMarkName): Promise<number | null> {
    const [row] = await tx.selectAcrossTenants<Value>(MARK, { name });
    return row?.value ?? null;
  }

  /** Moves a mark forward, never back. Only for works of `NO_TENANT`. */
  async raise(tx: Transaction, name: RetentionMarkName, value: number): Promise<void> {
    const row = await tx.get(retentionMarksTable, name);
    if (row === undefined || row.value < value) {
      await tx.put(retentionMarksTable, { name, value, version: (row?.version ?? 0) + 1 });
    }
  }
}
