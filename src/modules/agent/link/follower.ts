import { Injectable } from '@nestjs/common';
import { AgentMetrics } from '../agent-metrics.ts';
import { AgentSettings } from '../agent-settings.ts';
import type { SnapshotLine } from '../domain/shelf-item.ts';
import { ApplyChanges } from '../handlers/apply-changes.ts';
import { SNAPSHOT_PIECE_ITEMS, type SnapshotRound, TakeOverSnapshot } from '../handlers/take-over-snapshot.ts';
import { Streams } from '../storage/stream.repository.ts';
import { Centre, type FeedAnswer, type SnapshotHead } from './centre.ts';
import { CentreAway, CentreRefused } from './centre-answer.ts';
import { Circuit } from './circuit.ts';
import { LinkState } from './link-state.ts';
import { pauseUnless } from './interrupted.ts';

/** Why following ends: the cursor leads nowhere, or what came could not be read. */
export type FollowEnd = 'snapshot';

const MS_PER_SECOND = 1000;

/** Follows what the centre decides about this store's stock, from a snapshot on. */
@Injectable()
export class Follower {
  constructor(
    private readonly settings: AgentSettings,
    private readonly centre: Centre,
    private readonly circuit: Circuit,
    private readonly link: LinkState,
    private readonly streams: Streams,
    private readonly applyChanges: ApplyChanges,
    private readonly takeOver: TakeOverSnapshot,
    private readonly metrics: AgentMetrics,
  ) {}

  /** @throws Interrupted when `end` is given */
  async run(end: AbortSignal): Promise<FollowEnd> {
    for (;;) {
      const changes = await this.poll(this.settings.pollSeconds, end);
      if (changes === null) return 'snapshot';
      if ((await this.streams.read()).snapshotWanted) return 'snapshot';
    }
  }

  /** Applies what has happened since the snapshot, until the feed has nothing more. @returns false: take another one */
  async catchUp(end: AbortSignal): Promise<boolean> {
    for (;;) {
      const changes = await this.poll(0, end);
      if (changes === null) return false;
      if (changes > 0) continue;
      await this.takeOver.settle();
      return true;
    }
  }

  /**
   * Takes the whole stock over. Nothing may be on its way to the centre meanwhile, or nobody could tell whether the
   * snapshot has it already.
   * @param epoch that this process has opened
   * @returns false when the stream has another one by now
   * @throws CentreAway when it is cut; the next one begins at the beginning
   */
  async takeSnapshot(epoch: number, end: AbortSignal): Promise<boolean> {
    const reading = new AbortController();
    const abort = (): void => {
      reading.abort();
    };
    end.addEventListener('abort', abort);
    const silence = setTimeout(abort, this.settings.callMaxMs).unref();
    try {
      const parts = this.centre.snapshot(reading.signal, () => silence.refresh());
      return await this.takeParts(parts, epoch);
    } finally {
      clearTimeout(silence);
      end.removeEventListener('abort', abort);
    }
  }

  private async takeParts(parts: ReturnType<Centre['snapshot']>, epoch: number): Promise<boolean> {
    const first = await parts.next();
    const head = first.value as SnapshotHead | undefined;
    if (head === undefined) throw new CentreAway('The snapshot is empty');
    if (head.epoch !== null && head.epoch !== epoch) {
      await parts.return(undefined);
      return false;
    }
    const round = await this.takeOver.begin(head.nextSequence);
    let lines: SnapshotLine[] = [];
    for await (const part of parts) {
      lines.push(...(part as readonly SnapshotLine[]));
      while (lines.length >= SNAPSHOT_PIECE_ITEMS) {
        await this.takeOver.piece(round, lines.slice(0, SNAPSHOT_PIECE_ITEMS));
        lines = lines.slice(SNAPSHOT_PIECE_ITEMS);
      }
    }
    await this.finish(round, lines, head.cursor);
    return true;
  }

  private async finish(round: SnapshotRound, lines: readonly SnapshotLine[], cursor: string): Promise<void> {
    if (lines.length > 0) await this.takeOver.piece(round, lines);
    await this.takeOver.sweep(round);
    await this.takeOver.end(round, cursor);
    this.metrics.countSnapshot();
  }

  /** @returns how many changes there were; null: the cursor leads nowhere */
  private async poll(waitSeconds: number, end: AbortSignal): Promise<number | null> {
    const { cursor } = await this.streams.read();
    if (cursor === null) return null;
    // After a failure the first call asks whether the centre is there, and waits for nothing else.
    const seconds = this.circuit.state === 'CLOSED' && this.link.current === 'CONNECTED' ? waitSeconds : 0;
    const maxMs = seconds * MS_PER_SECOND + this.settings.callMaxMs;
    let answer: FeedAnswer;
    try {
      answer = await this.circuit.untilAnswered(end, (signal) => this.centre.changes(cursor, seconds, signal), maxMs);
    } catch (error) {
      if (!(error instanceof CentreRefused)) throw error;
      if (error.code === 'CURSOR_GONE' || error.status === 400) return null;
      this.link.refused('feed', error);
      await pauseUnless(end, this.settings.retryMaxMs);
      return 0;
    }
    this.link.accepted('feed');
    if (!(await this.applyChanges.execute(cursor, answer.changes, answer.cursor))) return 0;
    if (answer.changes.length > 0) this.metrics.countChanges(answer.changes.length);
    return answer.changes.length;
  }
}
