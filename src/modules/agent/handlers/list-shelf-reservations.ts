import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Reader } from '../../../shared/persistence/reader.ts';
import { ListShelfReservations, type ShelfReservation } from '../contract.ts';

interface HoldRow {
  readonly reservationId: string;
  readonly sku: string;
  readonly held: number;
  readonly committed: number;
  readonly expiresAt: number | null;
}

/** Most reservations of an answer; a store that has more waiting has another problem than this list. */
const RESERVATIONS_MAX = 1000;

const OPEN = `SELECT h.hold_id AS "reservationId", h.sku AS "sku", h.held AS "held", h.committed AS "committed",
    h.expires_at AS "expiresAt"
  FROM shelf_holds AS h WHERE h.tenant_id = :tenant AND h.hold_id IN (
    SELECT DISTINCT hold_id FROM shelf_holds WHERE tenant_id = :tenant AND held + committed > 0
    ORDER BY hold_id LIMIT :limit)
  AND h.held + h.committed > 0 ORDER BY h.hold_id, h.sku`;

@QueryHandler(ListShelfReservations)
export class ListShelfReservationsHandler implements IQueryHandler<ListShelfReservations> {
  constructor(private readonly reader: Reader) {}

  async execute(): Promise<readonly ShelfReservation[]> {
    const rows = await this.reader.select<HoldRow>(OPEN, { limit: RESERVATIONS_MAX });
    const found = new Map<string, { reservationId: string; lines: ShelfReservation['lines'][number][] }>();
    for (const { reservationId, ...line } of rows) {
      const reservation = found.get(reservationId) ?? { reservationId, lines: [] };
      reservation.lines.push(line);
      found.set(reservationId, reservation);
    }
    return [...found.values()];
  }
}
