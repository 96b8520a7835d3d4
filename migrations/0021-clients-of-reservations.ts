import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dialectOf } from './dialect.ts';

/** For whom a reservation was made: a storefront sees its own and no other's, and a cart is a cart of one client. */
export class ClientsOfReservations0021 implements MigrationInterface {
  readonly name = 'ClientsOfReservations0000000000021';

  async up(runner: QueryRunner): Promise<void> {
    const { text } = dialectOf(runner);
    // Before there were keys, 'default' was the only client.
    await runner.query(`ALTER TABLE reservations ADD COLUMN client_id ${text} NOT NULL DEFAULT 'default'`);
    await runner.query('DROP INDEX reservations_active_cart');
    await runner.query(`CREATE UNIQUE INDEX reservations_active_cart ON reservations (tenant_id, client_id, cart_id)
      WHERE status = 'ACTIVE' AND cart_id IS NOT NULL`);
    await runner.query('CREATE INDEX reservations_by_client ON reservations (tenant_id, client_id, id)');
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}
