import { PurgePieces } from '../../src/shared/housekeeping/purge-pieces.ts';
import { Retention } from '../../src/shared/housekeeping/retention.ts';
import { NO_TENANT, RetentionMarks } from '../../src/shared/housekeeping/retention-marks.ts';
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
}
