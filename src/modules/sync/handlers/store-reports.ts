import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { currentContext, runInContext, type StreamPlace } from '../../../shared/kernel/context.ts';
import { DomainError } from '../../../shared/kernel/domain-error.ts';
import { CentralChanges } from '../../../shared/outbox/central-changes.ts';
import { EventRetention } from '../../../shared/outbox/event-retention.ts';
import { type Failure, failureOf, isBusy } from '../../../shared/outbox/failure.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { RecordStoreFacts, type StoreFact } from '../../inventory/contract.ts';
import { RecordPickup } from '../../reservation/contract.ts';
import type { EventContent } from '../contract.ts';
import { StoreEventReader, type StoreReport } from './store-event-reader.ts';

/** An event whose turn has come. */
export interface DueEvent {
  readonly place: StreamPlace;
  readonly content: EventContent;
}

/** Why an event cannot be applied, and what has to happen first, where that is known (`product/<sku>`). */
export interface ReportFailure extends Failure {
  readonly waitsFor: string | null;
}

/** What a database can look up; whether it is right is found out when the event is read. */
const SKU = /^[A-Za-z0-9._:-]{1,64}$/;

/** Between which positions of the log a cursor has to be. */
interface KeptLog {
  readonly from: number;
  readonly to: number;
}

/** Hands what stores report to those whose facts it is. */
@Injectable()
export class StoreReports {
  constructor(
    private readonly commands: CommandBus,
    private readonly reader: StoreEventReader,
    private readonly retention: EventRetention,
    private readonly log: CentralChanges,
  ) {}

  /** The skus that these events move, so that their items can be loaded together. */
  skusOf(contents: readonly EventContent[]): string[] {
    const skus = new Set<string>();
    for (const { data } of contents) {
      const sku = typeof data === 'object' && data !== null ? (data as { sku?: unknown }).sku : undefined;
      if (typeof sku === 'string' && SKU.test(sku)) skus.add(sku);
    }
    return [...skus];
  }

  /**
   * Applies events in their order, each by itself.
   * @param late later events of the store may have been applied before
   * @returns for each why it could not be, or null
   */
  async apply(
    tx: Transaction,
    locationId: string,
    events: readonly DueEvent[],
    late = false,
  ): Promise<(ReportFailure | null)[]> {
    const failures = new Array<ReportFailure | null>(events.length).fill(null);
    const log = await this.keptLog(tx, events);
    let facts: { index: number; fact: StoreFact }[] = [];
    const record = async (): Promise<void> => {
      const some = facts;
      facts = [];
      const outcomes = await this.record(locationId, some, late);
      some.forEach(({ index }, place) => (failures[index] = outcomes[place] ?? null));
    };
    for (const [index, { place, content }] of events.entries()) {
      const report = this.reader.read(content);
      if ('code' in report) {
        failures[index] = { ...report, waitsFor: null };
      } else if (report.kind === 'pickup') {
        // A count behind it has to find it done.
        await record();
        failures[index] = await this.recordPickup(tx, locationId, report.reservationId, place, late);
      } else if (report.kind === 'count' && (report.cursor < log.from || report.cursor > log.to)) {
        failures[index] = { ...CURSOR_GONE, waitsFor: null };
      } else {
        facts.push({ index, fact: factOf(report, place) });
      }
    }
    await record();
    return failures;
  }

  private async record(
    locationId: string,
    facts: readonly { fact: StoreFact }[],
    late: boolean,
  ): Promise<readonly (ReportFailure | null)[]> {
    if (facts.length === 0) return [];
    const command = new RecordStoreFacts(
      locationId,
      facts.map(({ fact }) => fact),
      late,
    );
    return runInContext({ ...currentContext(), origin: locationId }, () => this.commands.execute(command));
  }

  private async recordPickup(
    tx: Transaction,
    locationId: string,
    reservationId: string,
    originPlace: StreamPlace,
    late: boolean,
  ): Promise<ReportFailure | null> {
    const command = new RecordPickup(reservationId, locationId, late);
    try {
      // A fact: what has nothing to be picked up here is told so, also to a store that may not see the reservation.
      await runInContext({ ...currentContext(), reach: null, origin: locationId, originPlace }, () =>
        this.commands.execute(command),
      );
      return null;
    } catch (error) {
      if (tx.isBroken || !(error instanceof DomainError) || isBusy(error)) throw error;
      return { ...failureOf(error), waitsFor: null };
    }
  }

  /** Looked up only where there is a count. */
  private async keptLog(tx: Transaction, events: readonly DueEvent[]): Promise<KeptLog> {
    if (events.every(({ content }) => content.type !== 'count')) return { from: 0, to: Infinity };
    const from = await this.retention.purgedThroughWithin(tx);
    return { from, to: Math.max(from, await this.log.head(tx)) };
  }
}

const CURSOR_GONE: Failure = {
  code: 'CURSOR_GONE',
  detail: 'What the centre has changed behind the cursor is no longer kept, or the log does not reach it; count anew',
};

function factOf(report: Exclude<StoreReport, { kind: 'pickup' }>, place: StreamPlace): StoreFact {
  if (report.kind === 'count') {
    return { sku: report.sku, place, counted: report.counted, cursor: report.cursor };
  }
  const { sku, type, quantity, reference } = report;
  return { sku, place, type, quantity, reference };
}
