import { textTable } from '../replay/text-table.ts';
import type { AuditDatabase, StoredChain } from './audit-database.ts';
import { type ChainVerdict, verifyChain } from './verify-chain.ts';

/** What was found of all chains that were looked at. */
export interface Verdict {
  readonly chains: readonly ChainVerdict[];
  /** Those of tenants that are erased: what is left of them. */
  readonly erased: readonly StoredChain[];
  /** Sentences, with the tenant before them; none: all is as it was written. */
  readonly faults: readonly string[];
}

/**
 * Verifies the chains of all tenants, or of one, and what is left of erased ones.
 * @param tenant null: all
 * @param audited types of events that the audit keeps
 */
export async function verify(
  database: AuditDatabase,
  tenant: string | null,
  audited: ReadonlySet<string>,
): Promise<Verdict> {
  const stored = await database.chains();
  const places = await database.places();
  const living = new Map(stored.filter(({ tenantId, chain }) => tenantId === chain).map((one) => [one.chain, one]));
  const erased = new Map(stored.filter(({ tenantId, chain }) => tenantId !== chain).map((one) => [one.chain, one]));
  const all = new Set([...living.keys(), ...(await database.tenantsWithEntries())]);
  const tenantIds = [...all].sort().filter((tenantId) => tenant === null || tenantId === tenant);
  const chains: ChainVerdict[] = [];
  for (const tenantId of tenantIds) {
    const bounds = { tenantId, chain: living.get(tenantId), erased: erased.get(tenantId) };
    chains.push(await verifyChain(database, { ...bounds, place: places.get(tenantId) ?? 0 }, audited));
  }
  const faults = chains.flatMap(({ tenantId, faults: own }) => own.map((fault) => `${tenantId}: ${fault}`));
  const ofNone = chains.find(({ tenantId }) => tenantId === '*');
  const left = [...erased.values()].filter(({ chain }) => tenant === null || tenant === chain);
  return { chains, erased: left, faults: [...faults, ...(ofNone === undefined ? [] : faultsOfErased(ofNone, left))] };
}

/** Of each erased tenant the same end is told twice: by the row that is left of it, and in the chain of no tenant. */
function faultsOfErased({ erased: told }: ChainVerdict, left: readonly StoredChain[]): string[] {
  const byChain = new Map(left.map((one) => [one.chain, one]));
  return [...told].flatMap(([chain, { number, hash }]) => {
    const own = byChain.get(chain);
    if (own === undefined) return [`${chain}: it was erased, and the end of its chain is gone`];
    const isSame = own.number === number && own.hash === hash;
    return isSame ? [] : [`${chain}: it was erased, and the end of its chain is not what was noted then`];
  });
}

export function renderVerdict({ chains, erased, faults }: Verdict): string {
  const rows = chains.map(({ tenantId, entries, first, last, hash }) => [
    tenantId,
    entries,
    first === null || last === null ? 'none' : `${first}..${last}`,
    hash,
  ]);
  const gone = erased
    .filter(({ sealed }) => sealed)
    .map(({ chain, number, hash }) => [chain, 0, `erased at ${number}`, hash]);
  const table = textTable(['tenant', 'entries', 'numbers', 'hash of the last'], [...rows, ...gone]);
  const total = chains.reduce((sum, { entries }) => sum + entries, 0);
  if (faults.length === 0) return `${table}\n\nThe audit is whole: ${total} entries in ${chains.length} chains.`;
  return `${table}\n\nThe audit is NOT as it was written:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`;
}
