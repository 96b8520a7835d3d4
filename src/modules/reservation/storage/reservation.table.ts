import { defineTable, type VisibleRows } from '../../../shared/persistence/table.ts';
import type { ReservationState } from '../domain/reservation.ts';
import { reservationPlacesTable } from './reservation-place.table.ts';

/** A storefront sees what was made for its client; a store, what has units at its location. */
const VISIBLE: VisibleRows<ReservationState> = {
  sees: ({ clientId, lines }, reach) =>
    (reach.clientId === null || clientId === reach.clientId) &&
    (reach.locationId === null ||
      lines.some(({ allocations }) => allocations.some(({ locationId }) => locationId === reach.locationId))),
  condition: (alias, { clientId, locationId }, leads) => {
    const sql: string[] = [];
    const parameters: Record<string, string> = {};
    if (clientId !== null) {
      // An expression is found by no index.
      sql.push(`${alias}.clientId${leads ? '' : " || ''"} = :reachedClientId`);
      parameters.reachedClientId = clientId;
    }
    if (locationId !== null) {
      sql.push(`EXISTS (SELECT 1 FROM ${reservationPlacesTable.name} AS reached WHERE
        reached.tenant_id = ${alias}.tenantId AND reached.location_id = :reachedLocationId
        AND reached.reservation_id = ${alias}.id)`);
      parameters.reachedLocationId = locationId;
    }
    return { sql: sql.length === 0 ? '1 = 1' : sql.join(' AND '), parameters };
  },
};

export const reservationsTable = defineTable<ReservationState>({
  name: 'reservations',
  key: ['id'],
  columns: {
    id: 'text',
    clientId: 'text',
    status: 'text',
    lines: 'json',
    cartId: 'text?',
    orderId: 'text?',
    ttlSeconds: 'integer',
    renewals: 'integer',
    tallied: 'boolean',
    expiresAt: 'integer',
    lifetimeEndsAt: 'integer',
    createdAt: 'integer',
    updatedAt: 'integer',
    version: 'integer',
  },
  groups: { cart: { by: ['clientId', 'cartId'], where: "status = 'ACTIVE'" } },
  visible: VISIBLE,
});
