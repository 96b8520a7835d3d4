import { Injectable } from '@nestjs/common';
import type { SqlParameters } from '../persistence/engine/engine.ts';
import type { Transaction } from '../persistence/transaction.ts';

/** A subject, and how far somebody has read the log. */
export interface ReadThrough {
  readonly subject: string;
  readonly position: number;
}

/** Subjects of one statement; shorter lists are filled up, so that there are two statements to prepare and not fifty. */
const STATEMENT_SUBJECTS = 25;

const HEAD = 'SELECT MAX(position) AS "head" FROM outbox_events';

/** Who looks into the log: a work, which does not see the events of its own batch, or the reader. */
export interface Selecting {
  select<T>(sql: string, parameters: SqlParameters): Promise<T[]>;
}

/** What the centre itself has decided about a subject. */
@Injectable()
export class CentralChanges {
  /**
   * The version of each subject at the first change of the given type that the centre decided behind the position.
   * @param type one that has its index (migration 0011)
   * @returns in the order of `asked`; null where there is none
   */
  async firstVersionBehind(from: Selecting, type: string, asked: readonly ReadThrough[]): Promise<(number | null)[]> {
    const versions: (number | null)[] = [];
    for (let start = 0; start < asked.length; start += STATEMENT_SUBJECTS) {
      const some = asked.slice(start, start + STATEMENT_SUBJECTS);
      const rows = await this.look(from, type, some);
      some.forEach((_, index) => versions.push(rows.get(index) ?? null));
    }
    return versions;
  }

  /** The newest position of the log over all tenants, as it was before this batch; 0 when it is empty. */
  async head(tx: Transaction): Promise<number> {
    const [row] = await tx.selectAcrossTenants<{ head: number | null }>(HEAD);
    return row?.head ?? 0;
  }

  private async look(
    from: Selecting,
    type: string,
    asked: readonly ReadThrough[],
  ): Promise<ReadonlyMap<number, number>> {
    const width = asked.length === 1 ? 1 : STATEMENT_SUBJECTS;
    const parameters: Record<string, SqlParameters[string]> = {};
    for (let index = 0; index < width; index += 1) {
      const { subject, position } = asked[Math.min(index, asked.length - 1)] ?? { subject: '', position: 0 };
      parameters[`subject${index}`] = subject;
      parameters[`position${index}`] = position;
    }
    const rows = await from.select<{ index: number; version: number | null }>(statement(type, width), parameters);
    return new Map(rows.flatMap(({ index, version }) => (version === null ? [] : [[index, version] as const])));
  }
}

/** The conditions on type and origin are those of the index, spelt out so that both planners see it. */
function statement(type: string, width: number): string {
  if (!/^[a-z.-]+$/.test(type)) throw new Error(`"${type}" is no type of an event`);
  return Array.from(
    { length: width },
    (_, index) => `SELECT ${index} AS "index", (
      SELECT subject_version FROM outbox_events
      WHERE tenant_id = :tenant AND subject = :subject${index} AND position > :position${index}
        AND type = '${type}' AND origin IS NULL
      ORDER BY position LIMIT 1) AS "version"`,
  ).join(' UNION ALL ');
}
