import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { LastingAccess } from '../../../shared/access/lasting-access.ts';
import { allowSilence } from '../../../shared/http/answered-stream.ts';
import type { Exchange } from '../../../shared/http/exchange.ts';
import { Lifecycle } from '../../../shared/operations/lifecycle.ts';
import { type FeedKind, Metrics } from '../../../shared/operations/metrics.ts';
import { Unavailable } from '../../../shared/persistence/persistence.errors.ts';
import { ResultStream } from '../../../shared/rows/result-stream.ts';
import { Settings } from '../../../shared/settings.ts';
import type { FeedInterest } from './feed-interest.ts';
import { FeedLog } from './feed-log.ts';
import type { FeedReader } from './feed-reader.ts';
import { Feeds } from './feeds.ts';
import { EVENT_STREAM_CONTENT_TYPE, heartbeatFrame, openingFrame } from './server-sent-events.ts';

/** Changes that are written at a time: about as much text as a slow reader may leave unread. */
const PIECE_CHANGES = 64;
/** When the server stops, a stream that nobody reads is cut after this, in milliseconds; others have ended by then. */
const LEAVE_MAX_MS = 500;

/** What a stream of changes tells. */
export interface ToldFeed {
  readonly kind: FeedKind;
  readonly interest: FeedInterest;
  /** The caller's cursor; null: only what comes. */
  readonly after: number | null;
  /** Called once the cursor is known to be good. */
  readonly onAccepted?: () => Promise<void>;
}

/**
 * Answers without an end, or of any length. What is not read yet is bounded: a stream whose reader takes nothing for
 * FEED_UNREAD_MAX_MS is cut, and no other stream feels it, because each reads the log at its own pace.
 */
@Injectable()
export class FeedStreams {
  private readonly logger = new Logger(FeedStreams.name);

  constructor(
    private readonly feeds: Feeds,
    private readonly log: FeedLog,
    private readonly access: LastingAccess,
    private readonly lifecycle: Lifecycle,
    private readonly metrics: Metrics,
    private readonly settings: Settings,
  ) {}

  /**
   * Server-Sent Events: every change with the cursor behind it as its id.
   * @throws CursorGone, Busy, Unavailable as long as they can be an ordinary answer
   */
  async tell(exchange: Exchange, feed: ToldFeed): Promise<Readable> {
    const { after, interest, kind } = feed;
    if (after !== null) await this.log.assertKnown(after);
    const from = after ?? (await this.log.newest());
    await feed.onAccepted?.();
    exchange.reply.header('content-type', EVENT_STREAM_CONTENT_TYPE);
    return this.pour(exchange, kind, async (stream) => {
      const reader = await this.feeds.follow(interest, from);
      const stop = reader.stop.bind(reader);
      const unwatch = this.access.watch(exchange.request, this.settings.feedHeartbeatMs, stop);
      stream.once('close', stop);
      if (stream.destroyed) stop();
      try {
        await this.tellAll(stream, reader, feed);
      } finally {
        unwatch();
        reader.close();
      }
    });
  }

  /**
   * An answer that is written while it is read.
   * @param write ends when the answer is whole; whatever it throws cuts the answer
   * @throws Busy when as many feeds as may be are open
   * @throws Unavailable when the process is stopping
   */
  pour(exchange: Exchange, kind: FeedKind, write: (stream: ResultStream) => Promise<void>): Readable {
    // Proxies that collect an answer before they pass it on would keep all of it.
    exchange.reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no');
    if (exchange.request.method === 'HEAD') return Readable.from([]);
    if (this.feeds.isStopping) throw new Unavailable('The server is stopping; ask again');
    const place = this.feeds.enter(kind);
    const forget = this.lifecycle.onDraining(() => {
      setTimeout(() => exchange.reply.raw.destroy(), LEAVE_MAX_MS).unref();
    });
    const limitSilence = allowSilence(exchange, forget);
    const stream = new ResultStream(this.settings.feedUnreadMaxMs);
    void this.run(stream, kind, write).finally(() => {
      place.leave();
      // What is written may still wait for its reader.
      limitSilence(this.settings.feedUnreadMaxMs);
    });
    return stream;
  }

  private async run(
    stream: ResultStream,
    kind: FeedKind,
    write: (stream: ResultStream) => Promise<void>,
  ): Promise<void> {
    try {
      await write(stream);
      if (!stream.destroyed) stream.finish();
    } catch (error) {
      if (!stream.destroyed) {
        this.logger.warn({ err: error, kind }, 'A feed broke off; its reader goes on from where it was');
        stream.destroy();
      }
    } finally {
      if (stream.isCut) this.metrics.countDroppedFeed(kind);
    }
  }

  private async tellAll(stream: ResultStream, reader: FeedReader, { kind, interest }: ToldFeed): Promise<void> {
    const { feedHeartbeatMs } = this.settings;
    await stream.send(openingFrame(reader.position));
    for (let saidMs = performance.now(); !reader.isStopped;) {
      const changes = await reader.next(PIECE_CHANGES);
      const quietMs = performance.now() - saidMs;
      if (changes.length > 0) {
        await stream.send(Buffer.concat(changes.map((change) => change.frameOf(interest.as))));
        this.metrics.countToldChanges(kind, changes.length);
      } else if (quietMs >= feedHeartbeatMs) {
        await stream.send(heartbeatFrame(reader.position));
      } else {
        if (reader.isBehind) await nextTurn();
        else await reader.wait(feedHeartbeatMs - quietMs);
        continue;
      }
      saidMs = performance.now();
    }
  }
}
