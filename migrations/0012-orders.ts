import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dialectOf } from './dialect.ts';

/** Orders of outside shops: how far each has come, every event of it, and events that contradict one. */
export class Orders0012 implements MigrationInterface {
  readonly name = 'Orders0000000000012';

  async up(runner: QueryRunner): Promise<void> {
    const { text, integer, plain } = dialectOf(runner);
    await runner.query(`CREATE TABLE shop_orders (
      tenant_id ${text} NOT NULL,
      order_id ${text} NOT NULL,
      status ${text} NOT NULL CHECK (status IN ('NEW', 'HELD', 'PAID', 'SHIPPED', 'CANCELLED')),
      next_version ${integer} NOT NULL CHECK (next_version >= 1),
      blocked_by ${integer},
      cancelled_by ${integer},
      parked ${integer} NOT NULL CHECK (parked >= 0),
      dead ${integer} NOT NULL CHECK (dead >= 0),
      conflicts ${integer} NOT NULL CHECK (conflicts >= 0),
      reservation_id ${text},
      lines ${text} NOT NULL,
      created_at ${integer} NOT NULL,
      updated_at ${integer} NOT NULL,
      expires_at ${integer},
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, order_id),
      CHECK ((status = 'CANCELLED') = (cancelled_by IS NOT NULL))
    ) ${plain}`);
    await runner.query('CREATE INDEX shop_orders_expiring ON shop_orders (expires_at)');
    await runner.query(`CREATE TABLE order_events (
      tenant_id ${text} NOT NULL,
      order_id ${text} NOT NULL,
      order_version ${integer} NOT NULL CHECK (order_version >= 1),
      event_id ${text} NOT NULL,
      content ${text} NOT NULL,
      content_hash ${text} NOT NULL,
      status ${text} NOT NULL CHECK (status IN ('APPLIED', 'STALE', 'PARKED', 'DEAD', 'DISCARDED', 'SKIPPED')),
      dead_letter_id ${text},
      received_at ${integer} NOT NULL,
      expires_at ${integer},
      PRIMARY KEY (tenant_id, order_id, order_version)
    ) ${plain}`);
    // Two servers that get one event for two orders: the second one finds out. A number that was used up by a repeat names
    // the event of another number, so it does not count here.
    await runner.query(`CREATE UNIQUE INDEX order_events_by_id ON order_events (tenant_id, event_id)
      WHERE status <> 'SKIPPED'`);
    await runner.query(`CREATE INDEX order_events_waiting ON order_events (tenant_id, order_id, order_version)
      WHERE status IN ('PARKED', 'DEAD')`);
    await runner.query('CREATE INDEX order_events_expiring ON order_events (expires_at)');
    await runner.query(`CREATE TABLE order_conflicts (
      tenant_id ${text} NOT NULL,
      order_id ${text} NOT NULL,
      order_version ${integer} NOT NULL,
      event_id ${text} NOT NULL,
      content_hash ${text} NOT NULL,
      content ${text} NOT NULL,
      received_at ${integer} NOT NULL,
      expires_at ${integer} NOT NULL,
      PRIMARY KEY (tenant_id, order_id, order_version, event_id, content_hash)
    ) ${plain}`);
    await runner.query('CREATE INDEX order_conflicts_expiring ON order_conflicts (expires_at)');
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}
