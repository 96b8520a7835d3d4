import { defineTable } from '../../../shared/persistence/table.ts';
import type { ReservationState } from '../domain/reservation.ts';

export const reservationsTable = defineTable<ReservationState>({
  name: 'reservations',
  key: ['id'],
  columns: {
    id: 'text',
    status: 'text',
    lines: 'json',
    cartId: 'text?',
    orderId: 'text?',
    ttlSeconds: 'integer',
    expiresAt: 'integer',
    lifetimeEndsAt: 'integer',
    createdAt: 'integer',
    updatedAt: 'integer',
    version: 'integer',
  },
  groups: { cart: { by: ['cartId'], where: "status = 'ACTIVE'" } },
});
