import { Disagreement } from '../model/explain.ts';
import { NOTES_CLIENT, Notes } from '../world/notes.ts';
import { TENANT } from '../world/server.ts';
import { reactionOptionsOf } from '../../src/shared/outbox/reaction.ts';
import type { Telling } from './telling.ts';

const NOTED = `SELECT key AS "subject", body AS "versions" FROM idempotency_keys
  WHERE tenant_id = :tenant AND client_id = :client`;

const WANTED = new Set(reactionOptionsOf(Notes)?.events.map(({ type }) => type));

/**
 * A consumer has had the events of each subject in their order, each once: so far, some of the first of them, since what
 * has failed holds up what comes behind it; in the end all.
 */
export function checkNotes({ record, database }: Telling, when: 'so far' | 'in the end'): void {
  const published = record.publishedTo(WANTED);
  const rows = database.rows<{ subject: string; versions: string }>(TENANT, NOTED, { client: NOTES_CLIENT });
  const noted = new Map(rows.map(({ subject, versions }) => [subject, versions]));
  for (const [subject, versions] of noted) {
    if (published.get(subject)?.startsWith(versions) !== true) {
      throw new Disagreement(
        `Of ${subject} was published ${published.get(subject) ?? 'nothing'}, but noted ${versions}`,
      );
    }
  }
  if (when === 'so far') return;
  for (const [subject, versions] of published) {
    if (noted.get(subject) !== versions) {
      throw new Disagreement(`Of ${subject} was published ${versions}, but noted ${noted.get(subject) ?? 'nothing'}`);
    }
  }
}
