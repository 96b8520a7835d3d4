import { TOLD_BY_THE_MODEL } from './told-events.ts';
import type { Balances } from '../../src/modules/inventory/contract.ts';
import type { ReservationLine } from '../../src/modules/reservation/contract.ts';
import { Disagreement } from './explain.ts';

/*
 * Rules 1 and 2 on the stored rows themselves, without the model: ledger, balances, lines and the log tell one story.
 */

interface ItemRow {
  readonly sku: string;
  readonly locationId: string;
  readonly onHand: number;
  readonly held: number;
  readonly committed: number;
  readonly incoming: number;
  readonly safetyStock: number;
  readonly version: number;
}

interface TransferRow {
  readonly id: string;
  readonly sku: string;
  readonly fromLocationId: string;
  readonly toLocationId: string;
  readonly quantity: number;
  readonly received: number | null;
  readonly status: string;
  readonly version: number;
}

interface MovementRow {
  readonly sku: string;
  readonly locationId: string;
  readonly itemVersion: number;
  readonly movementId: string;
  readonly type: string;
  readonly delta: number;
  readonly onHandAfter: number;
  readonly reference: string | null;
}

interface ReservationRow {
  readonly id: string;
  readonly status: string;
  readonly lines: string;
  readonly version: number;
}

interface EventRow {
  readonly position: number;
  readonly type: string;
  readonly subject: string;
  readonly subjectVersion: number;
  readonly payload: string;
  /** The store that reported it; null: the centre. */
  readonly origin: string | null;
}

interface StockPayload {
  readonly stock: Balances;
  readonly movementId?: string;
  readonly movementType?: string;
  readonly reference?: string | null;
  readonly delta?: number;
  readonly units?: number;
  readonly from?: string;
  readonly cause?: string;
  readonly holdId?: string;
}

const PLACE = 'sku AS "sku", location_id AS "locationId"';
const ITEMS = `SELECT ${PLACE}, on_hand AS "onHand", held AS "held", committed AS "committed", incoming AS "incoming",
  safety_stock AS "safetyStock", version AS "version" FROM stock_items WHERE tenant_id = :tenant`;
const MOVEMENTS = `SELECT ${PLACE}, item_version AS "itemVersion", movement_id AS "movementId", type AS "type",
  delta AS "delta", on_hand_after AS "onHandAfter", reference AS "reference" FROM movements WHERE tenant_id = :tenant ORDER BY sku, location_id, item_version`;
const TRANSFERS = `SELECT id AS "id", sku AS "sku", from_location_id AS "fromLocationId",
  to_location_id AS "toLocationId", quantity AS "quantity", received AS "received", status AS "status",
  version AS "version" FROM transfers WHERE tenant_id = :tenant`;
const RESERVATIONS =
  'SELECT id AS "id", status AS "status", lines AS "lines", version AS "version" FROM reservations WHERE tenant_id = :tenant';
const EVENTS = `SELECT position AS "position", type AS "type", subject AS "subject", subject_version AS "subjectVersion",
  payload AS "payload", origin AS "origin" FROM outbox_events WHERE tenant_id = :tenant AND ${TOLD_BY_THE_MODEL} ORDER BY position`;

/** Reads rows as they are stored; the SQL names `:tenant`. */
export interface Rows {
  select<Row>(tenantId: string, sql: string): Promise<Row[]>;
}

/** @throws Disagreement naming the first thing that does not hold */
export async function auditTenant(shop: Rows, tenantId: string): Promise<void> {
  const items = await shop.select<ItemRow>(tenantId, ITEMS);
  const movements = await shop.select<MovementRow>(tenantId, MOVEMENTS);
  const transfers = await shop.select<TransferRow>(tenantId, TRANSFERS);
  const reservations = await shop.select<ReservationRow>(tenantId, RESERVATIONS);
  const events = await shop.select<EventRow>(tenantId, EVENTS);
  const ofSubject = (subject: string): EventRow[] => events.filter((event) => event.subject === subject);

  for (const { id, version } of reservations)
    auditVersions(`reservation/${id}`, version, ofSubject(`reservation/${id}`));
  for (const { id, version } of transfers) auditVersions(`transfer/${id}`, version, ofSubject(`transfer/${id}`));
  for (const item of items) {
    const subject = `stock/${item.sku}/${item.locationId}`;
    const isHere = (row: { sku: string; locationId: string }): boolean =>
      row.sku === item.sku && row.locationId === item.locationId;
    auditVersions(subject, item.version, ofSubject(subject));
    const log = ofSubject(subject).map((event) => ({ ...event, ...(JSON.parse(event.payload) as StockPayload) }));
    auditLedger(subject, item, movements.filter(isHere), log);
    auditPromises(subject, item, reservations, log);
    auditIncoming(subject, item, transfers);
    auditBalances(subject, item, transfers, log);
  }
  transfers.forEach((transfer) => {
    auditTransfer(transfer, movements);
  });
  auditSums(items, movements, transfers);
  const subjects = new Set(events.map(({ subject }) => subject));
  const products = new Set(events.filter(({ type }) => type === 'inventory.product.created').map((one) => one.subject));
  const stored = items.length + reservations.length + transfers.length + products.size;
  check(subjects.size === stored, 'every subject of the log is stored, and the reverse');
}

