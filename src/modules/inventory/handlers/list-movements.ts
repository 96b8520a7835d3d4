import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Page } from '../../../shared/kernel/page.ts';
import { decodeCursor, encodeCursor } from '../../../shared/http/page-cursor.ts';
import { pageOf, Reader } from '../../../shared/persistence/reader.ts';
import { ListMovements, type MovementView } from '../contract.ts';
import { movementsTable } from '../storage/movement.table.ts';
import { assertKnownInPath } from './known-in-path.ts';

/** The ledger of one stock item, newest first. */
@QueryHandler(ListMovements)
export class ListMovementsHandler implements IQueryHandler<ListMovements> {
  constructor(private readonly reader: Reader) {}

  async execute({ sku, locationId, limit, cursor }: ListMovements): Promise<Page<MovementView>> {
    const rows = this.reader
      .rows(movementsTable, 'movement')
      .andWhere('movement.sku = :sku AND movement.locationId = :locationId', { sku, locationId })
      .orderBy('movement.itemVersion', 'DESC')
      .limit(limit + 1);
    if (cursor !== null) {
      const [before] = decodeCursor(cursor, 'movements', { sku, locationId });
      rows.andWhere('movement.itemVersion < :before', { before: Number(before) });
    }
    const page = pageOf(await this.reader.many(rows), limit, ({ itemVersion }) =>
      encodeCursor('movements', { sku, locationId }, [String(itemVersion)]),
    );
    if (page.items.length === 0) {
      await assertKnownInPath(this.reader, sku, locationId);
    }
    return page;
  }
}
