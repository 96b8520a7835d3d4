import { AuditPurged, TenantErased } from '../../src/shared/access/events.ts';
import type { AuditEntryRow } from '../../src/shared/audit/audit-entry.table.ts';
import { entryHash, genesisHash } from '../../src/shared/audit/entry-hash.ts';
import type { AuditDatabase, RepeatedEvent, StoredChain } from './audit-database.ts';

/** Faults of one chain that are told; one is enough, but where they are tells what happened. */
const FAULTS_MAX = 10;

/** What was found of one chain. */
export interface ChainVerdict {
  readonly tenantId: string;
  /** Entries that were looked at. */
  readonly entries: number;
  /** The first and the last that there are; null: there is none. */
  readonly first: number | null;
  readonly last: number | null;
  /** What the chain ends with: to be noted elsewhere, where nobody who can change the database can change it. */
  readonly hash: string;
  /** Sentences; none: the chain is whole. */
  readonly faults: readonly string[];
  /** What the chain of no tenant says of tenants that were erased. */
  readonly erased: ReadonlyMap<string, { readonly number: number; readonly hash: string }>;
}

/** What is known of a chain besides its entries. */
export interface ChainBounds {
  readonly tenantId: string;
  /** Where it ends, and begins; undefined: that is not stored. */
  readonly chain: StoredChain | undefined;
  /** Of the same id, where the chain of a tenant ended that was erased. */
  readonly erased: StoredChain | undefined;
  /** Through which position of the log its entries are written. */
  readonly place: number;
}

/** Goes through the chain of one tenant, from where it begins to where it ends, in bounded memory. */
export async function verifyChain(
  database: AuditDatabase,
  bounds: ChainBounds,
  audited: ReadonlySet<string>,
): Promise<ChainVerdict> {
  const { tenantId, place } = bounds;
  const run = new ChainRun(bounds);
  let events: LogSide | undefined;
  for await (const entry of database.entries(tenantId)) {
    // What was there before the first entry was never to be in the audit, or is kept no longer.
    events ??= new LogSide(database.events(tenantId, entry.position - 1, place), audited);
    for (const missing of await events.before(entry.position)) run.missing(missing, `before number ${entry.number}`);
    run.next(entry);
    run.compare(entry, await events.at(entry.position));
  }
  for (const missing of (await events?.before(Infinity)) ?? []) run.missing(missing, 'at the end');
  return run.end(await purgesToCome(database, tenantId, place));
}

/** A purge is told by an event, which is an entry soon after it. */
async function purgesToCome(database: AuditDatabase, tenantId: string, place: number): Promise<string[]> {
  const found: string[] = [];
  for await (const { action, data } of database.events(tenantId, place, Number.MAX_SAFE_INTEGER)) {
    if (action === AuditPurged.type) found.push(data);
  }
  return found;
}

/** The events of the log beside the entries that repeat them, in step. */
class LogSide {
  private readonly events: AsyncIterator<RepeatedEvent>;
  private next: RepeatedEvent | null | undefined;

  constructor(
    events: AsyncIterable<RepeatedEvent>,
    private readonly audited: ReadonlySet<string>,
  ) {
    this.events = events[Symbol.asyncIterator]();
  }

  /** Those before a position that have no entry, although they should. */
  async before(position: number): Promise<RepeatedEvent[]> {
    const found: RepeatedEvent[] = [];
    for (let event = await this.peek(); event !== null && event.position < position; event = await this.peek()) {
      if (this.audited.has(event.action) && found.length < FAULTS_MAX) found.push(event);
      this.next = undefined;
    }
    return found;
  }

  async at(position: number): Promise<RepeatedEvent | null> {
    const event = await this.peek();
    if (event?.position !== position) return null;
    this.next = undefined;
    return event;
  }

  private async peek(): Promise<RepeatedEvent | null> {
    if (this.next === undefined) {
      const result: IteratorResult<RepeatedEvent, unknown> = await this.events.next();
      this.next = result.done === true ? null : result.value;
    }
    return this.next;
  }
}

