import { Injectable, Logger } from '@nestjs/common';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';

/**
 * `STARTING`: not reached yet; `AWAY`: no answer, tried again all the time; `REFUSED`: the centre says no, somebody has to
 * look; `SUPERSEDED`: another agent has taken the store over, and this one has stood down.
 */
export type LinkCondition = 'STARTING' | 'CONNECTED' | 'AWAY' | 'REFUSED' | 'SUPERSEDED';

/** What the centre can say no to. */
export type Refusable = 'stream' | 'push' | 'feed';

/** What is known of the link at this moment, for health, metrics and log. A line for every change, none for a repeat. */
@Injectable()
export class LinkState {
  private readonly logger = new Logger('Link');
  private condition: LinkCondition = 'STARTING';
  private reason: string | null = null;
  private contactAt: Instant | null = null;
  private readonly refusals = new Map<Refusable, string>();

  constructor(private readonly clock: Clock) {}

  get current(): LinkCondition {
    return this.condition;
  }

  /** Why it is not CONNECTED, in words for a person. */
  get problem(): string | null {
    return this.reason;
  }

  get lastContactAt(): Instant | null {
    return this.contactAt;
  }

  /** The centre has answered. */
  reached(): void {
    this.contactAt = this.clock.now();
    if (this.condition === 'STARTING' || this.condition === 'AWAY') {
      this.logger.log('The centre is there');
      const [refusal] = this.refusals.values();
      this.set(refusal === undefined ? 'CONNECTED' : 'REFUSED', refusal ?? null);
    }
  }

  away(error: Error): void {
    if (this.condition === 'SUPERSEDED') return;
    if (this.condition !== 'AWAY') {
      this.logger.warn({ err: error }, 'The centre is away; the tills go on, and what they record is sent later');
    }
    this.set('AWAY', error.message);
  }

  /** @param what was refused; it is so until the same is accepted */
  refused(what: Refusable, error: Error): void {
    if (this.refusals.get(what) !== error.message) {
      this.logger.error({ err: error }, 'The centre refuses this store; the tills go on, and what they record is kept');
    }
    this.refusals.set(what, error.message);
    this.set('REFUSED', error.message);
  }

  accepted(what: Refusable): void {
    if (!this.refusals.delete(what) || this.refusals.size > 0) return;
    this.logger.log('The centre takes this store again');
    this.set('CONNECTED', null);
  }

  superseded(): void {
    this.logger.fatal(
      'Another agent has taken over this store, again and again; this one stands down until it is restarted. Let only one agent run for a store',
    );
    this.set('SUPERSEDED', 'another agent has taken over this store');
  }

  private set(condition: LinkCondition, reason: string | null): void {
    this.condition = condition;
    this.reason = reason;
  }
}
