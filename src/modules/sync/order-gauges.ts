import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Metrics } from '../../shared/operations/metrics.ts';
import { Reader } from '../../shared/persistence/reader.ts';

const PARKED =
  "SELECT COUNT(*) AS \"events\" FROM order_events WHERE status IN ('PARKED', 'DEAD') AND status = 'PARKED'";

/** What waits now, for the metrics. */
@Injectable()
export class OrderGauges implements OnApplicationBootstrap {
  constructor(
    private readonly reader: Reader,
    private readonly metrics: Metrics,
  ) {}

  onApplicationBootstrap(): void {
    this.metrics.registerGauge(
      'sync_order_events_parked',
      'Events of orders that wait for an earlier one.',
      async () => {
        const [row] = await this.reader.selectAcrossTenants<{ events: number }>(PARKED);
        return row?.events ?? 0;
      },
    );
  }
}
