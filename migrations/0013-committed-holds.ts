import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The committed holds of an item are found as those that are still held are: a store's snapshot tells both. Only paying
 * and handing over write to the index, making a reservation does not.
 */
export class CommittedHolds0013 implements MigrationInterface {
  readonly name = 'CommittedHolds0000000000013';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX holds_committed ON holds (tenant_id, sku, location_id, hold_id)
      WHERE state = 'COMMITTED'`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}
