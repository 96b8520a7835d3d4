import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Page } from '../../../shared/kernel/page.ts';
import { decodeCursor, encodeCursor } from '../../../shared/http/page-cursor.ts';
import { pageOf, Reader } from '../../../shared/persistence/reader.ts';
import { ListTransfers, TRANSFER_STATUSES, type TransferView } from '../contract.ts';
import { transfersTable } from '../storage/transfer.table.ts';
import { toTransferView } from './transfer-view.ts';

/** Transfers, newest first (ids rise with time). */
@QueryHandler(ListTransfers)
export class ListTransfersHandler implements IQueryHandler<ListTransfers> {
  constructor(private readonly reader: Reader) {}

  async execute({ filter, limit, cursor }: ListTransfers): Promise<Page<TransferView>> {
    const rows = this.reader
      .rows(transfersTable, 'transfer')
      .orderBy('transfer.id', 'DESC')
      .limit(limit + 1);
    for (const property of ['sku', 'fromLocationId', 'toLocationId'] as const) {
      const wanted = filter[property];
      if (wanted !== null) {
        rows.andWhere(`transfer.${property} = :${property}`, { [property]: wanted });
      }
    }
    const status = TRANSFER_STATUSES.find((known) => known === filter.status);
    if (status !== undefined) {
      // A literal out of the list, so that the planner sees the condition of the partial indexes.
      rows.andWhere(`transfer.status = '${status}'`);
    }
    if (cursor !== null) {
      const [before] = decodeCursor(cursor, 'transfers', filter);
      rows.andWhere('transfer.id < :before', { before });
    }
    const page = pageOf(await this.reader.many(rows), limit, ({ id }) => encodeCursor('transfers', filter, [id]));
    return { ...page, items: page.items.map(toTransferView) };
  }
}
