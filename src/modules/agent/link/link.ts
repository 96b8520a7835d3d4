import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ONLY_CALLER } from '../../../shared/http/caller.ts';
import { runInContext } from '../../../shared/kernel/context.ts';
import { Ids } from '../../../shared/kernel/ids.ts';
import { AgentMetrics } from '../agent-metrics.ts';
import { AgentSettings } from '../agent-settings.ts';
import { OpenStream } from '../handlers/open-stream.ts';
import { TakeOverSnapshot } from '../handlers/take-over-snapshot.ts';
import { Streams } from '../storage/stream.repository.ts';
import { Centre } from './centre.ts';
import { CentreAway, CentreRefused } from './centre-answer.ts';
import { Circuit } from './circuit.ts';
import { Follower, type FollowEnd } from './follower.ts';
import { pauseUnless } from './interrupted.ts';
import { LinkState } from './link-state.ts';
import { type PushEnd, Pusher } from './pusher.ts';

const MS_PER_HOUR = 3_600_000;

/**
 * The link to the centre, from the start of the process to its end (docs/decisions/0024):
 * 1. open an epoch of this process's own, so that nothing which another process has sent can come in between;
 * 2. if the feed does not lead on from what the shelf shows: send everything that may have been sent before without an
 *    answer, and take a snapshot, of which it is then certain what of this store's is in it;
 * 3. follow the feed and send what is recorded, side by side, until one of the two needs an earlier step again.
 */
@Injectable()
export class Link implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Link.name);
  private readonly end = new AbortController();
  private running: Promise<void> | undefined;
  /** What was recorded before this process: of what comes after it, the centre can know only what we send. */
  private headAtStart = 0;
  private opened: number | null = null;
  private takeovers: number[] = [];

  constructor(
    private readonly settings: AgentSettings,
    private readonly centre: Centre,
    private readonly circuit: Circuit,
    private readonly link: LinkState,
    private readonly streams: Streams,
    private readonly openStream: OpenStream,
    private readonly pusher: Pusher,
    private readonly follower: Follower,
    private readonly takeOver: TakeOverSnapshot,
    private readonly metrics: AgentMetrics,
    private readonly ids: Ids,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.inContext(async () => {
      this.headAtStart = (await this.openStream.begin()).head;
    });
    this.running = this.inContext(() => this.run());
  }

  /** What is on its way is cut; the centre finds out by the ids when it is sent again. */
  async onModuleDestroy(): Promise<void> {
    this.end.abort();
    // A pause between two attempts is not waited for.
    await Promise.race([this.running, this.circuit.quiet()]);
  }

  private inContext<T>(work: () => Promise<T>): Promise<T> {
    const context = { ...ONLY_CALLER, clientId: 'link', correlationId: this.ids.next(), traceparent: null };
    return runInContext(context, work);
  }

  private async run(): Promise<void> {
    const { signal } = this.end;
    while (!signal.aborted) {
      await this.step(signal).catch((error: unknown) => (signal.aborted ? undefined : this.afterFailure(error)));
    }
  }

  private async step(end: AbortSignal): Promise<void> {
    this.opened ??= await this.open(end);
    if ((await this.streams.read()).snapshotWanted) {
      const drained = await this.pusher.drain(this.mayBeKnown(), end);
      if (drained !== null) return this.afterPushing(drained, end);
      if (!(await this.follower.takeSnapshot(this.opened, end))) return this.afterPushing('superseded', end);
    }
    if (!(await this.streams.read()).settled && !(await this.follower.catchUp(end))) {
      return this.takeOver.want();
    }
    const reason = await this.sideBySide(end);
    if (reason === 'snapshot') return this.takeOver.want();
    return this.afterPushing(reason, end);
  }

  /** An epoch of our own, and what is sent again in it. */
  private async open(end: AbortSignal): Promise<number> {
    const before = await this.circuit.untilAnswered(end, (signal) => this.centre.stream(signal));
    const key = this.ids.next();
    const epoch = await this.circuit.untilAnswered(end, (signal) => this.centre.openStream(key, signal));
    const { because, position } = await this.openStream.open(epoch, before, this.mayBeKnown());
    this.pusher.reset();
    this.metrics.countEpoch();
    this.link.accepted('stream');
    if (because === 'centre-restored') {
      this.logger.warn(
        { epoch, position },
        'The centre has lost what it had acknowledged; everything kept is sent again',
      );
    } else if (because === 'store-restored') {
      this.logger.warn(
        { epoch, position },
        'Somebody else has told the centre of this store since; a snapshot will tell',
      );
    }
    this.logger.log({ epoch, position, because }, 'Opened an epoch at the centre');
    return epoch;
  }

  /** Up to here, the centre may know of what was recorded, whether or not it said so. */
  private mayBeKnown(): number {
    return Math.max(this.headAtStart, this.pusher.mayHaveSeen);
  }

  private async sideBySide(end: AbortSignal): Promise<PushEnd | FollowEnd> {
    const both = new AbortController();
    const abort = (): void => {
      both.abort();
    };
    end.addEventListener('abort', abort);
    const pushing = this.pusher.run(both.signal);
    const following = this.follower.run(both.signal);
    try {
      return await Promise.race([pushing, following]);
    } finally {
      abort();
      end.removeEventListener('abort', abort);
      await Promise.allSettled([pushing, following]);
    }
  }

  private async afterPushing(reason: PushEnd, end: AbortSignal): Promise<void> {
    this.opened = null;
    if (reason === 'reopen') return;
    const now = performance.now();
    this.takeovers = this.takeovers.filter((at) => now - at < MS_PER_HOUR);
    if (this.takeovers.length < this.settings.takeoversMax) {
      this.takeovers.push(now);
      this.logger.error(
        'Another agent has opened a stream of this store; it is taken back. Let only one run for a store',
      );
      return;
    }
    this.link.superseded();
    await new Promise<void>((resolve) => {
      end.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** The step is tried again: what it had done is on disk. */
  private async afterFailure(error: unknown): Promise<void> {
    if (error instanceof CentreRefused) this.link.refused('stream', error);
    else if (error instanceof CentreAway) this.link.away(error);
    else this.logger.error({ err: error }, 'The link has failed; it begins again');
    const wantedMs = error instanceof CentreAway ? error.retryAfterMs : 0;
    await pauseUnless(this.end.signal, Math.max(wantedMs, this.settings.retryMaxMs)).catch(() => undefined);
  }
}
