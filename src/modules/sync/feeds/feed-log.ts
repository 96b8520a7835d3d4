import { Injectable } from '@nestjs/common';
import { EventRetention } from '../../../shared/outbox/event-retention.ts';
import { LogReader } from '../../../shared/outbox/log-reader.ts';
import { Upcasting } from '../../../shared/outbox/upcasting.ts';
import { CursorGone, formatFeedCursor } from '../feed-cursor.ts';
import { FeedChange } from './feed-change.ts';
import type { FeedInterest } from './feed-interest.ts';

/** A stretch of the log as a feed tells it. */
export interface FeedPage {
  readonly changes: readonly FeedChange[];
  /** Nothing that is wanted is left up to here, included. */
  readonly upTo: number;
  /** False: the end of the log was reached. */
  readonly more: boolean;
}

/** The event log of the context's tenant, read for feeds. */
@Injectable()
export class FeedLog {
  constructor(
    private readonly log: LogReader,
    private readonly retention: EventRetention,
    private readonly upcasting: Upcasting,
  ) {}

  /** Where whoever has seen nothing begins: everything behind it is kept. */
  oldest(): Promise<number> {
    return this.retention.purgedThrough();
  }

  /** Where whoever wants to hear of nothing but what comes begins. */
  async newest(): Promise<number> {
    // Of a tenant that was quiet for long, the mark may have passed even the last event.
    const [head, purgedThrough] = [await this.log.headOfTenant(), await this.retention.purgedThrough()];
    return Math.max(head, purgedThrough);
  }

  /**
   * @param position that a caller's cursor names
   * @throws CursorGone when what follows it is no longer kept, or when the log does not reach it: then the database is an
   *   older one than gave it out, and would hide from this caller whatever takes the positions in between
   */
  async assertKnown(position: number): Promise<void> {
    const [head, purgedThrough] = [await this.log.head(), await this.retention.purgedThrough()];
    assertKept(position, purgedThrough);
    if (position > Math.max(head, purgedThrough)) {
      throw new CursorGone(String(position), 'is ahead of everything that is stored here');
    }
  }

  /**
   * @param limit most events that are looked at one by one
   * @throws CursorGone when something behind `after` was purged
   */
  async page(interest: FeedInterest, after: number, limit: number): Promise<FeedPage> {
    const { events, upTo, more } = await this.log.after(after, interest.filter, limit);
    // Asked afterwards: what was purged while the page was read would be missing from it.
    assertKept(after, await this.retention.purgedThrough());
    const changes = events.map((event) => new FeedChange(event, this.upcasting));
    return { changes: changes.filter((change) => interest.wants(change)), upTo, more };
  }
}

function assertKept(position: number, purgedThrough: number): void {
  if (position < purgedThrough) {
    throw new CursorGone(formatFeedCursor(position), 'is older than what is kept');
  }
}
