import { Metrics, OTHER_STORES, STORE_LABELS_MAX } from './metrics.ts';

/** The lines of one metric without comments, so that a test says what a scraper sees. */
async function linesOf(metrics: Metrics, name: string): Promise<string[]> {
  const lines = (await metrics.exposition()).split('\n');
  return lines.filter((line) => new RegExp(`^${name}(_bucket|_sum|_count)?[{ ]`).test(line));
}

describe('Metrics', () => {
  let metrics: Metrics;

  beforeEach(() => {
    metrics = new Metrics();
  });

  it('counts transactions by type, status and store', async () => {
    metrics.countTransaction('HOLD', 'success', 'S1');
    metrics.countTransaction('HOLD', 'success', 'S1', 2);
    metrics.countTransaction('SALE', 'refused', 'S2');

    expect(await linesOf(metrics, 'inventory_transactions_total')).toEqual([
      'inventory_transactions_total{type="HOLD",status="success",store="S1"} 3',
      'inventory_transactions_total{type="SALE",status="refused",store="S2"} 1',
    ]);
  });

  it('counts the stores beyond the limit together', async () => {
    for (let n = 0; n < STORE_LABELS_MAX + 5; n += 1) metrics.countTransaction('RECEIPT', 'success', `S${n}`);
    metrics.countTransaction('RECEIPT', 'success', 'S0');

    const lines = await linesOf(metrics, 'inventory_transactions_total');

    expect(lines).toHaveLength(STORE_LABELS_MAX + 1);
    expect(lines[0]).toBe('inventory_transactions_total{type="RECEIPT",status="success",store="S0"} 2');
    expect(lines.at(-1)).toBe(
      `inventory_transactions_total{type="RECEIPT",status="success",store="${OTHER_STORES}"} 5`,
    );
  });

  it('observes the process once, however many apps it has', async () => {
    const other = new Metrics();
    for (const name of ['process_cpu_seconds_total', 'nodejs_gc_duration_seconds', 'nodejs_eventloop_lag_seconds']) {
      expect(metrics.registry.getSingleMetric(name)).toBeDefined();
      expect(other.registry.getSingleMetric(name)).toBe(metrics.registry.getSingleMetric(name));
    }
    expect(await other.exposition()).toContain('process_cpu_seconds_total');
  });

  it('keeps a hostile label value on its line', async () => {
    metrics.observeHttpRequest('GET', '/a"}\n injected 1', 200, 0.001);

    expect(await linesOf(metrics, 'injected')).toEqual([]);
  });

  it('measures requests in seconds', async () => {
    metrics.observeHttpRequest('GET', '/v1/stock/:sku', 200, 0.004);

    const labels = 'method="GET",route="/v1/stock/:sku",status="200"';
    const lines = await linesOf(metrics, 'http_request_duration_seconds');
    expect(lines).toContain(`http_request_duration_seconds_bucket{le="0.0025",${labels}} 0`);
    expect(lines).toContain(`http_request_duration_seconds_bucket{le="0.005",${labels}} 1`);
    expect(lines).toContain(`http_request_duration_seconds_sum{${labels}} 0.004`);
  });

  it('measures batches, the queue, conflicts and outcomes', async () => {
    metrics.observeBatch({ works: 64, commitSeconds: 0.002 });
    metrics.setQueueDepth('bulk', 12);
    metrics.countVersionConflict();
    metrics.countWork('committed', 64);
    metrics.countWork('busy');

    expect(await linesOf(metrics, 'unit_of_work_batch_works')).toEqual(
      expect.arrayContaining([
        'unit_of_work_batch_works_bucket{le="32"} 0',
        'unit_of_work_batch_works_bucket{le="64"} 1',
        'unit_of_work_batch_works_sum 64',
      ]),
    );
    expect(await linesOf(metrics, 'unit_of_work_commit_duration_seconds')).toContain(
      'unit_of_work_commit_duration_seconds_sum 0.002',
    );
    expect(await linesOf(metrics, 'unit_of_work_queue_works')).toEqual([
      'unit_of_work_queue_works{class="interactive"} 0',
      'unit_of_work_queue_works{class="bulk"} 12',
    ]);
    expect(await linesOf(metrics, 'unit_of_work_version_conflicts_total')).toEqual([
      'unit_of_work_version_conflicts_total 1',
    ]);
    expect(await linesOf(metrics, 'unit_of_work_works_total')).toEqual([
      'unit_of_work_works_total{outcome="committed"} 64',
      'unit_of_work_works_total{outcome="refused"} 0',
      'unit_of_work_works_total{outcome="failed"} 0',
      'unit_of_work_works_total{outcome="busy"} 1',
      'unit_of_work_works_total{outcome="unavailable"} 0',
    ]);
  });

  it('counts reservations and alarms', async () => {
    metrics.countReservation('expired', 25);
    metrics.countOversold();
    metrics.countLowStock();

    expect(await linesOf(metrics, 'reservations_total')).toContain('reservations_total{outcome="expired"} 25');
    expect(await linesOf(metrics, 'reservations_total')).toContain('reservations_total{outcome="created"} 0');
    expect(await linesOf(metrics, 'inventory_oversold_events_total')).toEqual(['inventory_oversold_events_total 1']);
    expect(await linesOf(metrics, 'inventory_low_stock_events_total')).toEqual(['inventory_low_stock_events_total 1']);
  });

  it('reads a registered gauge when it is asked', async () => {
    metrics.registerGauge('inventory_oversold_items', 'Items that are oversold.', () => Promise.resolve(4));

    expect(await linesOf(metrics, 'inventory_oversold_items')).toEqual(['inventory_oversold_items 4']);
  });

  it('leaves out a gauge that cannot be read, and shows the rest', async () => {
    metrics.registerGauge('inventory_oversold_items', 'Items that are oversold.', () => Promise.reject(new Error()));

    expect(await linesOf(metrics, 'inventory_oversold_items')).toEqual([]);
    expect(await linesOf(metrics, 'metrics_failed_reads_total')).toEqual([
      'metrics_failed_reads_total{gauge="inventory_oversold_items"} 1',
    ]);
    expect(await linesOf(metrics, 'process_cpu_seconds_total')).toHaveLength(1);
  });

  it('shows the event loop and the heap', async () => {
    expect(await linesOf(metrics, 'nodejs_eventloop_lag_p99_seconds')).toHaveLength(1);
    expect(await linesOf(metrics, 'nodejs_heap_size_used_bytes')).toHaveLength(1);
  });

  it('is separate for each app of a process', async () => {
    new Metrics().countOversold();

    expect(await linesOf(metrics, 'inventory_oversold_events_total')).toEqual(['inventory_oversold_events_total 0']);
  });
});
