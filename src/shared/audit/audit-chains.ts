import { Injectable } from '@nestjs/common';
import { NO_TENANT } from '../housekeeping/retention-marks.ts';
import { Clock } from '../kernel/clock.ts';
import type { Transaction } from '../persistence/transaction.ts';
import { type AuditChainRow, auditChainsTable } from './audit-chain.table.ts';
import { type AuditEntryRow, auditEntriesTable } from './audit-entry.table.ts';
import { type AuditEntryContent, entryHash, genesisHash } from './entry-hash.ts';

const OF_ERASED = `SELECT number AS "number", hash AS "hash", sealed AS "sealed"
  FROM audit_chains WHERE tenant_id = '${NO_TENANT}' AND chain = :chain`;

const NEWEST = `SELECT number AS "number", hash AS "hash" FROM audit_entries
  WHERE tenant_id = :tenant ORDER BY number DESC LIMIT 1`;

/** The newest entry of a chain. */
export interface AuditHead {
  readonly number: number;
  readonly hash: string;
}

/** What is to be an entry; the chain numbers it. */
export type NewEntry = Omit<AuditEntryContent, 'number'>;

interface StoredHead extends AuditHead {
  readonly sealed: boolean | 0 | 1;
}

/** The chains of the tenants: what they end with, and what may be added to them. */
@Injectable()
export class AuditChains {
  constructor(private readonly clock: Clock) {}

  /**
   * The chain of the work's tenant, to add to it.
   * @returns null when the tenant is erased
   * @throws Error when it does not end where its head says: whatever were added would hide who changed which of the two
   */
  async open(tx: Transaction): Promise<OpenChain | null> {
    const { tenantId } = tx;
    const erased = tenantId === NO_TENANT ? undefined : await erasedChain(tx);
    if (erased !== undefined && Boolean(erased.sealed)) return null;
    const stored = await tx.get(auditChainsTable, tenantId);
    const head = stored ?? this.begun(tenantId, erased ?? null);
    await assertEndsAt(tx, head);
    return new OpenChain(tx, head, this.clock.now());
  }

  /** Where the chain of the work's tenant ends; also when its beginning is all that there is of it. */
  async headOf(tx: Transaction): Promise<AuditHead> {
    const { number, hash } = (await tx.get(auditChainsTable, tx.tenantId)) ??
      (await erasedChain(tx)) ?? { number: 0, hash: genesisHash(tx.tenantId) };
    return { number, hash };
  }

  /**
   * Nothing is added to the chain of a tenant any more, and its entries may go: only this row is left.
   * @param tx of NO_TENANT
   * @param head where the chain ends
   */
  async seal(tx: Transaction, tenantId: string, { number, hash }: AuditHead): Promise<void> {
    const tomb = await tx.get(auditChainsTable, tenantId);
    const sealed = { chain: tenantId, number, hash, purgedNumber: number, purgedHash: hash, sealed: true };
    const version = (tomb?.version ?? 0) + 1;
    await tx.put(auditChainsTable, { ...sealed, updatedAt: this.clock.now(), version });
  }

  /** There is a tenant of this id again: its chain goes on where that of the erased one ended. @param tx of NO_TENANT */
  async unseal(tx: Transaction, tenantId: string): Promise<void> {
    const tomb = await tx.get(auditChainsTable, tenantId);
    if (tomb?.sealed !== true) return;
    await tx.put(auditChainsTable, { ...tomb, sealed: false, updatedAt: this.clock.now(), version: tomb.version + 1 });
  }

  /** @param erased the end of the chain of an erased tenant of the same id */
  private begun(tenantId: string, erased: AuditHead | null): AuditChainRow {
    const { number, hash } = erased ?? { number: 0, hash: genesisHash(tenantId) };
    const head = { number, hash, purgedNumber: number, purgedHash: hash };
    return { chain: tenantId, ...head, sealed: false, updatedAt: this.clock.now(), version: 0 };
  }
}

/** A chain that a work adds to. */
export class OpenChain {
  private number: number;
  private hash: string;

  constructor(
    private readonly tx: Transaction,
    private readonly stored: AuditChainRow,
    private readonly at: number,
  ) {
    this.number = stored.number;
    this.hash = stored.hash;
  }

  append(content: NewEntry): void {
    this.number += 1;
    const entry = { ...content, number: this.number };
    this.hash = entryHash(this.tx.tenantId, entry, this.hash);
    const row: AuditEntryRow = { ...entry, hash: this.hash };
    this.tx.insert(auditEntriesTable, row);
  }

  /** Stores where the chain ends now, in the commit of what was added. */
  close(): void {
    const { number, hash, stored } = this;
    this.tx.replace(auditChainsTable, { ...stored, number, hash, updatedAt: this.at, version: stored.version + 1 });
  }
}

async function erasedChain(tx: Transaction): Promise<StoredHead | undefined> {
  const [head] = await tx.selectAcrossTenants<StoredHead>(OF_ERASED, { chain: tx.tenantId });
  return head;
}

/*
 * Otherwise what is added would collide with what is there, which looks like a server that was faster, and is tried again
 * together with all that shares the batch; or it would be chained to a hash that nothing has.
 */
async function assertEndsAt(tx: Transaction, head: AuditChainRow): Promise<void> {
  const [newest] = await tx.select<AuditHead>(NEWEST, {});
  // When all entries were purged, the head is what is left of the last one.
  const { number, hash } = newest ?? { number: head.purgedNumber, hash: head.purgedHash };
  if (number === head.number && hash === head.hash) return;
  throw new Error(
    `The chain of ${tx.tenantId} does not end where its head says: number ${number} is the last, the head is ${head.number}`,
  );
}