/** One chain, entry by entry. */
class ChainRun {
  private readonly faults: string[] = [];
  private readonly erased = new Map<string, { number: number; hash: string }>();
  private readonly purges: string[] = [];
  private entries = 0;
  private first: number | null = null;
  private previous: { readonly number: number; readonly hash: string };

  constructor(private readonly bounds: ChainBounds) {
    const { tenantId, chain } = bounds;
    const genesis = { number: 0, hash: genesisHash(tenantId) };
    this.previous = chain === undefined ? genesis : { number: chain.purgedNumber, hash: chain.purgedHash };
    if (chain?.purgedNumber === 0 && chain.purgedHash !== genesis.hash) this.tell('its beginning was changed');
  }

  next(entry: AuditEntryRow): void {
    const { number, hash, action, data } = entry;
    this.entries += 1;
    this.first ??= number;
    const { previous } = this;
    if (number <= previous.number)
      this.tell(`number ${number} should be gone: everything through ${previous.number} is`);
    else if (number > previous.number + 1) this.tell(`${numbers(previous.number + 1, number - 1)} missing`);
    else if (entryHash(this.bounds.tenantId, entry, previous.hash) !== hash) {
      this.tell(`number ${number} was changed, or is not what followed number ${previous.number}`);
    }
    if (action === AuditPurged.type) this.purges.push(data);
    if (this.purges.length > 1) this.purges.shift();
    if (this.bounds.tenantId === '*' && action === TenantErased.type) this.remember(data);
    this.previous = { number, hash };
  }

  /** @param event null: it is not in the log any more */
  compare(entry: AuditEntryRow, event: RepeatedEvent | null): void {
    if (event === null) return;
    const different = Object.entries(event).filter(([name, value]) => entry[name as keyof AuditEntryRow] !== value);
    if (different.length === 0) return;
    const names = different.map(([name]) => name).join(', ');
    this.tell(`number ${entry.number} says something else than event ${event.eventId} of the log: ${names}`);
  }

  missing({ eventId, position, action }: RepeatedEvent, where: string): void {
    this.tell(`event ${eventId} (${action}, position ${position}) has no entry ${where}`);
  }

  /** @param purgesToCome of the log, not yet of the chain */
  end(purgesToCome: readonly string[]): ChainVerdict {
    const { bounds, previous, entries, first, faults, erased } = this;
    const { tenantId, chain } = bounds;
    if (chain === undefined) this.tell('nothing says where this chain ends');
    else this.compareEnds(chain, [...this.purges, ...purgesToCome]);
    const last = entries === 0 ? null : previous.number;
    return { tenantId, entries, first, last, hash: previous.hash, faults, erased };
  }

  private compareEnds(chain: StoredChain, purges: readonly string[]): void {
    const { number, hash } = this.previous;
    if (number < chain.number) this.tell(`${numbers(number + 1, chain.number)} missing at the end`);
    else if (number > chain.number) this.tell(`${numbers(chain.number + 1, number)} added behind the end`);
    else if (hash !== chain.hash) this.tell(`number ${number} is not what the chain ends with`);
    const { purgedNumber, purgedHash } = chain;
    const isBeginning = (one: Pick<StoredChain, 'number' | 'hash'>): boolean =>
      one.number === purgedNumber && one.hash === purgedHash;
    const { erased } = this.bounds;
    const told = purges.map((data) => JSON.parse(data) as { number: number; hash: string });
    if (purgedNumber === 0 || told.some(isBeginning) || (erased !== undefined && isBeginning(erased))) return;
    this.tell(`${numbers(1, purgedNumber)} gone, and nothing tells that they were purged`);
  }

  private remember(data: string): void {
    const { tenantId, auditNumber, auditHash } = JSON.parse(data) as Record<string, unknown>;
    this.erased.set(String(tenantId), { number: Number(auditNumber), hash: String(auditHash) });
  }

  private tell(fault: string): void {
    if (this.faults.length < FAULTS_MAX) this.faults.push(fault);
  }
}

function numbers(from: number, to: number): string {
  return from === to ? `number ${from} is` : `numbers ${from} to ${to} are`;
}
