import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type Dialect, dialectOf } from './dialect.ts';

/** Delivery of events: each consumer's place in the log, what it could not handle yet, and what it could not at all. */
export class Delivery0006 implements MigrationInterface {
  readonly name = 'Delivery0000000000006';

  async up(runner: QueryRunner): Promise<void> {
    const dialect = dialectOf(runner);
    for (const statement of [...consumers(dialect), ...deadLetters(dialect)]) {
      await runner.query(statement);
    }
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}

function consumers({ text, integer, clustered, plain }: Dialect): string[] {
  return [
    // The log of one tenant in order, for every consumer of it; and the tenants themselves, a step of the index each.
    'CREATE INDEX outbox_events_of_tenant ON outbox_events (tenant_id, position)',
    `CREATE TABLE consumer_cursors (
      tenant_id ${text} NOT NULL,
      consumer ${text} NOT NULL,
      position ${integer} NOT NULL CHECK (position >= 0),
      blocked_subjects ${integer} NOT NULL CHECK (blocked_subjects >= 0),
      updated_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, consumer)
    ) ${clustered}`,
    `CREATE TABLE blocked_subjects (
      tenant_id ${text} NOT NULL,
      consumer ${text} NOT NULL,
      subject ${text} NOT NULL,
      events ${integer} NOT NULL CHECK (events >= 1),
      attempts ${integer} NOT NULL CHECK (attempts >= 0),
      next_attempt_at ${integer},
      dead_letter_id ${text},
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, consumer, subject),
      CHECK ((next_attempt_at IS NULL) = (dead_letter_id IS NOT NULL))
    ) ${clustered}`,
    // What is to be tried again, over all tenants: the job that looks for it belongs to none.
    `CREATE INDEX blocked_subjects_due ON blocked_subjects (next_attempt_at, tenant_id, consumer, subject)
      WHERE next_attempt_at IS NOT NULL`,
    `CREATE TABLE set_aside_events (
      tenant_id ${text} NOT NULL,
      consumer ${text} NOT NULL,
      event_id ${text} NOT NULL,
      subject ${text} NOT NULL,
      position ${integer} NOT NULL,
      event ${text} NOT NULL,
      PRIMARY KEY (tenant_id, consumer, event_id)
    ) ${plain}`,
    'CREATE INDEX set_aside_events_in_order ON set_aside_events (tenant_id, consumer, subject, position)',
  ];
}

function deadLetters({ text, integer, plain }: Dialect): string[] {
  return [
    `CREATE TABLE dead_letters (
      tenant_id ${text} NOT NULL,
      id ${text} NOT NULL,
      event_id ${text} NOT NULL,
      consumer ${text} NOT NULL,
      location_id ${text},
      order_id ${text},
      sequence ${integer},
      type ${text},
      data ${text},
      code ${text} NOT NULL,
      detail ${text} NOT NULL,
      attempts ${integer} NOT NULL CHECK (attempts >= 1),
      status ${text} NOT NULL CHECK (status IN ('DEAD', 'REPLAYED', 'DISCARDED')),
      reason ${text},
      waits_for ${text},
      origin ${text} NOT NULL,
      created_at ${integer} NOT NULL,
      closed_at ${integer},
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, id),
      CHECK ((status = 'DEAD') = (closed_at IS NULL))
    ) ${plain}`,
    'CREATE INDEX dead_letters_by_status ON dead_letters (tenant_id, status, id)',
    // Few are open at a time, and these are the ones that are counted and looked for.
    `CREATE INDEX dead_letters_open ON dead_letters (tenant_id, consumer, event_id) WHERE status = 'DEAD'`,
    `CREATE INDEX dead_letters_waiting ON dead_letters (tenant_id, waits_for, id)
      WHERE status = 'DEAD' AND waits_for IS NOT NULL`,
  ];
}