function check(holds: boolean, rule: string): void {
  if (!holds) throw new Disagreement(`In the database it does not hold that ${rule}`);
}

/** From 1 to the stored version without a hole; alarms share the version of the change that set them off. */
function auditVersions(subject: string, version: number, log: readonly EventRow[]): void {
  let last = 0;
  log.forEach(({ type, subjectVersion }, index) => {
    const isAlarm = type.endsWith('.oversold') || type.endsWith('.low');
    check(subjectVersion === last + (isAlarm ? 0 : 1), `${subject} has event ${index + 1} at version ${last + 1}`);
    last = subjectVersion;
  });
  check(last === version, `${subject} has its last event at its version ${version}`);
}

type StockEvent = EventRow & StockPayload;

/** Rule 2: on-hand is the sum of the movements, each of which has its event. */
function auditLedger(name: string, item: ItemRow, ledger: readonly MovementRow[], log: readonly StockEvent[]): void {
  let onHand = 0;
  for (const { delta, onHandAfter } of ledger) {
    onHand += delta;
    check(onHand === onHandAfter, `each movement of ${name} continues the one before`);
  }
  check(onHand === item.onHand, `on-hand of ${name} is the sum of its movements`);
  const entries = ledger.map(({ movementId, itemVersion, delta }) => `${movementId} ${itemVersion} ${delta}`);
  const moved = log.filter(({ type }) => type === 'inventory.stock.moved');
  const published = moved.map(({ movementId, subjectVersion, delta }) => `${movementId} ${subjectVersion} ${delta}`);
  check(entries.join() === published.join(), `the ledger of ${name} is what was published`);
}

/** Rule 2: held and committed are the sums over the lines that have them. */
function auditPromises(name: string, item: ItemRow, all: readonly ReservationRow[], log: readonly StockEvent[]): void {
  const promised = { ACTIVE: 0, CONFIRMED: 0 };
  for (const { id, status, lines } of all) {
    if (status !== 'ACTIVE' && status !== 'CONFIRMED') continue;
    // A reservation that is over stays stored as ACTIVE for a while after another command has taken its units.
    const wasTaken = log.some(({ cause, holdId }) => cause === 'EXPIRED' && holdId === id);
    if (wasTaken) continue;
    const allocations = (JSON.parse(lines) as ReservationLine[])
      .filter(({ sku }) => sku === item.sku)
      .flatMap((line) => line.allocations)
      .filter(({ locationId, fulfilled }) => locationId === item.locationId && !fulfilled);
    promised[status] += allocations.reduce((sum, { quantity }) => sum + quantity, 0);
  }
  check(promised.ACTIVE === item.held, `held of ${name} is the sum over ACTIVE lines`);
  check(promised.CONFIRMED === item.committed, `committed of ${name} is the sum over CONFIRMED lines`);
}

/** Incoming is what transfers have on their way to the item. */
function auditIncoming(name: string, { sku, locationId, incoming }: ItemRow, transfers: readonly TransferRow[]): void {
  const coming = transfers.filter(
    (one) => one.status === 'IN_TRANSIT' && one.sku === sku && one.toLocationId === locationId,
  );
  check(unitsOf(coming) === incoming, `incoming of ${name} is the sum over transfers IN_TRANSIT to it`);
}

