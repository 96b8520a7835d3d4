import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Reader } from '../../../shared/persistence/reader.ts';
import { GetShelf, type ShelfStatus } from '../contract.ts';
import { ShelfItem, type ShelfItemState } from '../domain/shelf-item.ts';
import { toShelfView } from './recorder.ts';

const ITEM = `SELECT sku AS "sku", on_hand AS "onHand", held AS "held", committed AS "committed",
  safety_stock AS "safetyStock", central_version AS "centralVersion", round AS "round", updated_at AS "updatedAt",
  version AS "version" FROM shelf_items WHERE tenant_id = :tenant AND sku = :sku`;

/** Facts about the sku itself, and pickups that took units of it. */
const PENDING = `SELECT (SELECT COUNT(*) FROM till_events AS e WHERE e.tenant_id = s.tenant_id AND e.sku = :sku
      AND e.position > s.acknowledged)
    + (SELECT COUNT(*) FROM shelf_holds AS h JOIN till_pickups AS p ON p.tenant_id = h.tenant_id
      AND p.reservation_id = h.hold_id WHERE h.tenant_id = s.tenant_id AND h.sku = :sku AND h.taken > 0
      AND p.position > s.acknowledged) AS "pending"
  FROM till_stream AS s WHERE s.tenant_id = :tenant`;

@QueryHandler(GetShelf)
export class GetShelfHandler implements IQueryHandler<GetShelf> {
  constructor(private readonly reader: Reader) {}

  /** A sku that the store has heard nothing of has zeros: nobody knows here what is in the catalogue. */
  async execute({ sku }: GetShelf): Promise<ShelfStatus> {
    const [state] = await this.reader.select<ShelfItemState>(ITEM, { sku });
    const [row] = await this.reader.select<{ pending: number }>(PENDING, { sku });
    const item = state === undefined ? ShelfItem.unknown(sku) : ShelfItem.of(state);
    return { ...toShelfView(item), pending: row?.pending ?? 0 };
  }
}
