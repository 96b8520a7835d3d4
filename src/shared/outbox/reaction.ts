import { applyDecorators, Injectable, SetMetadata } from '@nestjs/common';
import type { EntityKey } from '../kernel/entity-key.ts';
import type { EventDefinition } from '../kernel/domain-event.ts';
import type { Transaction } from '../persistence/transaction.ts';
import type { StoredEvent } from './stored-event.ts';

/** Where a consumer begins that has never run before. */
export type StartAt = 'oldest' | 'newest';

export interface ReactionOptions {
  /**
   * `<module>.<what-it-does>`, unique in the program. Its place in the log is kept under this name, so a consumer that
   * is renamed begins anew.
   */
  readonly consumer: string;
  /** What it reacts to, each in its newest version. */
  readonly events: readonly EventDefinition[];
  /** Default: `oldest`, everything that is still kept. `newest`: only what happens from its first start on. */
  readonly startAt?: StartAt;
}

/**
 * What a class with `@ReactsTo` has to have. A handler and its consumer's place in the log are one commit, and the same
 * event never comes twice after it; it comes again after a failure, when nothing of the first time is left.
 *
 * It runs inside a unit of work: it touches nothing but the transaction, sends commands and no queries, and waits for
 * nothing outside of the process. What it throws is tried again later, with the later events of the same subject behind
 * it; a refusal of the kind `busy` holds up the consumer instead and is not counted against the event.
 */
export interface Reaction<Data = unknown> {
  /** Rows that it will touch, so that many events load each table once. */
  keysOf?(event: StoredEvent<Data>): readonly EntityKey[];
  handle(event: StoredEvent<Data>, tx: Transaction): Promise<unknown> | void;
}

const REACTION = Symbol('reaction');

/** Makes a provider a consumer of events: `do-this-when-that-happened.ts`. dispatch.ts finds it at the start. */
export function ReactsTo(options: ReactionOptions): ClassDecorator {
  return applyDecorators(Injectable(), SetMetadata(REACTION, options));
}

export function reactionOptionsOf(type: object): ReactionOptions | undefined {
  return Reflect.getMetadata(REACTION, type) as ReactionOptions | undefined;
}
