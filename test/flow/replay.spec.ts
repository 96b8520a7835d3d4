import { join } from 'node:path';
import { ApiClient } from '../../scripts/replay/api-client.ts';
import { silentProgress } from '../../scripts/replay/progress.ts';
import { prove } from '../../scripts/replay/proof.ts';
import { replayFile } from '../../scripts/replay/replay-file.ts';
import { faultsOf, type Outcome, renderReport } from '../../scripts/replay/report.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

/** Thousands of requests on a machine that may be busy with other suites. */
const REPLAYS_MAX_MS = 120_000;
const EXCERPT = join(__dirname, '../../scripts/replay/sample/online-retail-excerpt.csv');

describeOnBothEngines('npm run replay', (engine) => {
  let shop: RunningApp;
  let outcome: Outcome;
  beforeAll(async () => {
    shop = await startApp(engine);
    outcome = await replay('first');
  }, REPLAYS_MAX_MS);
  afterAll(() => shop.close());

  function replay(runId: string, openingUnits: number | null = null): Promise<Outcome> {
    return replayFile({ file: EXCERPT, url: shop.url, openingUnits, concurrency: 8, runId }, silentProgress);
  }

  it('sends real sales, accounts for every row and proves that ledger = balances', () => {
    expect(faultsOf(outcome)).toEqual([]);
    expect(outcome.sales.rowsRead).toBe(300);
    expect([...outcome.sales.dirt.keys()]).toEqual(['stock code is no product']);
    expect(outcome.sales.notes.foldedCase).toBeGreaterThan(0);
    expect([...outcome.tally.refusals]).toEqual([]);
    expect(outcome.tally.rows).toEqual({ applied: outcome.sales.rows.length, refused: 0 });
    const { created, confirmed, fulfilled } = outcome.tally.reservations;
    expect(created).toBeGreaterThan(100);
    expect([confirmed, fulfilled]).toEqual([created, created]);
    expect(renderReport(outcome)).toContain('The proof holds');
  });

  it(
    'doubles nothing when the same run is sent again',
    async () => {
      const again = await replay('first');
      expect(faultsOf(again)).toEqual([]);
      const movements = again.tally.movements.recorded + fulfilmentsOf(again);
      expect(again.proof.movementsRead).toBe(movements);
    },
    REPLAYS_MAX_MS,
  );

  it(
    'moves everything anew under another run id, and counts what is refused for want of stock',
    async () => {
      const second = await replay('second', 5);
      expect(faultsOf(second)).toEqual([]);
      const { rows, refusals } = second.tally;
      expect([...refusals.keys()]).toEqual(['INSUFFICIENT_STOCK']);
      expect(rows.refused).toBeGreaterThan(0);
      expect(rows.applied + rows.refused).toBe(second.sales.rows.length);
    },
    REPLAYS_MAX_MS,
  );

  it('finds a movement that the run was not answered for', async () => {
    const [item] = outcome.plan.stockItems;
    const path = `/v1/stock/${item!.sku}/${item!.locationId}/movements`;
    const api = new ApiClient(shop.url);
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
