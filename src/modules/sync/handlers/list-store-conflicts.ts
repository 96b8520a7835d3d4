import { type IQueryHandler, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { decodeCursor, encodeCursor } from '../../../shared/http/page-cursor.ts';
import type { Page } from '../../../shared/kernel/page.ts';
import { pageOf, Reader } from '../../../shared/persistence/reader.ts';
import { GetLocation } from '../../inventory/contract.ts';
import { ListStoreConflicts, type StoreConflictView } from '../contract.ts';
import { type StoreConflictRow, storeConflictsTable } from '../storage/store-conflict.table.ts';

@QueryHandler(ListStoreConflicts)
export class ListStoreConflictsHandler implements IQueryHandler<ListStoreConflicts> {
  constructor(
    private readonly queries: QueryBus,
    private readonly reader: Reader,
  ) {}

  /** @throws LocationNotFound */
  async execute({ locationId, limit, cursor }: ListStoreConflicts): Promise<Page<StoreConflictView>> {
    const filter = { locationId };
    const rows = this.reader
      .rows(storeConflictsTable, 'conflict')
      .andWhere('conflict.locationId = :locationId', filter)
      .orderBy('conflict.receivedAt')
      .addOrderBy('conflict.id')
      .limit(limit + 1);
    if (cursor !== null) {
      const [at, id] = decodeCursor(cursor, 'store-conflicts', filter);
      rows.andWhere('(conflict.receivedAt > :at OR (conflict.receivedAt = :at AND conflict.id > :id))', { at, id });
    }
    await this.queries.execute(new GetLocation(locationId));
    const page = pageOf(await this.reader.many(rows), limit, ({ receivedAt, id }) =>
      encodeCursor('store-conflicts', filter, [receivedAt, id]),
    );
    return { ...page, items: page.items.map(toView) };
  }
}

function toView({ eventId, epoch, sequence, contradicts, content, receivedAt }: StoreConflictRow): StoreConflictView {
  const { type, version, occurredAt, data } = content;
  return { eventId, epoch, sequence, contradicts, type, version, occurredAt, data, receivedAt };
}
