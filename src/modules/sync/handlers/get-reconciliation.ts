import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { decodeCursor, encodeCursor } from '../../../shared/http/page-cursor.ts';
import type { Page } from '../../../shared/kernel/page.ts';
import { pageOf, Reader } from '../../../shared/persistence/reader.ts';
import { GetReconciliation, ListReconciliations, type ReconciliationView } from '../contract.ts';
import { ReconciliationNotFound } from '../domain/store-stream.errors.ts';
import { KnownLocations } from '../feeds/known-locations.ts';
import { storeReconciliationsTable } from '../storage/store-reconciliation.table.ts';

@QueryHandler(GetReconciliation)
export class GetReconciliationHandler implements IQueryHandler<GetReconciliation> {
  constructor(
    private readonly reader: Reader,
    private readonly locations: KnownLocations,
  ) {}

  /** @throws LocationNotFound, ReconciliationNotFound */
  async execute({ locationId, id }: GetReconciliation): Promise<ReconciliationView> {
    await this.locations.assertKnown(locationId);
    const row = await this.reader.one(
      this.reader
        .rows(storeReconciliationsTable, 'one')
        .andWhere('one.id = :id', { id })
        .andWhere('one.locationId = :locationId', { locationId }),
    );
    if (row === undefined) throw new ReconciliationNotFound(id);
    return row;
  }
}

const LIST = `SELECT id AS "id", location_id AS "locationId", epoch AS "epoch", sequence AS "sequence", cursor AS "cursor",
    applied AS "applied", differences_total AS "differencesTotal", drift AS "drift", created_at AS "createdAt"
  FROM store_reconciliations
  WHERE tenant_id = :tenant AND location_id = :locationId AND id < :before ORDER BY id DESC LIMIT :limit`;

/** SQLite has no booleans. */
type Summary = Omit<ReconciliationView, 'differences' | 'applied'> & { readonly applied: boolean | number };

/** Behind every id. */
const LAST = 'g';

/** Without their differences, which may be many. */
@QueryHandler(ListReconciliations)
export class ListReconciliationsHandler implements IQueryHandler<ListReconciliations> {
  constructor(
    private readonly reader: Reader,
    private readonly locations: KnownLocations,
  ) {}

  /** @throws LocationNotFound */
  async execute({ locationId, limit, cursor }: ListReconciliations): Promise<Page<ReconciliationView>> {
    const filter = { locationId };
    const [before = LAST] = cursor === null ? [] : decodeCursor(cursor, 'reconciliations', filter);
    await this.locations.assertKnown(locationId);
    const rows = await this.reader.select<Summary>(LIST, {
      locationId,
      before,
      limit: limit + 1,
    });
    const page = pageOf(rows, limit, ({ id }) => encodeCursor('reconciliations', filter, [id]));
    const items = page.items.map((row) => ({ ...row, applied: Boolean(row.applied), differences: [] }));
    return { ...page, items };
  }
}
