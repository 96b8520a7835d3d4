import { defineTable } from '../../../shared/persistence/table.ts';

/** What a client holds in all: the sum over its reservations that are stored as ACTIVE and `tallied`. */
export interface ClientTallyRow {
  readonly clientId: string;
  readonly reservations: number;
  readonly units: number;
  readonly version: number;
}

export const clientTalliesTable = defineTable<ClientTallyRow>({
  name: 'client_tallies',
  key: ['clientId'],
  columns: { clientId: 'text', reservations: 'integer', units: 'integer', version: 'integer' },
});
