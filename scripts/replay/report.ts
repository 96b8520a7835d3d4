import type { ApiClient } from './api-client.ts';
import type { Plan } from './plan.ts';
import type { Proof } from './proof.ts';
import type { Sales } from './read-sales.ts';
import { MOVED_TYPES, type MovedType, type Tally } from './tally.ts';
import { textTable } from './text-table.ts';

/** Everything that one replay found out. */
export interface Outcome {
  readonly runId: string;
  readonly seconds: number;
  readonly sales: Sales;
  readonly plan: Plan;
  readonly tally: Tally;
  readonly proof: Proof;
  readonly traffic: Pick<ApiClient, 'requests' | 'retries'>;
}

/** Contradictions printed at most; their number is always told. */
const FAULTS_SHOWN_MAX = 20;

/** @returns every contradiction: of the read-back, and of rows or units that are unaccounted for */
export function faultsOf(outcome: Outcome): string[] {
  const { sales, tally, proof } = outcome;
  const faults = [...proof.faults];
  const reported = rowsReported(sales);
  if (sales.rows.length + reported !== sales.rowsRead) {
    faults.push(`${sales.rowsRead} rows were read, but ${sales.rows.length} sent and ${reported} reported`);
  }
  if (tally.rows.applied + tally.rows.refused !== sales.rows.length) {
    faults.push(
      `${sales.rows.length} rows were sent, but ${tally.rows.applied} applied and ${tally.rows.refused} refused`,
    );
  }
  for (const { type, wanted, refused, recorded } of movedUnits(outcome)) {
    if (wanted !== refused + recorded) {
      faults.push(`${type}: the file says ${wanted} units, the ledger has ${recorded} and ${refused} were refused`);
    }
  }
  return faults;
}

/** The whole report as text. */
export function renderReport(outcome: Outcome): string {
  const faults = faultsOf(outcome);
  return [
    rowsTable(outcome),
    dirtTable(outcome.sales),
    sentTable(outcome),
    refusalsTable(outcome.tally),
    proofTable(outcome),
    ...faults.slice(0, FAULTS_SHOWN_MAX).map((fault) => `  contradiction: ${fault}`),
    faults.length === 0
      ? `The proof holds: ledger = balances for ${outcome.proof.stockItems.toLocaleString('en-GB')} stock items.`
      : `THE PROOF FAILS: ${faults.length} contradictions.`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function rowsTable({ sales, tally }: Outcome): string {
  return textTable(
    ['rows of the file', 'rows'],
    [
      ['read', sales.rowsRead],
      ['sent and applied', tally.rows.applied],
      ['sent and refused by the server', tally.rows.refused],
      ['not sent, reported below', rowsReported(sales)],
      ['note: lower-case code, taken as its upper-case twin', sales.notes.foldedCase],
      ['note: no description', sales.notes.noDescription],
      ['note: equal to an earlier row, sent as a sale of its own', sales.notes.repeated],
    ],
  );
}

function dirtTable({ dirt }: Sales): string {
  if (dirt.size === 0) return '';
  const rows = [...dirt].sort((one, other) => other[1].rows - one[1].rows);
  return textTable(
    ['not sent, because', 'rows', 'for example'],
    rows.map(([reason, { rows: count, example }]) => [reason, count, clip(example)]),
  );
}

function sentTable({ runId, seconds, plan, tally, traffic, proof }: Outcome): string {
  const { created, confirmed, fulfilled, cancelled } = tally.reservations;
  const perSecond = (count: number): string => `${(count / Math.max(seconds, 0.001)).toFixed(0)}/s`;
  return textTable(
    [`run ${runId}`, 'count', 'rate'],
    [
      ['invoices', plan.invoices.length, perSecond(plan.invoices.length)],
      ['reservations created', created, perSecond(created)],
      ['reservations confirmed', confirmed, ''],
      ['reservations fulfilled', fulfilled, ''],
      ['reservations cancelled after a refusal', cancelled, ''],
      ['movements recorded (opening, returns, write-offs)', tally.movements.recorded, ''],
      ['movements read back', proof.movementsRead, ''],
      ['HTTP requests', traffic.requests, perSecond(traffic.requests)],
      ['of them repeats', traffic.retries, ''],
      ['seconds until the last invoice', seconds.toFixed(1), ''],
    ],
  );
}

function refusalsTable({ refusals }: Tally): string {
  if (refusals.size === 0) return 'No request was refused.';
  return textTable(
    ['refused by the server', 'requests', 'rows', 'for example'],
    [...refusals].map(([code, { requests, rows, example }]) => [code, requests, rows, clip(example)]),
  );
}

function proofTable(outcome: Outcome): string {
  const { proof } = outcome;
  const units = movedUnits(outcome).map(({ type, wanted, refused, answered, recorded }) => [
    type,
    wanted,
    refused,
    answered,
    recorded,
  ]);
  const balances = textTable(
    ['units on hand in the end', 'units'],
    [
      ['sum of all balances (GET stock item)', proof.onHandUnits],
      ['sum of all movements (GET movements)', proof.ledgerUnits],
    ],
  );
  return `${textTable(['units moved', 'file says', 'refused', 'answered', 'in the ledger'], units)}\n\n${balances}`;
}

interface MovedUnits {
  readonly type: MovedType;
  readonly wanted: number;
  readonly refused: number;
  readonly answered: number;
  readonly recorded: number;
}

function movedUnits({ plan, sales, tally, proof }: Outcome): MovedUnits[] {
  const opening = plan.opening.reduce((sum, { units }) => sum + units, 0);
  const ofKind = (kind: string): number =>
    sales.rows.reduce((sum, row) => sum + (row.kind === kind ? row.units : 0), 0);
  const wanted = {
    RECEIPT: opening,
    FULFILMENT: ofKind('sale'),
    RETURN: ofKind('return'),
    WRITE_OFF: ofKind('write-off'),
  };
  return MOVED_TYPES.map((type) => ({
    type,
    wanted: wanted[type],
    refused: tally.refused.get(type) ?? 0,
    answered: tally.acknowledged.get(type) ?? 0,
    recorded: proof.movedByRun.get(type) ?? 0,
  }));
}

function rowsReported({ dirt }: Sales): number {
  return [...dirt.values()].reduce((sum, { rows }) => sum + rows, 0);
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
