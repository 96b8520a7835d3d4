import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient, worldWithKey } from '../../scripts/replay/api-client.ts';
import { silentProgress } from '../../scripts/replay/progress.ts';
import { prove } from '../../scripts/replay/proof.ts';
import { replayFile } from '../../scripts/replay/replay-file.ts';
import { faultsOf, type Outcome, renderReport } from '../../scripts/replay/report.ts';
import { counts } from '../support/counts.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { ADMIN_KEY } from '../support/guarded-app.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

const SAMPLE = join(__dirname, '../../scripts/replay/sample/online-retail-excerpt.csv');
/** Of the sample's 300 rows of sales, from the first. */
const ROWS = counts(100, 300);

describeOnBothEngines('npm run replay', (engine) => {
  let shop: RunningApp;
  let outcome: Outcome;
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-replay-'));
  const file = join(folder, 'sales.csv');

  beforeAll(async () => {
    const lines = readFileSync(SAMPLE, 'utf8').split('\n');
    writeFileSync(file, lines.slice(0, 1 + ROWS).join('\n'));
    shop = await startApp(engine, { AUTH: 'on', HOLDFAST_ADMIN_KEY: ADMIN_KEY });
    outcome = await replay('first');
  });
  afterAll(async () => {
    await shop.close();
    rmSync(folder, { recursive: true });
  });

  function replay(runId: string, openingUnits: number | null = null): Promise<Outcome> {
    return replayFile({ file, url: shop.url, apiKey: ADMIN_KEY, openingUnits, concurrency: 8, runId }, silentProgress);
  }

  it('sends real sales, accounts for every row and proves that ledger = balances', () => {
    expect(faultsOf(outcome)).toEqual([]);
    expect(outcome.sales.rowsRead).toBe(ROWS);
    expect([...outcome.sales.dirt.keys()]).toEqual(['stock code is no product']);
    expect(outcome.sales.notes.foldedCase).toBeGreaterThan(0);
    expect([...outcome.tally.refusals]).toEqual([]);
    expect(outcome.tally.rows).toEqual({ applied: outcome.sales.rows.length, refused: 0 });
    const { created, confirmed, fulfilled } = outcome.tally.reservations;
    expect(created).toBeGreaterThan(ROWS / 3);
    expect([confirmed, fulfilled]).toEqual([created, created]);
    expect(renderReport(outcome)).toContain('The proof holds');
  });

  it('doubles nothing when the same run is sent again', async () => {
    const again = await replay('first');
    expect(faultsOf(again)).toEqual([]);
    const movements = again.tally.movements.recorded + fulfilmentsOf(again);
    expect(again.proof.movementsRead).toBe(movements);
  });

  it('moves everything anew under another run id, and counts what is refused for want of stock', async () => {
    const second = await replay('second', 5);
    expect(faultsOf(second)).toEqual([]);
    const { rows, refusals } = second.tally;
    expect([...refusals.keys()]).toEqual(['INSUFFICIENT_STOCK']);
    expect(rows.refused).toBeGreaterThan(0);
    expect(rows.applied + rows.refused).toBe(second.sales.rows.length);
  });

  it('finds a movement that the run was not answered for', async () => {
    const [item] = outcome.plan.stockItems;
    const path = `/v1/stock/${item!.sku}/${item!.locationId}/movements`;
    const api = new ApiClient(shop.url, worldWithKey(ADMIN_KEY));
    const body = { type: 'RETURN', quantity: 3 };
    await api.send({ method: 'POST', path, body, idempotencyKey: 'planted', correlationId: 'replay:first:planted' });

    const run = { id: 'first', concurrency: 8 };
    const { faults } = await prove(api, outcome.plan.stockItems, outcome.tally, run, silentProgress);
    expect(faults).toEqual([expect.stringMatching(/RETURN of \d+ was answered with success, the ledger has \d+/)]);
  });
});

/** One FULFILMENT movement for each stock item of a reservation: the server sums lines of one sku. */
function fulfilmentsOf({ plan }: Outcome): number {
  return plan.invoices
    .flatMap(({ reservations }) => reservations)
    .reduce((sum, rows) => sum + new Set(rows.map(({ sku, locationId }) => `${sku} ${locationId}`)).size, 0);
}
