import { hash } from 'node:crypto';
import type { AuditEntryRow } from './audit-entry.table.ts';

/*
 * The scheme of docs/audit.md, which says it for strangers. Never changed: what was chained has to stay verifiable. A new
 * scheme would be a new name in GENESIS, and entries that say by which one they are chained.
 */

const GENESIS = 'holdfast.audit.1';

/** What an entry says, without its hash. */
export type AuditEntryContent = Omit<AuditEntryRow, 'hash'>;

/** What the first entry of a tenant is chained to: number 0, so to speak. */
export function genesisHash(tenantId: string): string {
  return sha256(`{"genesis":${JSON.stringify(GENESIS)},"tenant_id":${JSON.stringify(tenantId)}}`);
}

/** @param previousHash of the entry with the number before, or the genesis */
export function entryHash(tenantId: string, entry: AuditEntryContent, previousHash: string): string {
  return sha256(canonical(tenantId, entry, previousHash));
}

/**
 * The entry in the JSON Canonicalization Scheme (RFC 8785): the columns as members in the order of their names, texts as
 * JSON.stringify writes them. All members are texts, whole numbers and null, so the scheme is these few lines; a library,
 * which has to sort and to look into what it is given, takes four times as long, and this runs for each entry.
 */
function canonical(tenantId: string, entry: AuditEntryContent, previousHash: string): string {
  return (
    `{"action":${text(entry.action)},"address":${text(entry.address)},"causation_id":${text(entry.causationId)},` +
    `"client_id":${text(entry.clientId)},"correlation_id":${text(entry.correlationId)},"data":${text(entry.data)},` +
    `"event_id":${text(entry.eventId)},"key_id":${text(entry.keyId)},"number":${entry.number},` +
    `"occurred_at":${entry.occurredAt},"origin":${text(entry.origin)},"position":${entry.position},` +
    `"previous_hash":${text(previousHash)},"subject":${text(entry.subject)},` +
    `"subject_version":${entry.subjectVersion},"tenant_id":${text(tenantId)},"version":${entry.version}}`
  );
}

function text(value: string | null): string {
  return JSON.stringify(value);
}

function sha256(content: string): string {
  return hash('sha256', content, 'hex');
}
