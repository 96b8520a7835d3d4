import { isDeepStrictEqual } from 'node:util';
import { auditTenant } from '../model/audit.ts';
import { Disagreement, type Seen, show } from '../model/explain.ts';
import { explainTogether } from '../model/explain-together.ts';
import type { Isolation, TracedEvent } from '../model/observed.ts';
import { balancesOf, emptyWorld, type Kept, type World } from '../model/world.ts';
import type { Instant } from '../../src/shared/kernel/clock.ts';
import { TOLD_BY_THE_MODEL } from '../model/told-events.ts';
import type { DatabaseFile } from '../world/database.ts';
import { TENANT } from '../world/server.ts';

const LOG = `SELECT position AS "position", type AS "type", version AS "version", subject AS "subject",
    subject_version AS "subjectVersion", location_id AS "locationId", payload AS "payload", occurred_at AS "occurredAt",
    correlation_id AS "correlationId", causation_id AS "causationId", origin AS "origin"
  FROM outbox_events WHERE tenant_id = :tenant AND position > :after AND ${TOLD_BY_THE_MODEL} ORDER BY position`;
const KEY = `SELECT created_at AS "createdAt", body AS "body" FROM idempotency_keys
  WHERE tenant_id = :tenant AND client_id = 'default' AND key = :key`;
const ITEMS = `SELECT sku || ' ' || location_id AS "name", on_hand AS "onHand", held AS "held", committed AS "committed",
    incoming AS "incoming", safety_stock AS "safetyStock", version AS "version" FROM stock_items WHERE tenant_id = :tenant`;
const HOLDS = `SELECT hold_id || ' ' || sku || ' ' || location_id AS "name", units AS "units", state AS "state",
    CASE state WHEN 'HELD' THEN expires_at END AS "expiresAt" FROM holds WHERE tenant_id = :tenant`;
const RESERVATIONS = `SELECT id AS "id", status AS "status", lines AS "lines", cart_id AS "cartId", order_id AS "orderId",
    ttl_seconds AS "ttlSeconds", expires_at AS "expiresAt", lifetime_ends_at AS "lifetimeEndsAt", created_at AS "createdAt",
    updated_at AS "updatedAt", version AS "version" FROM reservations WHERE tenant_id = :tenant`;
const TRANSFERS = `SELECT id AS "id", quantity AS "quantity", received AS "received", status AS "status",
    version AS "version" FROM transfers WHERE tenant_id = :tenant`;

interface Named {
  readonly name: string;
}

/** What has happened so far, by the log and by the model, and whether the two are the same. */
export class Record {
  world: World = emptyWorld();
  readonly log: TracedEvent[] = [];
  private readonly published = new Map<string, string>();
  private publishedUpTo = 0;

  constructor(
    private readonly database: DatabaseFile,
    private readonly isolation: Isolation,
  ) {}

  /** Of these types, the versions of each subject in the order of the log, each with a space behind it. */
  publishedTo(types: ReadonlySet<string>): ReadonlyMap<string, string> {
    for (; this.publishedUpTo < this.log.length; this.publishedUpTo += 1) {
      const { type, subject, subjectVersion } = this.log[this.publishedUpTo] as TracedEvent;
      if (types.has(type)) this.published.set(subject, `${this.published.get(subject) ?? ''}${subjectVersion} `);
    }
    return this.published;
  }

  get head(): number {
    return this.log.at(-1)?.position ?? 0;
  }

  /**
   * Goes on to what is committed now.
   * @param seen of the requests since, in the order in which they were answered
   * @returns what is new in the log
   * @throws Disagreement when the model has no explanation for it, or the rows are not as it says
   */
  goOn(seen: readonly Seen[], at: Instant): readonly TracedEvent[] {
    const fresh = this.newEvents();
    this.world = explainTogether(this.world, seen, fresh, at, (one) => this.keptFor(one, at), this.isolation);
    this.log.push(...fresh);
    if (fresh.length > 0 || seen.length > 0) this.compareRows();
    return fresh;
  }

  /** The rules of DESIGN section 3 on the rows and the log themselves, without the model. */
  audit(): Promise<void> {
    return auditTenant({ select: (tenantId, sql) => Promise.resolve(this.database.rows(tenantId, sql)) }, TENANT);
  }

  private newEvents(): TracedEvent[] {
    const rows = this.database.rows<TracedEvent & { payload: string }>(TENANT, LOG, { after: this.head });
    return rows.map(({ payload, ...event }) => ({ ...event, data: JSON.parse(payload) as TracedEvent['data'] }));
  }

  /** Of a request that was not answered, what its key tells. */
  private keptFor({ sent, outcome }: Seen, at: Instant): object | undefined {
    if (sent.key === null || outcome.kind !== 'unavailable') return undefined;
    const [stored] = this.database.rows<{ createdAt: Instant; body: string }>(TENANT, KEY, { key: sent.key });
    return stored?.createdAt === at ? (JSON.parse(stored.body) as object) : undefined;
  }

  private compareRows(): void {
    const { items, holds, reservations, transfers } = this.world;
    this.same(
      'stock item',
      [...items].map(([name, item]) => {
        const { available: _available, ...balances } = balancesOf(this.world, item);
        return { name, ...balances, version: item.version };
      }),
      this.rows(ITEMS),
    );
    this.same(
      'hold',
      [...holds].map(([name, { units, state, expiresAt }]) => ({
        name,
        units,
        state,
        expiresAt: state === 'HELD' ? expiresAt : null,
      })),
      this.rows(HOLDS),
    );
    const stored = this.rows<Kept & { lines: string }>(RESERVATIONS);
    this.same(
      'reservation',
      [...reservations.values()].map((kept) => ({ name: kept.id, ...kept })),
      stored.map((row) => ({ name: row.id, ...row, lines: JSON.parse(row.lines) as unknown })),
    );
    this.same(
      'transfer',
      [...transfers.values()].map(({ id, quantity, received, status, version }) => ({
        name: id,
        ...{ id, quantity, received, status, version },
      })),
      this.rows<{ id: string }>(TRANSFERS).map((row) => ({ name: row.id, ...row })),
    );
  }

  private rows<Row>(sql: string): Row[] {
    return this.database.rows<Row>(TENANT, sql);
  }

  private same(kind: string, wanted: readonly Named[], there: readonly object[]): void {
    const stored = new Map((there as Named[]).map((one) => [one.name, one]));
    for (const one of wanted) {
      const found = stored.get(one.name);
      stored.delete(one.name);
      if (!isDeepStrictEqual(plain(one), found === undefined ? undefined : plain(found))) {
        throw new Disagreement(`The ${kind} ${one.name} has to be\n${show(one)}\nbut is stored as\n${show(found)}`);
      }
    }
    const [more] = stored.values();
    if (more !== undefined) throw new Disagreement(`There is a ${kind} that nobody made: ${show(more)}`);
  }
}

function plain(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}
