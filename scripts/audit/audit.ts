import type { Snapshot } from './snapshot.ts';

/*
 * Rules 1, 2 and 3 of DESIGN section 3 and the shape of the log, asked of the rows themselves: each query gives what
 * breaks a rule. They hold for every tenant, whatever was done, as long as nothing was purged.
 */

/** A rule, and the rows that break it, as `name` and what is seen. */
interface Rule {
  readonly rule: string;
  readonly broken: string;
}

const ITEM = `i.tenant_id || '/' || i.sku || '@' || i.location_id`;
const OF_ITEM = 'm.tenant_id = i.tenant_id AND m.sku = i.sku AND m.location_id = i.location_id';
const ALARMS = `e.type NOT IN ('inventory.stock.oversold', 'inventory.stock.low')`;

/** Each thing that has a version, and its name in the log. */
const VERSIONED = `SELECT tenant_id, 'stock/' || sku || '/' || location_id AS subject, version FROM stock_items
  UNION ALL SELECT tenant_id, 'reservation/' || id, version FROM reservations
  UNION ALL SELECT tenant_id, 'transfer/' || id, version FROM transfers`;

export const LEDGER_RULE: Rule = {
  rule: 'on-hand is the sum of the movements',
  broken: `SELECT ${ITEM} AS "name", i.on_hand || ' on hand, ledger ' || COALESCE(m.delta, 0) AS "seen"
    FROM stock_items AS i LEFT JOIN (SELECT tenant_id, sku, location_id, SUM(delta) AS delta FROM movements
      GROUP BY tenant_id, sku, location_id) AS m ON ${OF_ITEM} WHERE i.on_hand <> COALESCE(m.delta, 0)`,
};

export const HOLDS_RULE: Rule = {
  rule: 'held and committed are the sums over the holds',
  broken: `SELECT ${ITEM} AS "name", i.held || ' held, ' || i.committed || ' committed, holds ' || COALESCE(h.held, 0)
      || ' and ' || COALESCE(h.committed, 0) AS "seen"
    FROM stock_items AS i LEFT JOIN (SELECT tenant_id, sku, location_id,
        SUM(CASE WHEN state = 'HELD' THEN units ELSE 0 END) AS held,
        SUM(CASE WHEN state = 'COMMITTED' THEN units ELSE 0 END) AS committed
      FROM holds GROUP BY tenant_id, sku, location_id) AS h
      ON h.tenant_id = i.tenant_id AND h.sku = i.sku AND h.location_id = i.location_id
    WHERE i.held <> COALESCE(h.held, 0) OR i.committed <> COALESCE(h.committed, 0)`,
};

