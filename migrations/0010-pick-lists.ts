import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dialectOf } from './dialect.ts';

/** What a store has still to hand over is found without a look at all that it ever handed over. */
export class PickLists0010 implements MigrationInterface {
  readonly name = 'PickLists0000000000010';

  async up(runner: QueryRunner): Promise<void> {
    const { boolean } = dialectOf(runner);
    await runner.query(`ALTER TABLE reservation_places ADD COLUMN to_pick ${boolean} NOT NULL DEFAULT FALSE`);
    // One that was fulfilled in part stays on the list of all its places until it is fulfilled whole.
    await runner.query(`UPDATE reservation_places SET to_pick = TRUE WHERE EXISTS (
      SELECT 1 FROM reservations r
      WHERE r.tenant_id = reservation_places.tenant_id AND r.id = reservation_places.reservation_id
        AND r.status = 'CONFIRMED')`);
    await runner.query(`CREATE INDEX reservation_places_to_pick
      ON reservation_places (tenant_id, location_id, reservation_id) WHERE to_pick = TRUE`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}
