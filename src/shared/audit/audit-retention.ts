import { Injectable, type OnModuleInit } from '@nestjs/common';
import { accessEvent, AuditPurged } from '../access/events.ts';
import type { Kept } from '../housekeeping/kept.ts';
import type { PurgePieces } from '../housekeeping/purge-pieces.ts';
import { Retention } from '../housekeeping/retention.ts';
import { NO_TENANT } from '../housekeeping/retention-marks.ts';
import { Clock, type Instant } from '../kernel/clock.ts';
import { Reader } from '../persistence/reader.ts';
import type { Transaction } from '../persistence/transaction.ts';
import { Settings } from '../settings.ts';
import { auditChainsTable } from './audit-chain.table.ts';

const MS_PER_DAY = 86_400_000;
/**
 * Entries wait for others of their day. Each piece of a purge is an event, and with it a new entry: without the wait there
 * would be one every few seconds, for ever.
 */
const WAIT_MS = MS_PER_DAY;
/** Entries for each row of a piece: they lie side by side. */
const ENTRIES_PER_ROW = 5;

const FIRST_OF_EACH = `SELECT e.tenant_id AS "tenantId", e.occurred_at AS "occurredAt"
  FROM audit_chains AS c JOIN audit_entries AS e ON e.tenant_id = c.tenant_id AND e.number = c.purged_number + 1
  WHERE c.chain = c.tenant_id`;

const NEXT = `SELECT number AS "number", hash AS "hash", occurred_at AS "occurredAt" FROM audit_entries
  WHERE tenant_id = :tenant AND number > :after ORDER BY number LIMIT :rows`;

const DELETE = 'DELETE FROM audit_entries WHERE tenant_id = :tenant AND number <= :through';

interface First {
  readonly tenantId: string;
  readonly occurredAt: Instant;
}

interface Next {
  readonly number: number;
  readonly hash: string;
  readonly occurredAt: Instant;
}

/**
 * How long the audit is kept. It goes from the front of each chain, without holes, and the hash of the last entry that is
 * gone stays with the chain: from there the rest can be verified.
 */
@Injectable()
export class AuditRetention implements Kept, OnModuleInit {
  readonly kind = 'audit_entries';
  private readonly keepMs: number;

  constructor(
    private readonly retention: Retention,
    private readonly reader: Reader,
    private readonly clock: Clock,
    settings: Settings,
  ) {
    this.keepMs = settings.auditKeepDays * MS_PER_DAY;
  }

  onModuleInit(): void {
    this.retention.keep(this);
  }

  async purgeDue(at: Instant, pieces: PurgePieces): Promise<void> {
    const old = at - this.keepMs;
    for (const { tenantId, occurredAt } of await this.firsts()) {
      for (let more = occurredAt <= old - WAIT_MS; more;) {
        more = false;
        await pieces.run(tenantId, async (tx) => {
          more = await this.purgeSome(tx, pieces, old);
        });
      }
    }
  }

  async oldestDueAt(): Promise<Instant | null> {
    const due = (await this.firsts()).map(({ occurredAt }) => occurredAt + this.keepMs + WAIT_MS);
    return due.length === 0 ? null : Math.min(...due);
  }

  private firsts(): Promise<First[]> {
    return this.reader.selectAcrossTenants<First>(FIRST_OF_EACH);
  }

  /** @returns whether there may be more */
  private async purgeSome(tx: Transaction, pieces: PurgePieces, old: Instant): Promise<boolean> {
    const chain = await tx.get(auditChainsTable, tx.tenantId);
    if (chain === undefined) return false;
    const rows = pieces.rowsMax * ENTRIES_PER_ROW;
    const next = await tx.select<Next>(NEXT, { after: chain.purgedNumber, rows });
    const firstYoung = next.findIndex(({ occurredAt }) => occurredAt > old);
    const last = next.at(firstYoung === -1 ? -1 : firstYoung - 1);
    if (last === undefined || firstYoung === 0) return false;
    const { number, hash } = last;
    tx.replace(auditChainsTable, { ...chain, purgedNumber: number, purgedHash: hash, version: chain.version + 1 });
    const subject = `audit/${tx.tenantId === NO_TENANT ? 'platform' : tx.tenantId}`;
    tx.record([accessEvent(AuditPurged, subject, number, { number, hash }, this.clock.now())]);
    pieces.delete(tx, this.kind, DELETE, { through: number });
    return firstYoung === -1 && next.length === rows;
  }
}
