import type { Row } from './engine/engine.ts';
import type { Group, Table } from './table.ts';

/** One row of the batch: as it was loaded, and as the works have left it so far. Undefined: there is no such row. */
export interface Entry {
  readonly table: Table;
  readonly key: string;
  readonly loaded: Row | undefined;
  current: Row | undefined;
  /** Must still be at the loaded version at commit although it was only read. */
  guarded: boolean;
  /** Whether it stands in the groups of its table. */
  grouped: boolean;
}

/** Ids have no control characters, so this cannot occur in a key. */
export const SEPARATOR = '\u0000';

/** The known rows of one table, and which of its groups are known to be complete. */
export class TableEntries {
  readonly byKey = new Map<string, Entry>();
  /** Rows that were changed or guarded: what flush has to look at. */
  readonly touched = new Set<Entry>();
  private readonly groups = new Map<string, Map<string, Set<Entry>>>();
  private readonly complete = new Set<string>();
  private readonly groupList: readonly (readonly [string, Group])[];

  constructor(private readonly table: Table) {
    this.groupList = Object.entries(table.groups);
  }

  add(key: string, loaded: Row | undefined): Entry {
    const entry: Entry = { table: this.table, key, loaded, current: loaded, guarded: false, grouped: false };
    this.byKey.set(key, entry);
    if (loaded !== undefined) {
      this.joinGroups(entry, loaded);
    }
    return entry;
  }

  /** Group values never change while a row lives, so an entry joins once, when its values are first known. */
  joinGroups(entry: Entry, row: Row): void {
    if (entry.grouped) {
      return;
    }
    entry.grouped = true;
    for (const [name, { properties }] of this.groupList) {
      const values = properties.map((property) => row[property]);
      if (values.includes(null)) {
        continue;
      }
      let members = this.groups.get(name);
      if (members === undefined) {
        members = new Map();
        this.groups.set(name, members);
      }
      const text = values.join(SEPARATOR);
      const set = members.get(text) ?? new Set<Entry>();
      members.set(text, set.add(entry));
    }
  }

  members(group: string, text: string): Entry[] {
    return [...(this.groups.get(group)?.get(text) ?? [])];
  }

  isComplete(group: string, text: string): boolean {
    return this.complete.has(`${group}${SEPARATOR}${text}`);
  }

  markComplete(group: string, text: string): void {
    this.complete.add(`${group}${SEPARATOR}${text}`);
  }
}