const RULES: readonly Rule[] = [
  LEDGER_RULE,
  {
    rule: 'each movement continues the one before, and belongs to a stock item',
    broken: `SELECT m.movement_id AS "name", m.on_hand_after || ' instead of ' || m.sum AS "seen" FROM (
        SELECT m.*, SUM(m.delta) OVER (PARTITION BY m.tenant_id, m.sku, m.location_id ORDER BY m.item_version) AS sum
        FROM movements AS m) AS m LEFT JOIN stock_items AS i ON ${OF_ITEM} WHERE m.on_hand_after <> m.sum OR i.sku IS NULL`,
  },
  {
    rule: 'no movement is listed twice',
    broken: `SELECT movement_id AS "name", COUNT(*) || ' times' AS "seen" FROM movements
      GROUP BY tenant_id, movement_id HAVING COUNT(*) > 1`,
  },
  HOLDS_RULE,
  {
    rule: 'nothing is negative, and only a fact oversells',
    broken: `SELECT ${ITEM} AS "name", i.on_hand || ' on hand, ' || i.held || ' held, ' || i.committed || ' committed' AS "seen"
      FROM stock_items AS i WHERE i.held < 0 OR i.committed < 0 OR i.incoming < 0 OR i.safety_stock < 0
        OR (i.on_hand < i.held + i.committed AND NOT EXISTS (SELECT 1 FROM movements AS m WHERE ${OF_ITEM}
          AND (m.type = 'COUNT' OR m.origin IS NOT NULL)))`,
  },
  {
    rule: 'incoming is the sum over the transfers in transit',
    broken: `SELECT ${ITEM} AS "name", i.incoming || ' incoming, in transit ' || COALESCE(t.units, 0) AS "seen"
      FROM stock_items AS i LEFT JOIN (SELECT tenant_id, sku, to_location_id, SUM(quantity) AS units FROM transfers
        WHERE status = 'IN_TRANSIT' GROUP BY tenant_id, sku, to_location_id) AS t
        ON t.tenant_id = i.tenant_id AND t.sku = i.sku AND t.to_location_id = i.location_id
      WHERE i.incoming <> COALESCE(t.units, 0)`,
  },
  {
    rule: 'a transfer has moved what its status tells',
    broken: `SELECT t.id AS "name", t.status || ' of ' || t.quantity || ', moved ' || COALESCE(m.out, 0) || ', '
        || COALESCE(m.came, 0) || ', ' || COALESCE(m.missing, 0) AS "seen"
      FROM transfers AS t LEFT JOIN (SELECT tenant_id, reference,
          SUM(CASE WHEN type = 'TRANSFER_OUT' THEN delta ELSE 0 END) AS out,
          SUM(CASE WHEN type = 'TRANSFER_IN' THEN delta ELSE 0 END) AS came,
          SUM(CASE WHEN type = 'WRITE_OFF' THEN delta ELSE 0 END) AS missing
        FROM movements WHERE reference IS NOT NULL GROUP BY tenant_id, reference) AS m
        ON m.tenant_id = t.tenant_id AND m.reference = t.id
      WHERE COALESCE(m.out, 0) <> -t.quantity
        OR COALESCE(m.came, 0) <> CASE WHEN t.status = 'IN_TRANSIT' THEN 0 ELSE t.quantity END
        OR COALESCE(m.missing, 0) <> CASE WHEN t.status = 'RECEIVED' THEN COALESCE(t.received, 0) - t.quantity ELSE 0 END`,
  },
  {
    rule: 'the log has each version of its subjects once',
    broken: `SELECT v.subject AS "name", 'version ' || v.version || ', in the log ' || COALESCE(e.events, 0) || ' from '
        || COALESCE(e.first, 0) || ' to ' || COALESCE(e.last, 0) AS "seen"
      FROM (${VERSIONED}) AS v LEFT JOIN (SELECT e.tenant_id, e.subject, COUNT(*) AS events,
          MIN(e.subject_version) AS first, MAX(e.subject_version) AS last, COUNT(DISTINCT e.subject_version) AS versions
        FROM outbox_events AS e WHERE ${ALARMS} GROUP BY e.tenant_id, e.subject) AS e
        ON e.tenant_id = v.tenant_id AND e.subject = v.subject
      WHERE COALESCE(e.first, 0) <> 1 OR e.last <> v.version OR e.events <> v.version OR e.versions <> v.version`,
  },
  {
    rule: 'the log has the versions of a subject in order, and no event twice',
    broken: `SELECT e.subject AS "name", 'position ' || e.position || ' has version ' || e.subject_version AS "seen" FROM (
        SELECT e.*, LAG(e.subject_version) OVER (PARTITION BY e.tenant_id, e.subject ORDER BY e.position) AS before
        FROM outbox_events AS e) AS e WHERE e.before > e.subject_version
      UNION ALL SELECT event_id, COUNT(*) || ' times' FROM outbox_events GROUP BY event_id HAVING COUNT(*) > 1`,
  },
  {
    rule: 'the ledger is what was published',
    broken: `SELECT name AS "name", 'version ' || version || ' is not in both' AS "seen" FROM (
        SELECT tenant_id || '/stock/' || sku || '/' || location_id AS name, item_version AS version, 1 AS side
          FROM movements
        UNION ALL SELECT tenant_id || '/' || subject, subject_version, 2 FROM outbox_events
          WHERE type = 'inventory.stock.moved') AS told
      GROUP BY name, version HAVING COUNT(*) <> 2 OR SUM(side) <> 3`,
  },
];

