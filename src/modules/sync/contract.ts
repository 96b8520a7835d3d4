import { Command, Query } from '@nestjs/cqrs';
import type { Instant } from '../../shared/kernel/clock.ts';
import type { DeadLetterStatus } from '../../shared/kernel/dead-letter-status.ts';
import type { EntityKey, Keyed } from '../../shared/kernel/entity-key.ts';
import type { Page } from '../../shared/kernel/page.ts';
import type { VersionMatch } from '../../shared/kernel/version-match.ts';

/*
 * The face of sync: its commands (in) and its queries, as plain data. Another module imports this file and nothing else
 * of sync.
 */

// ---------------------------------------------------------------- dead letters: plain data

/** An event that a consumer could not process, and what became of it. */
export interface DeadLetterView {
  readonly id: string;
  readonly eventId: string;
  readonly consumer: string;
  readonly locationId: string | null;
  readonly orderId: string | null;
  readonly sequence: number | null;
  /** Null: it came with no type that is a text. */
  readonly type: string | null;
  /** As it came. */
  readonly data: unknown;
  readonly code: string;
  readonly detail: string;
  /** Failed ones, replays included. */
  readonly attempts: number;
  readonly status: DeadLetterStatus;
  /** Why it was discarded. */
  readonly reason: string | null;
  readonly createdAt: Instant;
  readonly closedAt: Instant | null;
  readonly version: number;
}

/** What a replay would change: rows by what they are called, as the API shows them. */
export interface ReplayRehearsal {
  readonly before: Readonly<Record<string, readonly object[]>>;
  readonly after: Readonly<Record<string, readonly object[]>>;
  /** What it would fail with; null: it would succeed. */
  readonly failure: { readonly code: string; readonly detail: string } | null;
  /** Of the dead letter, so that the replay can be made conditional on it. */
  readonly version: number;
}

// ---------------------------------------------------------------- dead letters: commands

/** None can be named beforehand: what a replay touches is known to the letter's consumer only. */
const NO_KEYS: readonly EntityKey[] = [];

/**
 * Processes the letter's event again. It is REPLAYED when that works, and what waits behind it goes on in order; else it
 * stays DEAD with one more attempt. A letter that is closed stays as it is.
 */
export class ReplayDeadLetter extends Command<DeadLetterView> implements Keyed {
  readonly keys = NO_KEYS;

  constructor(
    readonly id: string,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }
}

/** Tells what a replay would change, and changes nothing. */
export class RehearseReplay extends Command<ReplayRehearsal> {
  constructor(
    readonly id: string,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }
}

/** Gives the letter's event up; what waits behind it goes on in order. A letter that is closed stays as it is. */
export class DiscardDeadLetter extends Command<DeadLetterView> implements Keyed {
  readonly keys = NO_KEYS;

  constructor(
    readonly id: string,
    readonly reason: string,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }
}

// ---------------------------------------------------------------- dead letters: queries

export class GetDeadLetter extends Query<DeadLetterView> {
  constructor(readonly id: string) {
    super();
  }
}

/** Oldest first. */
export class ListDeadLetters extends Query<Page<DeadLetterView>> {
  constructor(
    readonly status: DeadLetterStatus,
    readonly limit: number,
    readonly cursor: string | null,
  ) {
    super();
  }
}
