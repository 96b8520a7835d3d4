import type Database from 'better-sqlite3';

/** Rows of a table, and of a partial index, in the shop that the planner is told about. */
const TABLE_ROWS = 1_000_000;
const PARTIAL_ROWS = 10_000;

/** Values of a column that many rows share. Every other column is taken to tell its rows apart. */
const DISTINCT_VALUES: Readonly<Record<string, number>> = {
  tenant_id: 1,
  client_id: 10,
  status: 5,
  location_id: 100,
  from_location_id: 100,
  to_location_id: 100,
};
const DISTINCT_OTHERWISE = 100_000;

interface Index {
  readonly tableName: string;
  /** As `sqlite_stat1` calls it. */
  readonly indexName: string;
  readonly partial: 0 | 1;
  /** Separated by commas. */
  readonly columns: string;
}

/** The key of a table without rowids goes by the name of the table. */
const UNKNOWN_INDEXES = `
  SELECT t.name AS "tableName", CASE WHEN t.wr AND i.origin = 'pk' THEN t.name ELSE i.name END AS "indexName",
    i.partial AS "partial", (SELECT group_concat(c.name) FROM pragma_index_info(i.name) AS c) AS "columns"
  FROM pragma_table_list AS t, pragma_index_list(t.name) AS i
  WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!'
    AND NOT EXISTS (SELECT 1 FROM sqlite_stat1 AS s WHERE s.tbl = t.name
      AND s.idx = CASE WHEN t.wr AND i.origin = 'pk' THEN t.name ELSE i.name END)`;

/**
 * Tells SQLite's planner what the tables of a big shop look like, from the first start on.
 *
 * Knowing nothing, it takes the first column of every index for one that tells rows apart. Here that is the tenant, of
 * which a database often has one: it then reads all of the tenant's rows in the order of the primary key instead of the
 * few that another index has. With 200,000 reservations the list of one cart took 60 to 490 ms, in which nothing else
 * was answered; told, it takes 0.1 ms. A real ANALYZE of the operator's is left as it is.
 */
export function tellPlanner(database: Database.Database): void {
  if (!hasStatistics(database)) {
    // Makes the tables of statistics, which only SQLite itself may do.
    database.exec(RELOAD);
  }
  if (unknownIndexes(database).length === 0) {
    return;
  }
  const insert = database.prepare('INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)');
  const tellAll = database.transaction(() => {
    // Looked up again: another process may have started on the same file.
    for (const index of unknownIndexes(database)) {
      insert.run(index.tableName, index.indexName, statisticsOf(index));
    }
  });
  tellAll.immediate();
  database.exec(RELOAD);
}

/** Despite its name it looks at no table: it takes over what the tables of statistics say. */
const RELOAD = 'ANALYZE sqlite_schema';

function hasStatistics(database: Database.Database): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'").get() !== undefined;
}

function unknownIndexes(database: Database.Database): Index[] {
  return database.prepare(UNKNOWN_INDEXES).all() as Index[];
}

/** Rows of the index, then how many of them share the values of its first column, of its first two ... */
export function statisticsOf({ partial, columns }: Pick<Index, 'partial' | 'columns'>): string {
  const rows = partial === 1 ? PARTIAL_ROWS : TABLE_ROWS;
  let sharing = rows;
  const prefixes = columns.split(',').map((column) => {
    sharing = Math.max(1, Math.round(sharing / (DISTINCT_VALUES[column] ?? DISTINCT_OTHERWISE)));
    return sharing;
  });
  return [rows, ...prefixes].join(' ');
}