/** The movements of a transfer are those that its status tells, at the places that it names. */
function auditTransfer(transfer: TransferRow, movements: readonly MovementRow[]): void {
  const { id, fromLocationId, toLocationId, quantity, received, status } = transfer;
  const missing = status === 'RECEIVED' ? quantity - (received ?? 0) : 0;
  const expected = [
    `TRANSFER_OUT ${-quantity} ${fromLocationId}`,
    ...(status === 'CANCELLED' ? [`TRANSFER_IN ${quantity} ${fromLocationId}`] : []),
    ...(status === 'RECEIVED' ? [`TRANSFER_IN ${quantity} ${toLocationId}`] : []),
    ...(missing > 0 ? [`WRITE_OFF ${-missing} ${toLocationId}`] : []),
  ];
  const moved = movements
    .filter(({ reference, sku }) => reference === id && sku === transfer.sku)
    .map(({ type, delta, locationId }) => `${type} ${delta} ${locationId}`);
  check(expected.sort().join() === moved.sort().join(), `transfer ${id}, ${status}, has moved ${moved.join()}`);
}

/** Over all locations, on-hand and units in transit of a sku together change only by what is no transfer. */
function auditSums(
  items: readonly ItemRow[],
  movements: readonly MovementRow[],
  transfers: readonly TransferRow[],
): void {
  for (const sku of new Set(items.map((item) => item.sku))) {
    const isOfSku = (row: { sku: string }): boolean => row.sku === sku;
    const onHand = items.filter(isOfSku).reduce((sum, item) => sum + item.onHand, 0);
    const inTransit = unitsOf(transfers.filter((one) => isOfSku(one) && one.status === 'IN_TRANSIT'));
    const came = movements
      .filter((one) => isOfSku(one) && one.type !== 'TRANSFER_OUT' && one.type !== 'TRANSFER_IN')
      .reduce((sum, { delta }) => sum + delta, 0);
    check(onHand + inTransit === came, `no unit of ${sku} is made or lost between two locations`);
  }
}

function unitsOf(transfers: readonly TransferRow[]): number {
  return transfers.reduce((sum, { quantity }) => sum + quantity, 0);
}

/** Each event leads from the balances before to those that it tells, and only a fact sells what is not there (rule 1). */
function auditBalances(
  name: string,
  item: ItemRow,
  transfers: readonly TransferRow[],
  log: readonly StockEvent[],
): void {
  const comingHere = new Set(transfers.filter((one) => one.toLocationId === item.locationId).map(({ id }) => id));
  let balances = { onHand: 0, held: 0, committed: 0, incoming: 0, safetyStock: 0 };
  let lastMovement: string | undefined;
  for (const event of log) {
    const { onHand, held, committed, incoming, safetyStock, available } = event.stock;
    const kind = event.type.replace('inventory.stock.', '');
    const arrived = event.movementType === 'TRANSFER_IN' && comingHere.has(event.reference ?? '');
    balances = follow(balances, event, kind, safetyStock, arrived);
    if (kind === 'moved') lastMovement = event.movementType;
    if (kind === 'oversold') {
      check(lastMovement === 'COUNT' || event.origin !== null, `only a fact has oversold ${name}`);
    }
    const told = [onHand, held, committed, incoming, safetyStock].join();
    const followed = Object.values(balances).join();
    check(told === followed, `version ${event.subjectVersion} of ${name} follows from its events`);
    check(available === onHand - held - committed - safetyStock, `available of ${name} is what is left`);
  }
  const stored = [item.onHand, item.held, item.committed, item.incoming, item.safetyStock].join();
  check(stored === Object.values(balances).join(), `the last event of ${name} tells its row`);
}

function follow<B extends Omit<Balances, 'available'>>(
  before: B,
  { delta = 0, units = 0, from, movementType }: StockEvent,
  kind: string,
  safetyStock: number,
  arrived: boolean,
): B {
  const { onHand, held, committed, incoming } = before;
  switch (kind) {
    case 'moved':
      return {
        ...before,
        onHand: onHand + delta,
        committed: movementType === 'FULFILMENT' ? committed + delta : committed,
        incoming: arrived ? incoming - delta : incoming,
      };
    case 'held':
      return { ...before, held: held + units };
    case 'released':
      return from === 'HELD' ? { ...before, held: held - units } : { ...before, committed: committed - units };
    case 'committed':
      return { ...before, held: held - units, committed: committed + units };
    case 'incoming-changed':
      return { ...before, incoming: incoming + delta };
    case 'policy-changed':
      return { ...before, safetyStock };
    default:
      return before;
  }
}
