import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Reader } from '../../../shared/persistence/reader.ts';
import { CONFLICTS_SHOWN_MAX, GetOrder, type OrderConflictView, type OrderView } from '../contract.ts';
import { OrderNotFound } from '../domain/order.errors.ts';
import { orderConflictsTable } from '../storage/order-conflict.table.ts';
import { ordersTable } from '../storage/order.table.ts';

const WAITING = `SELECT order_version AS "version", status AS "status", dead_letter_id AS "letterId" FROM order_events
  WHERE tenant_id = :tenant AND order_id = :orderId AND status IN ('PARKED', 'DEAD') ORDER BY order_version`;

interface Waiting {
  readonly version: number;
  readonly status: string;
  readonly letterId: string | null;
}

@QueryHandler(GetOrder)
export class GetOrderHandler implements IQueryHandler<GetOrder> {
  constructor(private readonly reader: Reader) {}

  async execute({ orderId }: GetOrder): Promise<OrderView> {
    const order = await this.reader.one(
      this.reader.rows(ordersTable, 'shopOrder').andWhere('shopOrder.orderId = :orderId', { orderId }),
    );
    if (order === undefined) throw new OrderNotFound(orderId);
    const waiting = await this.reader.select<Waiting>(WAITING, { orderId });
    const { status, nextVersion, blockedBy, reservationId, lines, createdAt, updatedAt, version } = order;
    return {
      orderId,
      status,
      nextVersion,
      blockedBy,
      parked: waiting.filter((event) => event.status === 'PARKED').map((event) => event.version),
      deadLetters: waiting.flatMap(({ letterId, version: number }) =>
        letterId === null ? [] : [{ id: letterId, version: number }],
      ),
      conflicts: await this.conflictsOf(orderId),
      reservationId,
      lines,
      createdAt,
      updatedAt,
      rowVersion: version,
    };
  }

  private async conflictsOf(orderId: string): Promise<OrderConflictView[]> {
    const rows = await this.reader.many(
      this.reader
        .rows(orderConflictsTable, 'conflict')
        .andWhere('conflict.orderId = :orderId', { orderId })
        .orderBy('conflict.receivedAt', 'DESC')
        .addOrderBy('conflict.orderVersion', 'DESC')
        .addOrderBy('conflict.eventId', 'DESC')
        .limit(CONFLICTS_SHOWN_MAX),
    );
    return rows.map(({ eventId, orderVersion, content, receivedAt }) => ({
      id: eventId,
      version: orderVersion,
      type: content.type,
      occurredAt: content.occurredAt,
      data: content.data,
      receivedAt,
    }));
  }
}
