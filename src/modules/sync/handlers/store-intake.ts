import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';
import type { EntityKey } from '../../../shared/kernel/entity-key.ts';
import { Metrics } from '../../../shared/operations/metrics.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { Settings } from '../../../shared/settings.ts';
import {
  FindLocation,
  freshnessKey,
  locationKey,
  ReportFreshness,
  skuWanted,
  stockItemKey,
} from '../../inventory/contract.ts';
import { type IncomingEvent, type StoreEventResult, storeStreamKey } from '../contract.ts';
import type { StoreStream, StoreStreamState } from '../domain/store-stream.ts';
import { EpochNeverGiven } from '../domain/store-stream.errors.ts';
import { StoreConflicts } from '../storage/store-conflict.repository.ts';
import { StoreStreams } from '../storage/store-stream.repository.ts';
import { type IntakeLimits, IntakePiece, type Turn } from './intake-piece.ts';
import { StoreLetters } from './store-letters.ts';
import { type ReportFailure, StoreReports } from './store-reports.ts';

/** Events of one commit, those included that waited for them: at 40 to 80 µs each, with their share of the commit. */
export const INTAKE_PIECE_EVENTS = 250;

/** What a piece has done. */
export interface IntakeStep {
  /** Of the first of the events; the others are for the next piece. */
  readonly results: readonly StoreEventResult[];
  /** Of which nobody knew a product. */
  readonly unknownSkus: readonly string[];
  /** Events that waited and have their turn now, for the next piece. */
  readonly due: number;
  readonly stream: StoreStreamState;
}

/** Takes some events of a store in one unit of work: decides about each, applies what has its turn, notes the rest. */
@Injectable()
export class StoreIntake {
  private readonly limits: IntakeLimits;

  constructor(
    private readonly clock: Clock,
    private readonly commands: CommandBus,
    private readonly streams: StoreStreams,
    private readonly conflicts: StoreConflicts,
    private readonly reports: StoreReports,
    private readonly letters: StoreLetters,
    private readonly metrics: Metrics,
    { syncParkedMax, syncClockToleranceSeconds }: Settings,
  ) {
    this.limits = { parkedMax: syncParkedMax, clockToleranceMs: syncClockToleranceSeconds * 1000 };
  }

  /** The stream comes first: what is read after it is as old as the stream, or its version has changed meanwhile. */
  keysOf(locationId: string, events: readonly IncomingEvent[]): EntityKey[] {
    return [
      storeStreamKey(locationId),
      locationKey(locationId),
      freshnessKey(locationId),
      ...events.map(({ id }) => this.streams.eventKey(locationId, id)),
      ...this.reports.skusOf(events.map(({ content }) => content)).map((sku) => stockItemKey(sku, locationId)),
    ];
  }

  /**
   * @param events in the order of their numbers; their keys were loaded
   * @throws StaleEpoch, EpochNeverGiven; LocationNotFound when there is no such location
   */
  async take(
    tx: Transaction,
    locationId: string,
    epoch: number,
    events: readonly IncomingEvent[],
  ): Promise<IntakeStep> {
    const at = this.clock.now();
    const stream = await this.streamOf(tx, locationId, epoch);
    await this.loadTaken(tx, stream, events);
    const piece = new IntakePiece(tx, this.streams, stream, this.limits, at);
    let room = INTAKE_PIECE_EVENTS - (await this.takeParked(tx, stream, piece, INTAKE_PIECE_EVENTS));
    for (const event of events) {
      if (room <= 0) break;
      piece.place(event);
      room -= 1;
      if (stream.due > 0) room -= await this.takeParked(tx, stream, piece, room);
    }
    const unknownSkus = await this.apply(tx, locationId, piece, at);
    if (piece.conflicts.length > 0) {
      stream.countConflicts(await this.conflicts.keep(tx, locationId, epoch, piece.conflicts, at));
    }
    stream.contact(at);
    this.streams.save(tx, stream);
    await this.tellFreshness(stream, piece, at);
    this.count(tx, locationId, piece.results);
    return { results: piece.results, unknownSkus, due: stream.due, stream: stream.state };
  }

