import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { decodeCursor, encodeCursor } from '../../../shared/http/page-cursor.ts';
import type { Page } from '../../../shared/kernel/page.ts';
import { pageOf, Reader } from '../../../shared/persistence/reader.ts';
import { ListStores, type StoreView } from '../contract.ts';
import { storeStreamsTable } from '../storage/store-stream.table.ts';
import { StoreViews } from './store-views.ts';

@QueryHandler(ListStores)
export class ListStoresHandler implements IQueryHandler<ListStores> {
  constructor(
    private readonly reader: Reader,
    private readonly views: StoreViews,
  ) {}

  async execute({ limit, cursor }: ListStores): Promise<Page<StoreView>> {
    const rows = this.reader
      .rows(storeStreamsTable, 'stream')
      .orderBy('stream.locationId')
      .limit(limit + 1);
    if (cursor !== null) {
      const [after] = decodeCursor(cursor, 'stores', {});
      rows.andWhere('stream.locationId > :after', { after });
    }
    const page = pageOf(await this.reader.many(rows), limit, ({ locationId }) =>
      encodeCursor('stores', {}, [locationId]),
    );
    return { ...page, items: await this.views.of(page.items) };
  }
}
