import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dialectOf } from './dialect.ts';

/** What imports have done, so that a repeat does not do it again. */
export class ImportChunks0003 implements MigrationInterface {
  readonly name = 'ImportChunks0000000000003';

  async up(runner: QueryRunner): Promise<void> {
    const { text, integer, plain } = dialectOf(runner);
    await runner.query(`CREATE TABLE import_chunks (
      tenant_id ${text} NOT NULL,
      client_id ${text} NOT NULL,
      key ${text} NOT NULL,
      chunk ${integer} NOT NULL CHECK (chunk >= 0),
      applied ${text} NOT NULL,
      created_at ${integer} NOT NULL,
      expires_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, client_id, key, chunk)
    ) ${plain}`);
    await runner.query('CREATE INDEX import_chunks_expired ON import_chunks (expires_at)');
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}
