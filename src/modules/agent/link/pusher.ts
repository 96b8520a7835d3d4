import { Injectable, Logger } from '@nestjs/common';
import { AgentSettings } from '../agent-settings.ts';
import type { StreamState } from '../domain/stream.ts';
import { NoteAnswer } from '../handlers/note-answer.ts';
import { Streams } from '../storage/stream.repository.ts';
import { type OutgoingEvent, TillEvents } from '../storage/till-event.repository.ts';
import { Centre, eventText, type PushAnswer } from './centre.ts';
import { CentreRefused } from './centre-answer.ts';
import { Circuit } from './circuit.ts';
import { LinkState } from './link-state.ts';
import { pauseUnless } from './interrupted.ts';
import { WakeUp } from './wake-up.ts';

/** Why pushing ends: the stream has to be opened anew, because nobody knows it any more or somebody has taken it. */
export type PushEnd = 'reopen' | 'superseded';

type Pushed = 'sent' | 'nothing' | 'no-progress' | PushEnd;

/** First pause when the centre takes nothing although it answers; doubled up to STORE_RETRY_MAX_MS. */
const NO_PROGRESS_PAUSE_MS = 100;

/** Sends what was recorded, in order, one batch at a time, until the centre has it. */
@Injectable()
export class Pusher {
  private readonly logger = new Logger(Pusher.name);
  /** What the centre said that it lacks before what it has; sent first. */
  private missing: PushAnswer['missing'] = [];
  /** Most events of a batch now: fewer where the line is too slow, or the centre takes no larger body. */
  private eventsMax: number;
  private sentThrough = 0;

  constructor(
    private readonly settings: AgentSettings,
    private readonly centre: Centre,
    private readonly circuit: Circuit,
    private readonly link: LinkState,
    private readonly streams: Streams,
    private readonly events: TillEvents,
    private readonly noteAnswer: NoteAnswer,
    private readonly wakeUp: WakeUp,
  ) {
    this.eventsMax = settings.pushEventsMax;
  }

  /** A new epoch has begun. */
  reset(): void {
    this.missing = [];
  }

  /** The last position that the centre may have seen, whether or not it said so. */
  get mayHaveSeen(): number {
    return this.sentThrough;
  }

  /** Sends for as long as nothing is in the way. @throws Interrupted when `end` is given */
  async run(end: AbortSignal): Promise<PushEnd> {
    for (;;) {
      const pushed = await this.pushOrWait(end);
      if (pushed !== 'sent' && pushed !== 'nothing') return pushed;
      if (pushed === 'nothing') await this.wakeUp.wait(end);
    }
  }

  /**
   * Sends until the centre has everything up to `through`, as far as it can be sent.
   * @returns null when it has
   */
  async drain(through: number, end: AbortSignal): Promise<PushEnd | null> {
    for (;;) {
      const { acknowledged } = await this.streams.read();
      if (acknowledged >= through) return null;
      const pushed = await this.pushOrWait(end);
      if (pushed === 'nothing') return null;
      if (pushed !== 'sent') return pushed;
    }
  }

  /** @throws Interrupted when `end` is given */
  private async pushOrWait(end: AbortSignal): Promise<'sent' | 'nothing' | PushEnd> {
    for (let attempt = 0; ; attempt += 1) {
      const pushed = await this.push(end);
      if (pushed !== 'no-progress') return pushed;
      await pauseUnless(end, Math.min(NO_PROGRESS_PAUSE_MS * 2 ** attempt, this.settings.retryMaxMs));
    }
  }

  private async push(end: AbortSignal): Promise<Pushed> {
    const stream = await this.streams.read();
    const { epoch, base, acknowledged } = stream;
    if (epoch === null) return 'reopen';
    const batch = this.sized(await this.nextEvents(stream), base);
    if (batch.events.length === 0) return 'nothing';
    this.sentThrough = Math.max(this.sentThrough, batch.events.at(-1)?.position ?? 0);
    let answer: PushAnswer;
    try {
      answer = await this.circuit.untilAnswered(end, (signal) => this.send(epoch, batch.texts, signal, end));
    } catch (error) {
      if (error instanceof CentreRefused) return this.whenRefused(error, batch.events.length, epoch, end);
      throw error;
    }
    this.link.accepted('push');
    this.missing = answer.missing;
    const acknowledgement = await this.noteAnswer.execute(epoch, answer.results, answer.nextSequence);
    if (acknowledgement === 'lost' || acknowledgement === 'foreign') return 'reopen';
    return base + answer.nextSequence - 1 > acknowledged ? 'sent' : 'no-progress';
  }

  /** On a slow line a batch that takes too long is halved until it gets through; then it grows again. */
  private async send(
    epoch: number,
    texts: readonly string[],
    signal: AbortSignal,
    end: AbortSignal,
  ): Promise<PushAnswer> {
    const some = texts.slice(0, this.eventsMax);
    try {
      const answer = await this.centre.push(epoch, some, signal);
      this.eventsMax = Math.min(2 * this.eventsMax, this.settings.pushEventsMax);
      return answer;
    } catch (error) {
      if (signal.aborted && !end.aborted) this.eventsMax = Math.ceil(some.length / 2);
      throw error;
    }
  }

  /** What the centre lacks, else what comes next. */
  private async nextEvents({ base, acknowledged, head }: StreamState): Promise<OutgoingEvent[]> {
    const holes = this.missing.length > 0 ? this.missing : [[acknowledged + 1 - base, head - base] as const];
    const events: OutgoingEvent[] = [];
    for (const [from, to] of holes) {
      const left = this.eventsMax - events.length;
      if (left > 0) events.push(...(await this.events.between(base + from, base + to, left)));
    }
    return events;
  }

  /** As many of them as a body may hold, at least one. */
  private sized(events: readonly OutgoingEvent[], base: number): { events: OutgoingEvent[]; texts: string[] } {
    const texts: string[] = [];
    let bytes = 0;
    for (const event of events) {
      const text = eventText(event, base);
      bytes += Buffer.byteLength(text);
      if (texts.length > 0 && bytes > this.settings.pushBytesMax) break;
      texts.push(text);
    }
    return { events: events.slice(0, texts.length), texts };
  }

  private async whenRefused(
    error: CentreRefused,
    sent: number,
    epoch: number,
    end: AbortSignal,
  ): Promise<'no-progress' | PushEnd> {
    if (error.code === 'STALE_EPOCH') return 'superseded';
    if (error.status === 413 && sent > 1) {
      this.eventsMax = Math.floor(Math.min(sent, this.eventsMax) / 2);
      this.logger.warn(`The centre takes no batch of ${sent} events; the next one is smaller`);
      return 'no-progress';
    }
    if (error.status === 400 && (await this.isForgotten(epoch, end))) return 'reopen';
    this.link.refused('push', error);
    return 'no-progress';
  }

  /** Whether a 400 is about the epoch: a centre that was restored from a backup does not know it. */
  private async isForgotten(epoch: number, end: AbortSignal): Promise<boolean> {
    const known = await this.circuit.untilAnswered(end, (signal) => this.centre.stream(signal));
    return known.epoch === null || known.epoch < epoch;
  }
}
