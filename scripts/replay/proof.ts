import type { Answer, ApiClient } from './api-client.ts';
import { forEachOf } from './for-each.ts';
import { PAGE_ITEMS_MAX } from './limits.ts';
import { Play } from './play.ts';
import type { StockItemRef } from './plan.ts';
import type { Progress } from './progress.ts';
import { add, DIRECTIONS, MOVED_TYPES, type Tally, type UnitsByType } from './tally.ts';

/** A stock item as GET answers it; members that the proof does not read are left out. */
export interface Balances {
  readonly onHand: number;
  readonly held: number;
  readonly committed: number;
}

export interface LedgerEntry {
  readonly type: string;
  readonly delta: number;
  readonly onHandAfter: number;
  readonly correlationId: string;
}

/** What the run is known to have done to one item. */
export interface Expectation {
  readonly acknowledged: UnitsByType;
  /** Units that may still be held or committed. */
  readonly openUnits: number;
  readonly correlationPrefix: string;
}

export interface Proof {
  readonly stockItems: number;
  readonly movementsRead: number;
  /** Sum of all on-hand units as GET answers them, and as the ledger adds up. */
  readonly onHandUnits: number;
  readonly ledgerUnits: number;
  /** Units that the ledger shows under this run's correlation ids. */
  readonly movedByRun: UnitsByType;
  /** Sentences, each a contradiction; none: the proof holds. */
  readonly faults: readonly string[];
}

/**
 * Reads every touched stock item and its whole ledger back and looks for contradictions.
 * It takes for granted that nobody else sells from these items while it reads.
 */
export async function prove(
  api: ApiClient,
  stockItems: readonly StockItemRef[],
  tally: Tally,
  run: { readonly id: string; readonly concurrency: number },
  progress: Progress,
): Promise<Proof> {
  const sums = { movementsRead: 0, onHandUnits: 0, ledgerUnits: 0 };
  const movedByRun: UnitsByType = new Map();
  const faults: string[] = [];
  const correlationPrefix = Play.correlationPrefix(run.id);
  progress.start('proof', stockItems.length);
  await forEachOf(stockItems, run.concurrency, async (item) => {
    const path = `/v1/stock/${item.sku}/${item.locationId}`;
    const balances = bodyOf(path, await api.send({ method: 'GET', path })) as Balances;
    const ledger = await readLedger(api, `${path}/movements`);
    const ofRun = unitsOfRun(ledger, correlationPrefix);
    const expectation = {
      acknowledged: tally.acknowledgedOf(item),
      openUnits: tally.openUnitsOf(item),
      correlationPrefix,
    };
    faults.push(
      ...contradictions(balances, ledger, expectation).map((fault) => `${item.sku} at ${item.locationId}: ${fault}`),
    );
    for (const [type, units] of ofRun) add(movedByRun, type, units);
    sums.movementsRead += ledger.length;
    sums.onHandUnits += balances.onHand;
    sums.ledgerUnits += sumOfDeltas(ledger);
    progress.step();
  }).finally(() => progress.stop());
  return { stockItems: stockItems.length, ...sums, movedByRun, faults };
}

/** @param ledger newest first, complete */
export function contradictions(balances: Balances, ledger: readonly LedgerEntry[], expected: Expectation): string[] {
  const faults: string[] = [];
  const sum = sumOfDeltas(ledger);
  if (sum !== balances.onHand) {
    faults.push(`on hand are ${balances.onHand}, but its movements add up to ${sum}`);
  }
  let running = 0;
  for (const entry of ledger.toReversed()) {
    running += entry.delta;
    if (entry.onHandAfter !== running) {
      faults.push(`a ${entry.type} says ${entry.onHandAfter} on hand after it, the movements up to it say ${running}`);
      break;
    }
  }
  const ofRun = unitsOfRun(ledger, expected.correlationPrefix);
  for (const type of MOVED_TYPES) {
    const [answered, recorded] = [expected.acknowledged.get(type) ?? 0, ofRun.get(type) ?? 0];
    if (answered !== recorded)
      faults.push(`${type} of ${answered} was answered with success, the ledger has ${recorded}`);
  }
  const { held, committed } = balances;
  if (held < 0 || committed < 0 || held + committed > expected.openUnits) {
    faults.push(`${held} held and ${committed} committed, where at most ${expected.openUnits} can be open`);
  }
  return faults;
}

/** Units of this run by type; a movement in the wrong direction counts against its type. */
function unitsOfRun(ledger: readonly LedgerEntry[], correlationPrefix: string): UnitsByType {
  const units: UnitsByType = new Map();
  for (const { type, delta, correlationId } of ledger) {
    const known = MOVED_TYPES.find((candidate) => candidate === type);
    if (known !== undefined && correlationId.startsWith(correlationPrefix))
      add(units, known, delta * DIRECTIONS[known]);
  }
  return units;
}

function sumOfDeltas(ledger: readonly LedgerEntry[]): number {
  return ledger.reduce((sum, { delta }) => sum + delta, 0);
}

/** All pages, newest first. */
async function readLedger(api: ApiClient, path: string): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  let cursor: string | null = null;
  do {
    const query = `limit=${PAGE_ITEMS_MAX}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    const answer = await api.send({ method: 'GET', path: `${path}?${query}` });
    const page = bodyOf(path, answer) as { items: LedgerEntry[]; nextCursor: string | null };
    entries.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return entries;
}

function bodyOf(path: string, answer: Answer): unknown {
  if (!answer.ok) throw new Error(`the proof needs ${path}, but the server says ${answer.code}: ${answer.detail}`);
  return answer.body;
}
