import { toIsoInstant } from '../../../shared/kernel/clock.ts';
import { toCloudEvent, writeCloudEvent } from '../../../shared/outbox/cloud-event.ts';
import { type LoggedEvent, readEvent, type StoredEvent } from '../../../shared/outbox/stored-event.ts';
import type { Upcasting } from '../../../shared/outbox/upcasting.ts';
import {
  type Balances,
  StockCommitted,
  StockHeld,
  StockHoldShortened,
  StockIncomingChanged,
  StockLow,
  StockMoved,
  StockOversold,
  StockPolicyChanged,
  StockReleased,
  TransferCancelled,
  TransferDispatched,
  TransferReceived,
} from '../../inventory/contract.ts';

/** Each is one change of one stock item, and carries its balances after it. */
const STOCK_CHANGES = [
  StockMoved,
  StockHeld,
  StockHoldShortened,
  StockReleased,
  StockCommitted,
  StockIncomingChanged,
  StockPolicyChanged,
].map(({ type }) => type);

/** Alarms change nothing: they share the version of the change that set them off. */
const STOCK_ALARMS = [StockOversold, StockLow].map(({ type }) => type);

const TRANSFERS: readonly string[] = [TransferDispatched, TransferReceived, TransferCancelled].map(({ type }) => type);

export const STOCK_CHANGE_TYPES: readonly string[] = STOCK_CHANGES;
export const TRANSFER_TYPES = TRANSFERS;
/** All that any feed tells. */
export const FEED_TYPES: readonly string[] = [...STOCK_CHANGES, ...STOCK_ALARMS, ...TRANSFERS];

/** What every event of a stock item carries. */
interface StockEventData {
  readonly sku: string;
  readonly locationId: string;
  readonly stock: Balances;
}

/** One event of the log on its way to whoever follows it: written as JSON at most once, however many they are. */
export class FeedChange {
  readonly position: number;
  readonly type: string;
  readonly origin: string | null;
  /** The locations that it concerns: of a transfer both. */
  readonly locationIds: readonly string[];
  /** Null when it is about a transfer. */
  readonly sku: string | null;
  private cloudEventText: string | undefined;
  private stockText: string | undefined;

  constructor(
    private readonly logged: LoggedEvent,
    private readonly upcasting: Upcasting,
  ) {
    this.position = logged.position;
    this.type = logged.type;
    this.origin = logged.origin;
    if (TRANSFERS.includes(logged.type)) {
      const { fromLocationId, toLocationId } = this.read().data as { fromLocationId: string; toLocationId: string };
      this.locationIds = [fromLocationId, toLocationId];
      this.sku = null;
    } else {
      this.locationIds = logged.locationId === null ? [] : [logged.locationId];
      // `stock/<sku>/<location>`: neither may hold a slash.
      this.sku = logged.subject.split('/', 2)[1] ?? null;
    }
  }

  /** JSON text of the CloudEvent. */
  get cloudEvent(): string {
    this.cloudEventText ??= this.writeCloudEvent();
    return this.cloudEventText;
  }

  /** JSON text of the stock item's balances after it. Only for STOCK_CHANGE_TYPES. */
  get stock(): string {
    this.stockText ??= this.writeStock();
    return this.stockText;
  }

  private writeCloudEvent(): string {
    const { type, version, payload } = this.logged;
    return this.upcasting.newestVersionOf(type) === version
      ? writeCloudEvent(this.logged, payload)
      : JSON.stringify(toCloudEvent(this.read()));
  }

  private writeStock(): string {
    const { data, subjectVersion: version, occurredAt } = this.read() as StoredEvent<StockEventData>;
    const { sku, locationId, stock } = data;
    return JSON.stringify({ sku, locationId, ...stock, version, updatedAt: toIsoInstant(occurredAt) });
  }

  private read(): StoredEvent {
    return readEvent(this.upcasting, this.logged);
  }
}
