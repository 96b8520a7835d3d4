import type { EntityKey } from '../kernel/entity-key.ts';
import type { EngineTransaction, Row } from './engine/engine.ts';
import type { Table } from './table.ts';
import { type Entry, SEPARATOR, TableEntries } from './table-entries.ts';

/**
 * The rows that a batch has seen: each is loaded at most once and written at most once, however many works touch it.
 * Rows are immutable, so putting an old reference back undoes a change.
 */
export class IdentityMap {
  private readonly tables = new Map<Table, TableEntries>();

  /** @param tables in the order in which they are written, the same in every process (deadlocks) */
  constructor(
    private readonly transaction: EngineTransaction,
    private readonly registered: ReadonlyMap<string, Table>,
  ) {}

  /** Loads what is named and not yet known: one statement per table or group. */
  async prefetch(keys: readonly EntityKey[]): Promise<void> {
    const wanted = new Map<
      string,
      { table: Table; group: string | undefined; values: Map<string, readonly string[]> }
    >();
    for (const { table: name, group, values } of keys) {
      const table = this.tableNamed(name);
      const text = values.join(SEPARATOR);
      if (this.knows(table, group, text)) {
        continue;
      }
      const id = `${name}${SEPARATOR}${group ?? ''}`;
      let set = wanted.get(id);
      if (set === undefined) {
        set = { table, group, values: new Map() };
        wanted.set(id, set);
      }
      set.values.set(text, values);
    }
    await this.transaction.together(
      [...wanted.values()].map(
        ({ table, group, values }) =>
          () =>
            group === undefined ? this.loadKeys(table, values) : this.loadGroups(table, group, values),
      ),
    );
  }

  /** The entry if it is known already: most are, because keys are declared. */
  peek(table: Table, values: readonly string[]): Entry | undefined {
    return this.entriesOf(table).byKey.get(values.join(SEPARATOR));
  }

  /** The rows of a group if it is known to be complete already. */
  peekGroup(table: Table, group: string, values: readonly string[]): Entry[] | undefined {
    const text = values.join(SEPARATOR);
    const entries = this.entriesOf(table);
    return entries.isComplete(group, text) ? presentOf(entries.members(group, text)) : undefined;
  }

  /** Whether nothing is left to load for these keys. */
  knowsAll(keys: readonly EntityKey[]): boolean {
    return keys.every(({ table, group, values }) => this.knows(this.tableNamed(table), group, values.join(SEPARATOR)));
  }

  async entry(table: Table, values: readonly string[]): Promise<Entry> {
    const key = values.join(SEPARATOR);
    const entries = this.entriesOf(table);
    if (!entries.byKey.has(key)) {
      await this.loadKeys(table, new Map([[key, values]]));
    }
    return entries.byKey.get(key) ?? entries.add(key, undefined);
  }

  /** All present rows of a group, in no particular order. */
  async groupEntries(table: Table, group: string, values: readonly string[]): Promise<Entry[]> {
    const text = values.join(SEPARATOR);
    const entries = this.entriesOf(table);
    if (!entries.isComplete(group, text)) {
      await this.loadGroups(table, group, new Map([[text, values]]));
    }
    return presentOf(entries.members(group, text));
  }

  /** The entry of a row that was read from the database; what the batch already knows of it wins. */
  adopt(table: Table, row: Row): Entry {
    const key = keyOf(table, row);
    const entries = this.entriesOf(table);
    return entries.byKey.get(key) ?? entries.add(key, row);
  }

  /** The entry for a row under a fresh key, which nobody has to look up. */
  fresh(table: Table, row: Row): Entry {
    const key = keyOf(table, row);
    const entries = this.entriesOf(table);
    return entries.byKey.get(key) ?? entries.add(key, undefined);
  }

  /** Present rows of the table that this batch knows and that satisfy the test. */
  known(table: Table, test: (row: Row) => boolean): Entry[] {
    return [...this.entriesOf(table).byKey.values()].filter(({ current }) => current !== undefined && test(current));
  }

