import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { allowSilence } from '../../../shared/http/answered-stream.ts';
import type { Exchange } from '../../../shared/http/exchange.ts';
import { Metrics } from '../../../shared/operations/metrics.ts';
import { CursorGone } from '../feed-cursor.ts';
import type { FeedChange, ToldAs } from './feed-change.ts';
import type { FeedInterest } from './feed-interest.ts';
import { FeedLog } from './feed-log.ts';
import type { FeedReader } from './feed-reader.ts';
import { Feeds } from './feeds.ts';

/** Text of changes in one answer; one that is longer by itself is answered alone. */
const ANSWER_CHARACTERS_MAX = 1_048_576;
/** How long an answer that does not wait may look for something that is wanted, in milliseconds. */
const LOOK_MAX_MS = 1_000;

export interface PollOptions {
  /** Most changes of the answer. */
  readonly limit: number;
  /** How long to wait for the first one. */
  readonly waitMs: number;
  /** Called once the cursor is known to be good, before anything is looked for. */
  readonly onAccepted: () => Promise<void>;
}

export interface PollAnswer {
  /** JSON texts. */
  readonly changes: readonly string[];
  readonly position: number;
}

/** What was found for an answer. */
interface Found {
  readonly changes: readonly FeedChange[];
  /** Behind everything that was looked at, so that nothing is looked at twice. */
  readonly position: number;
}

/** Answers who asks for what is new: at once where there is something, else after a while. */
@Injectable()
export class FeedPolls {
  constructor(
    private readonly feeds: Feeds,
    private readonly log: FeedLog,
    private readonly metrics: Metrics,
  ) {}

  /**
   * @param after the caller's cursor; null: the oldest that is kept, so that nothing can be gone
   * @throws CursorGone
   * @throws Busy when as many feeds as may be are open
   */
  async answer(
    exchange: Exchange,
    interest: FeedInterest,
    after: number | null,
    options: PollOptions,
  ): Promise<PollAnswer> {
    if (after !== null) await this.log.assertKnown(after);
    await options.onAccepted();
    const from = (position: number): Promise<Found> =>
      options.waitMs === 0 || this.feeds.isStopping
        ? this.look(interest, position, options)
        : this.wait(exchange, interest, position, options);
    const answer = within(await (after === null ? this.fromOldest(from) : from(after)), interest.as);
    this.metrics.countToldChanges('poll', answer.changes.length);
    return answer;
  }

  /** What the oldest is may change while it is read. */
  private async fromOldest(from: (position: number) => Promise<Found>): Promise<Found> {
    for (;;) {
      try {
        return await from(await this.log.oldest());
      } catch (error) {
        if (!(error instanceof CursorGone)) throw error;
      }
    }
  }

  /** Reads the log itself: whatever was stored before the question, by any server, is in the answer. */
  private async look(interest: FeedInterest, after: number, { limit }: PollOptions): Promise<Found> {
    const endMs = performance.now() + LOOK_MAX_MS;
    for (let position = after; ;) {
      const { changes, upTo, more } = await this.log.page(interest, position, limit);
      position = upTo;
      if (changes.length > 0 || !more || performance.now() >= endMs) return { changes, position };
      await nextTurn();
    }
  }

  private async wait(
    exchange: Exchange,
    interest: FeedInterest,
    after: number,
    { limit, waitMs }: PollOptions,
  ): Promise<Found> {
    const endMs = performance.now() + waitMs;
    const place = this.feeds.enter('poll');
    let reader: FeedReader | undefined;
    try {
      reader = await this.feeds.follow(interest, after);
      allowSilence(exchange, reader.stop.bind(reader));
      for (;;) {
        const changes = await reader.next(limit);
        const leftMs = endMs - performance.now();
        if (changes.length > 0 || leftMs <= 0 || reader.isStopped) return { changes, position: reader.position };
        if (reader.isBehind) await nextTurn();
        else await reader.wait(leftMs);
      }
    } finally {
      reader?.close();
      place.leave();
    }
  }
}

/** The answer without what would make it too long. */
function within({ changes: found, position }: Found, as: ToldAs): PollAnswer {
  const changes: string[] = [];
  let characters = 0;
  for (const change of found) {
    const text = change.textOf(as);
    characters += text.length;
    if (characters > ANSWER_CHARACTERS_MAX && changes.length > 0) {
      return { changes, position: found[changes.length - 1]?.position ?? position };
    }
    changes.push(text);
  }
  return { changes, position };
}
