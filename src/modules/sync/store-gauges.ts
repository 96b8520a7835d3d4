import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Metrics, OTHER_STORES, STORE_LABELS_MAX } from '../../shared/operations/metrics.ts';
import { DeadLetters } from '../../shared/outbox/dead-letters.ts';
import { Reader } from '../../shared/persistence/reader.ts';
import { STORE_EVENTS_CONSUMER } from './handlers/store-letters.ts';

/** Gauges of one scrape share what was read, in milliseconds. */
const FRESH_MS = 1_000;

const STREAMS = `SELECT location_id AS "locationId", next_sequence AS "nextSequence", highest AS "highest",
    parked AS "parked", drift AS "drift"
  FROM store_streams ORDER BY location_id, tenant_id`;

interface Stream {
  readonly locationId: string;
  readonly nextSequence: number;
  readonly highest: number;
  readonly parked: number;
  readonly drift: number;
}

type ByStore = ReadonlyMap<string, number>;

/**
 * What an operator watches of stores, read at a scrape. Tenants may call their stores alike: those are counted together.
 * So are stores beyond the first `STORE_LABELS_MAX`, as `other`.
 */
@Injectable()
export class StoreGauges implements OnModuleInit {
  private reading: Promise<readonly Stream[]> | undefined;
  private readAtMs = -Infinity;

  constructor(
    private readonly metrics: Metrics,
    private readonly reader: Reader,
    private readonly letters: DeadLetters,
  ) {}

  onModuleInit(): void {
    const by = 'store';
    const { metrics } = this;
    metrics.registerGaugeBy('sync_parked_events', 'Events of a store that wait for earlier ones.', by, () =>
      this.sums(({ parked }) => parked),
    );
    metrics.registerGaugeBy('sync_drift_units', 'Units that the last reconciliation found and left apart.', by, () =>
      this.sums(({ drift }) => drift),
    );
    metrics.registerGaugeBy('sync_missing_events', 'Numbers that have not come although later ones have.', by, () =>
      this.sums(({ nextSequence, highest, parked }) => highest - nextSequence + 1 - parked),
    );
    metrics.registerGaugeBy('sync_dead_events', 'Events of a store that are open dead letters.', by, async () => {
      const none = (await this.streams()).map(({ locationId }): [string, number] => [locationId, 0]);
      return byStore([...none, ...(await this.letters.openOfAllLocations(STORE_EVENTS_CONSUMER))]);
    });
  }

  private async sums(value: (stream: Stream) => number): Promise<ByStore> {
    return byStore((await this.streams()).map((stream) => [stream.locationId, value(stream)]));
  }

  private streams(): Promise<readonly Stream[]> {
    if (this.reading === undefined || performance.now() - this.readAtMs > FRESH_MS) {
      this.readAtMs = performance.now();
      this.reading = this.reader.selectAcrossTenants<Stream>(STREAMS);
    }
    return this.reading;
  }
}

function byStore(values: Iterable<readonly [string, number]>): ByStore {
  const stores = new Map<string, number>();
  for (const [locationId, value] of values) {
    const store = stores.has(locationId) || stores.size < STORE_LABELS_MAX ? locationId : OTHER_STORES;
    stores.set(store, (stores.get(store) ?? 0) + value);
  }
  return stores;
}