interface OpenReservation {
  readonly name: string;
  readonly status: 'ACTIVE' | 'CONFIRMED';
  readonly lines: string;
  readonly expiresAt: number;
}

interface Line {
  readonly sku: string;
  readonly quantity: number;
  readonly allocations: readonly { locationId: string; quantity: number; fulfilled: boolean }[];
}

const OPEN_RESERVATIONS = `SELECT tenant_id || '/' || id AS "name", status AS "status", lines AS "lines",
  expires_at AS "expiresAt" FROM reservations WHERE status IN ('ACTIVE', 'CONFIRMED')`;
const HOLDS = `SELECT tenant_id || '/' || hold_id AS "name", state AS "state", sku AS "sku",
  location_id AS "locationId", units AS "units" FROM holds`;

/** @param now epoch milliseconds of the server's clock: a hold that is over may be gone before its reservation is */
export async function brokenRules(snapshot: Snapshot, now: number): Promise<string[]> {
  const broken: string[] = [];
  for (const { rule, broken: sql } of RULES) {
    const rows = await snapshot.rows<{ name: string; seen: string }>(sql);
    broken.push(...rows.map(({ name, seen }) => `${rule}, but ${name}: ${seen}`));
  }
  return [...broken, ...(await brokenPromises(snapshot, now))];
}

/** The holds are what the lines of open reservations say, and the lines add up. */
async function brokenPromises(snapshot: Snapshot, now: number): Promise<string[]> {
  const holds = new Map<string, string[]>();
  for (const { name, state, sku, locationId, units } of await snapshot.rows<{
    name: string;
    state: string;
    sku: string;
    locationId: string;
    units: number;
  }>(HOLDS)) {
    holds.set(name, [...(holds.get(name) ?? []), `${state} ${units} ${sku}@${locationId}`]);
  }
  const broken: string[] = [];
  for (const reservation of await snapshot.rows<OpenReservation>(OPEN_RESERVATIONS)) {
    const { name, status, expiresAt } = reservation;
    const found = (holds.get(name) ?? []).sort().join();
    holds.delete(name);
    // Its units may have gone to a command that was short of them, or some of them.
    if (status === 'ACTIVE' && expiresAt <= now) continue;
    const expected = promisesOf(reservation);
    if (found !== expected)
      broken.push(`the holds are what the lines say, but ${name}: ${found} instead of ${expected}`);
    if (linesOf(reservation).some((line) => unitsOf(line) !== line.quantity)) {
      broken.push(`the allocations of a line add up to it, but not in ${name}`);
    }
  }
  return [...broken, ...[...holds.keys()].map((name) => `each hold has an open reservation, but ${name} has none`)];
}

function promisesOf(reservation: OpenReservation): string {
  const state = reservation.status === 'ACTIVE' ? 'HELD' : 'COMMITTED';
  const units = new Map<string, number>();
  for (const { sku, allocations } of linesOf(reservation)) {
    for (const { locationId, quantity, fulfilled } of allocations) {
      const place = `${sku}@${locationId}`;
      if (!fulfilled) units.set(place, (units.get(place) ?? 0) + quantity);
    }
  }
  return [...units]
    .map(([place, quantity]) => `${state} ${quantity} ${place}`)
    .sort()
    .join();
}

function linesOf({ lines }: OpenReservation): readonly Line[] {
  return JSON.parse(lines) as Line[];
}

function unitsOf({ allocations }: Line): number {
  return allocations.reduce((sum, { quantity }) => sum + quantity, 0);
}
