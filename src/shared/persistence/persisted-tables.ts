import { EVENT_COLUMNS } from '../outbox/event-log.ts';
import { type Table } from './table.ts';

/** What has to be known of a table to go through a tenant's rows in it, whatever they are about. */
export interface TenantTable {
  readonly name: string;
  /** Columns of its primary key, without the tenant, as they are called in SQL. */
  readonly key: readonly string[];
  /** All others but the tenant. */
  readonly columns: readonly string[];
}

/** The event log, which the unit of work writes without a definition. */
const EVENT_LOG: TenantTable = {
  name: 'outbox_events',
  key: ['position'],
  columns: EVENT_COLUMNS.map(({ name }) => name),
};

/** Every table with rows of tenants: for what concerns all that a tenant has. */
export class PersistedTables {
  readonly all: readonly TenantTable[];

  constructor(tables: readonly Table[]) {
    this.all = [...tables.map(toTenantTable), EVENT_LOG];
  }
}

function toTenantTable({ name, key, columns }: Table): TenantTable {
  const isKey = ({ property }: { readonly property: string }): boolean => key.includes(property);
  return {
    name,
    key: key.flatMap((property) => columns.filter((column) => column.property === property).map((one) => one.name)),
    columns: columns.filter((column) => !isKey(column)).map((one) => one.name),
  };
}
