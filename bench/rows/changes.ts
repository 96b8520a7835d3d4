import { asAdmin, CONNECTIONS, measure, type Round, type Target, warmUp, type Workload } from '../load.ts';
import { onSqlite } from '../on-sqlite.ts';
import type { BenchOptions, Row, RowResult } from '../row.ts';
import { LOCATION, SKUS, skuOf, spreadReservations } from '../stock.ts';
import { describe, summarise } from '../summary.ts';

const WARM_UP_SECONDS = 3;
/** autocannon makes a request or two for each connection that it does not send. */
const DRAWN_BUT_NOT_SENT = 2 * CONNECTIONS;

/** What a reservation answered that was just made. */
interface Made {
  readonly id: string;
  readonly sku: string;
}

/** Makes the workload that changes these, each once. */
type Change = (made: () => Made) => Workload;

const movements: Workload = {
  name: 'movement',
  path: (n) => `/v1/stock/${skuOf(n % SKUS)}/${LOCATION}/movements`,
  body: () => '{"type":"RETURN","quantity":1}',
};

/** Receives one unit, under a key as every creation. */
export const movement = changeRow('movement', 'record a movement', () => movements, asAdmin);

/** Without a key, which these calls can do without: they are idempotent by their own rules. */
export const update = changeRow('update', 'update a reservation to one unit more', (made) => {
  let line = '';
  const path = (): string => {
    const { id, sku } = made();
    line = JSON.stringify({ sku, quantity: 2, locationId: LOCATION });
    return `/v1/reservations/${id}/lines`;
  };
  // The path is asked for before the body.
  return { name: 'update', method: 'PUT', path, body: () => `{"lines":[${line}]}`, keyed: false };
});

export const confirm = changeRow('confirm', 'confirm a reservation', (made) => ({
  name: 'confirm',
  path: () => `/v1/reservations/${made().id}/confirm`,
  body: (n) => `{"orderId":"order-${n}"}`,
  keyed: false,
}));

export const cancel = changeRow('cancel', 'cancel a reservation', (made) => ({
  name: 'cancel',
  path: () => `/v1/reservations/${made().id}/cancel`,
  body: () => '{}',
  keyed: false,
}));

function changeRow(id: string, measured: string, change: Change, as: (target: Target) => Target = (one) => one): Row {
  return {
    id,
    measured,
    reference: 'create reservation, in the same run: those that are then changed',
    goal: { atLeast: 0.8 },
    run: (options) => onSqlite((server) => compareWithCreating(server, as(server), change, options)),
  };
}

/** Creates, and changes what was created, round by round. */
async function compareWithCreating(
  creator: Target,
  changer: Target,
  change: Change,
  { seconds, rounds, say }: BenchOptions,
): Promise<RowResult> {
  const stock: Made[] = [];
  const create: Workload = { ...spreadReservations, answered: (body) => stock.push(madeIn(body)) };
  const changes = change(() => stock.pop() ?? { id: 'none-is-left', sku: skuOf(0) });
  const expected = await warmUp(creator, create, WARM_UP_SECONDS);
  await measure(changer, changes, Math.min(stock.length - DRAWN_BUT_NOT_SENT, expected * WARM_UP_SECONDS));
  const [measured, reference]: [Round[], Round[]] = [[], []];
  for (let round = 1; round <= rounds; round += 1) {
    stock.length = 0;
    const created = await measure(creator, create, expected * seconds);
    reference.push(created);
    say(`  ${round}/${rounds} create           ${describe(created)}`);
    const changed = await measure(changer, changes, created.requests - DRAWN_BUT_NOT_SENT);
    measured.push(changed);
    say(`  ${round}/${rounds} ${changes.name.padEnd(16)} ${describe(changed)}`);
  }
  return summarise(measured, reference);
}

function madeIn(body: string): Made {
  const { id, lines } = JSON.parse(body) as { id: string; lines: { sku: string }[] };
  return { id, sku: lines[0]?.sku ?? '' };
}
