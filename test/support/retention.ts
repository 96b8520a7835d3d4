import { AUDIT_CONSUMER, AuditWriter } from '../../src/shared/audit/audit-writer.ts';
import { PurgePieces } from '../../src/shared/housekeeping/purge-pieces.ts';
import { Retention } from '../../src/shared/housekeeping/retention.ts';
import { NO_TENANT, RetentionMarks } from '../../src/shared/housekeeping/retention-marks.ts';
import { Dispatch } from '../../src/shared/outbox/dispatch.ts';
import { change, rowsOf } from './sql.ts';
import type { RunningApp } from './start-app.ts';

const SECONDS_PER_DAY = 86_400;

/** One round of the purge, now. */
export function purge({ app }: RunningApp): Promise<void> {
  return app.get(Retention, { strict: false }).purge();
}

/** Time passes while the server runs: its clock moves, and retention has followed it all the way. */
export async function passDays(running: RunningApp, days: number): Promise<void> {
  const { app, clock } = running;
  clock.advanceSeconds(days * SECONDS_PER_DAY);
  const marks = app.get(RetentionMarks, { strict: false });
  await app.get(PurgePieces, { strict: false }).run(NO_TENANT, (tx) => marks.raise(tx, 'clock', clock.now()));
  await readEverything(running);
}

/** The reactions of the program and the audit have read what is there: they store how far they are every ten seconds only. */
async function readEverything({ app, databaseUrl }: RunningApp): Promise<void> {
  const tenants = await rowsOf<{ id: string }>(databaseUrl, 'SELECT DISTINCT tenant_id AS id FROM outbox_events');
  for (const { id } of tenants) await app.get(AuditWriter, { strict: false }).caughtUp(id, 10_000);
  for (const { consumer } of [AUDIT_CONSUMER, ...app.get(Dispatch, { strict: false }).consumers]) {
    await change(
      databaseUrl,
      `INSERT INTO consumer_cursors (tenant_id, consumer, position, blocked_subjects, updated_at, version)
       SELECT tenant_id, '${consumer}', MAX(position), 0, 0, 1 FROM outbox_events WHERE TRUE GROUP BY tenant_id
       ON CONFLICT (tenant_id, consumer)
       DO UPDATE SET position = excluded.position, version = consumer_cursors.version + 1`,
    );
  }
}