  /** In the commit of the events themselves, so that no answer about the stock says more of it than is in it. */
  private async tellFreshness(stream: StoreStream, piece: IntakePiece, at: Instant): Promise<void> {
    const { locationId, nextSequence } = stream.state;
    const isNews = piece.results.some(({ outcome }) => outcome !== 'duplicate' && outcome !== 'refused');
    const pushed = { lastSequence: nextSequence - 1, receivedAt: isNews ? at : null };
    await this.commands.execute(new ReportFreshness(locationId, { pushed }));
  }

  private async streamOf(tx: Transaction, locationId: string, epoch: number): Promise<StoreStream> {
    const stream = await this.streams.find(tx, locationId);
    if (stream === undefined) {
      await this.commands.execute(new FindLocation(locationId));
      throw new EpochNeverGiven();
    }
    stream.assertEpoch(epoch);
    return stream;
  }

  /** Only a number that is taken has a row; most that come are not. */
  private async loadTaken(tx: Transaction, stream: StoreStream, events: readonly IncomingEvent[]): Promise<void> {
    const { locationId, epoch } = stream.state;
    const taken = events.filter(({ sequence }) => stream.isTaken(sequence));
    if (taken.length > 0) {
      await tx.load(taken.map(({ sequence }) => this.streams.numberKey(locationId, epoch, sequence)));
    }
  }

  /** @returns how many parked events had their turn, `room` at most */
  private async takeParked(tx: Transaction, stream: StoreStream, piece: IntakePiece, room: number): Promise<number> {
    const { locationId, epoch, nextSequence } = stream.state;
    const count = Math.min(stream.due, Math.max(0, room));
    if (count === 0) return 0;
    const numbers = Array.from({ length: count }, (_, index) => nextSequence + index);
    await tx.load(numbers.map((sequence) => this.streams.numberKey(locationId, epoch, sequence)));
    numbers.forEach(() => {
      piece.takeParked();
    });
    return count;
  }

  /** @returns skus that some of them wait for */
  private async apply(tx: Transaction, locationId: string, piece: IntakePiece, at: Instant): Promise<string[]> {
    const { turns } = piece;
    if (turns.length === 0) return [];
    const failures = await this.reports.apply(
      tx,
      locationId,
      turns.map(({ row, content }) => ({ place: row, content })),
    );
    const applied: Turn[] = [];
    for (const [index, turn] of turns.entries()) {
      const failure = failures[index] ?? null;
      if (failure === null) {
        applied.push(turn);
      } else {
        this.streams.die(tx, turn.row, 'DEAD');
        this.letters.bury(tx, turn.row, turn.content, failure);
        piece.tell(turn, failure.code);
      }
    }
    await this.finish(tx, locationId, applied, at);
    return unknownSkusOf(failures);
  }

  /** What came just now is noted as applied already. */
  private async finish(tx: Transaction, locationId: string, applied: readonly Turn[], at: Instant): Promise<void> {
    const waited = applied.filter((turn) => turn.waited);
    if (waited.length === 0) return;
    for (const { row } of waited) {
      if (row.status === 'PARKED') this.streams.finish(tx, row, 'APPLIED', at);
    }
    await this.letters.closeAll(
      tx,
      locationId,
      waited.map(({ row }) => row.eventId),
    );
  }

  private count(tx: Transaction, locationId: string, results: readonly StoreEventResult[]): void {
    tx.onSettled((status) => {
      if (status !== 'success') return;
      const counts = new Map<StoreEventResult['outcome'], number>();
      for (const { outcome } of results) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      counts.forEach((events, outcome) => {
        this.metrics.countStoreEvents(locationId, outcome, events);
      });
    });
  }
}

function unknownSkusOf(failures: readonly (ReportFailure | null)[]): string[] {
  const skus = failures.map((failure) => skuWanted(failure?.waitsFor ?? null)).filter((sku) => sku !== null);
  return [...new Set(skus)];
}