  /** Entries of the table that the batch has changed. */
  changed(table: Table): Entry[] {
    return [...this.entriesOf(table).touched].filter((entry) => entry.current !== entry.loaded);
  }

  /** Replaces an entry's row; undefined removes it. The caller remembers the previous one, to undo. */
  assign(entry: Entry, row: Row | undefined): void {
    const entries = this.entriesOf(entry.table);
    if (row !== undefined) {
      entries.joinGroups(entry, row);
    }
    entry.current = row;
    entries.touched.add(entry);
  }

  /** Makes the commit depend on the entry's row being as it was loaded. */
  guard(entry: Entry): void {
    if (entry.loaded !== undefined) {
      entry.guarded = true;
      this.entriesOf(entry.table).touched.add(entry);
    }
  }

  /** What writes that which has changed: table by table, in key order, rows that go before rows that come. */
  writes(): (() => Promise<void>)[] {
    return [...this.registered.values()].flatMap((table) => {
      const changed = [...this.entriesOf(table).touched].filter(
        (entry) => entry.current !== entry.loaded || entry.guarded,
      );
      return this.writesOf(
        table,
        changed.sort((a, b) => (a.key < b.key ? -1 : 1)),
      );
    });
  }

  private writesOf(table: Table, changed: readonly Entry[]): (() => Promise<void>)[] {
    const removed: Row[] = [];
    const updated: { row: Row; loaded: Row }[] = [];
    const inserted: Row[] = [];
    for (const { loaded, current } of changed) {
      if (loaded !== undefined && current !== undefined) {
        updated.push({ row: current, loaded });
      } else if (loaded !== undefined) {
        removed.push(loaded);
      } else if (current !== undefined) {
        inserted.push(current);
      }
    }
    const writes: (() => Promise<void>)[] = [];
    if (removed.length > 0) {
      writes.push(() => this.transaction.remove(table, removed));
    }
    if (updated.length > 0) {
      const [rows, twins] = [updated.map(({ row }) => row), updated.map(({ loaded }) => loaded)];
      writes.push(() => this.transaction.update(table, rows, twins));
    }
    if (inserted.length > 0) {
      writes.push(() => this.transaction.insert(table, inserted));
    }
    return writes;
  }

  private async loadKeys(table: Table, keys: ReadonlyMap<string, readonly string[]>): Promise<void> {
    const sorted = [...keys.keys()].sort();
    const rows = await this.transaction.loadByKey(
      table,
      sorted.map((key) => keys.get(key) ?? []),
    );
    const entries = this.entriesOf(table);
    for (const row of rows) {
      this.adopt(table, row);
    }
    for (const key of sorted) {
      if (!entries.byKey.has(key)) {
        entries.add(key, undefined);
      }
    }
  }

  private async loadGroups(table: Table, group: string, values: ReadonlyMap<string, readonly string[]>): Promise<void> {
    const sorted = [...values.keys()].sort();
    const rows = await this.transaction.loadByGroup(
      table,
      group,
      sorted.map((text) => values.get(text) ?? []),
    );
    for (const row of rows) {
      this.adopt(table, row);
    }
    const entries = this.entriesOf(table);
    sorted.forEach((text) => entries.markComplete(group, text));
  }

  private knows(table: Table, group: string | undefined, text: string): boolean {
    const entries = this.entriesOf(table);
    return group === undefined ? entries.byKey.has(text) : entries.isComplete(group, text);
  }

  private entriesOf(table: Table): TableEntries {
    let entries = this.tables.get(table);
    if (entries === undefined) {
      entries = new TableEntries(table);
      this.tables.set(table, entries);
    }
    return entries;
  }

  private tableNamed(name: string): Table {
    const table = this.registered.get(name);
    if (table === undefined) {
      throw new Error(`No table ${name} is registered with the unit of work`);
    }
    return table;
  }
}

function presentOf(entries: readonly Entry[]): Entry[] {
  return entries.filter(({ current }) => current !== undefined);
}

export function keyOf(table: Table, row: Row): string {
  return table.key.map((property) => String(row[property])).join(SEPARATOR);
}
