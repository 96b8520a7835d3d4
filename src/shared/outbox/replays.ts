import { applyDecorators, Injectable, Logger, type OnModuleInit, SetMetadata } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { assertVersionMatches, type VersionMatch } from '../kernel/version-match.ts';
import type { RehearsedChange, Transaction } from '../persistence/transaction.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import type { DeadLetterRow } from './dead-letter.table.ts';
import { DeadLetters } from './dead-letters.ts';
import { type Failure, failureOf, isBusy } from './failure.ts';
import { type BeforeAndAfter, Views } from './views.ts';

/**
 * Knows how letters of some consumers are processed again; a provider with `@ReplaysLettersOf`. Both methods run inside a
 * unit of work and touch nothing but the transaction. Reactions have theirs already.
 */
export interface Replayer {
  /** Processes the letter's event again. @throws what it fails with; then nothing of it is left */
  replay(letter: DeadLetterRow, tx: Transaction): Promise<unknown>;
  /** The letter is over, replayed or discarded: what waited behind it may go on, in order. */
  release(letter: DeadLetterRow, tx: Transaction): Promise<void>;
}

const REPLAYER = Symbol('replayer');

/** @param consumers the `consumer` of the letters, e.g. `sync.store-events` */
export function ReplaysLettersOf(...consumers: readonly string[]): ClassDecorator {
  return applyDecorators(Injectable(), SetMetadata(REPLAYER, consumers));
}

/** What a replay would change, as views by their names, and what it would fail with. */
export interface Rehearsal extends BeforeAndAfter {
  /** As it is, before and after. */
  readonly letter: DeadLetterRow;
  /** Null: it would succeed. */
  readonly failure: Failure | null;
}

const NOBODY: Failure = {
  code: 'NO_CONSUMER',
  detail: 'The consumer of this letter is no part of the program any more; it can only be discarded',
};

/** What an operator does about dead letters, whatever kind they are. Called inside a unit of work. */
@Injectable()
export class Replays implements OnModuleInit {
  private readonly logger = new Logger(Replays.name);
  private readonly replayers = new Map<string, Replayer>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly unitOfWork: UnitOfWork,
    private readonly deadLetters: DeadLetters,
    private readonly views: Views,
  ) {}

  /** @throws Error, which stops the start, when two replay the letters of one consumer */
  onModuleInit(): void {
    for (const { metatype, instance } of this.discovery.getProviders()) {
      if (typeof metatype !== 'function') continue;
      const consumers = Reflect.getMetadata(REPLAYER, metatype) as readonly string[] | undefined;
      consumers?.forEach((consumer) => {
        this.add(consumer, instance as Replayer);
      });
    }
  }

  /** @throws Error when somebody else replays the letters of that consumer */
  add(consumer: string, replayer: Replayer): void {
    if (this.replayers.has(consumer)) {
      throw new Error(`Two providers replay the dead letters of ${consumer}; exactly one has to`);
    }
    this.replayers.set(consumer, replayer);
  }

  get consumers(): readonly string[] {
    return [...this.replayers.keys()];
  }

  /**
   * Processes the letter's event again. It is REPLAYED when that works, else it stays DEAD with one more attempt. A
   * letter that is closed stays as it is.
   * @throws DeadLetterNotFound, VersionMismatch; a refusal of the kind `busy`, which is nobody's failed attempt
   */
  async replay(tx: Transaction, id: string, ifMatch: VersionMatch | null): Promise<DeadLetterRow> {
    const letter = await this.matching(tx, id, ifMatch);
    if (letter.status !== 'DEAD') return letter;
    const failure = await this.attempt(letter, tx);
    if (failure !== null) return this.deadLetters.failedAgain(tx, letter, failure);
    // Processing an event may close its letters by itself.
    const now = await this.deadLetters.get(tx, id);
    if (now.status !== 'DEAD') return now;
    await this.replayers.get(letter.consumer)?.release(now, tx);
    return this.deadLetters.close(tx, now, 'REPLAYED');
  }

  /** Gives the letter's event up. A letter that is closed stays as it is. @throws DeadLetterNotFound, VersionMismatch */
  async discard(tx: Transaction, id: string, reason: string, ifMatch: VersionMatch | null): Promise<DeadLetterRow> {
    const letter = await this.matching(tx, id, ifMatch);
    if (letter.status !== 'DEAD') return letter;
    await this.replayers.get(letter.consumer)?.release(letter, tx);
    return this.deadLetters.close(tx, letter, 'DISCARDED', reason);
  }

  /** What a replay would change; nothing is left of it. @throws as `replay` */
  async rehearse(tx: Transaction, id: string, ifMatch: VersionMatch | null): Promise<Rehearsal> {
    const letter = await this.matching(tx, id, ifMatch);
    let failure: Failure | null = null;
    let changes: RehearsedChange[] = [];
    if (letter.status === 'DEAD') {
      changes = await tx.rehearse(async () => {
        failure = await this.attempt(letter, tx);
      });
    }
    return { letter, ...this.views.of(changes), failure };
  }

  private async matching(tx: Transaction, id: string, ifMatch: VersionMatch | null): Promise<DeadLetterRow> {
    const letter = await this.deadLetters.get(tx, id);
    assertVersionMatches(ifMatch, letter.version);
    return letter;
  }

  /** @returns what it failed with, or null */
  private async attempt(letter: DeadLetterRow, tx: Transaction): Promise<Failure | null> {
    const replayer = this.replayers.get(letter.consumer);
    if (replayer === undefined) return NOBODY;
    try {
      await this.unitOfWork.run({ keys: [] }, () => replayer.replay(letter, tx));
      return null;
    } catch (error) {
      if (tx.isBroken || isBusy(error)) throw error;
      const { id: letterId, consumer, eventId } = letter;
      this.logger.warn({ err: error, letterId, consumer, eventId }, 'A dead letter could not be replayed');
      return failureOf(error);
    }
  }
}
