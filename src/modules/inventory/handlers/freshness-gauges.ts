import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../../../shared/kernel/clock.ts';
import { Metrics, STORE_LABELS_MAX } from '../../../shared/operations/metrics.ts';
import { Reader } from '../../../shared/persistence/reader.ts';
import { FRESHNESS_STATUSES } from '../contract.ts';
import { freshnessAt, type KnownFreshness } from '../domain/location-freshness.ts';
import { FRESHNESS_COLUMNS } from './stock-reads.ts';

/** Of all tenants: a scrape belongs to none. The longest silent ones come first, so that none of them is left out. */
const PUSHING = `SELECT f.location_id AS "locationId", ${FRESHNESS_COLUMNS} FROM location_freshness f
  WHERE f.last_sequence IS NOT NULL ORDER BY f.last_contact_at`;

type Row = NonNullable<KnownFreshness> & { readonly locationId: string };

/** How fresh the locations are that push their stock, as an operator watches it. */
@Injectable()
export class FreshnessGauges implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly reader: Reader,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.metrics.registerGaugeBy('sync_stores', 'Stores that push their stock, by how fresh it is.', 'status', () =>
      this.countByStatus(),
    );
    this.metrics.registerGaugeBy(
      'sync_store_lag_seconds',
      'Whole seconds since a store that pushes its stock was last heard from, by location id.',
      'store',
      () => this.lags(),
    );
  }

  private async countByStatus(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>(FRESHNESS_STATUSES.filter((one) => one !== 'DIRECT').map((one) => [one, 0]));
    const at = this.clock.now();
    for (const row of await this.reader.selectAcrossTenants<Row>(PUSHING)) {
      const { status } = freshnessAt(row, at);
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
    return counts;
  }

  /** Of two stores of one name, which belong to two tenants, the one that has been silent longer. */
  private async lags(): Promise<ReadonlyMap<string, number>> {
    const lags = new Map<string, number>();
    const at = this.clock.now();
    const sql = `${PUSHING} LIMIT :rows`;
    for (const row of await this.reader.selectAcrossTenants<Row>(sql, { rows: STORE_LABELS_MAX })) {
      const { lagSeconds } = freshnessAt(row, at);
      if (!lags.has(row.locationId)) lags.set(row.locationId, lagSeconds ?? 0);
    }
    return lags;
  }
}
