import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { runInContext } from '../kernel/context.ts';
import type { EntityKey } from '../kernel/entity-key.ts';
import type { Transaction } from '../persistence/transaction.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import { type Reaction, type ReactionOptions, reactionOptionsOf } from './reaction.ts';
import { type LoggedEvent, readEvent, type StoredEvent } from './stored-event.ts';
import { Upcasting } from './upcasting.ts';

/** A reaction that was found, under its name. */
export interface Consumer extends Required<ReactionOptions> {
  readonly types: readonly string[];
  readonly reaction: Reaction;
}

/** An event of the log, and what a reaction sees of it: once, however often it is tried. */
export interface OpenedEvent {
  readonly logged: LoggedEvent;
  /** Undefined: nobody here can read it. */
  readonly event: StoredEvent | undefined;
  readonly error?: unknown;
}

const NAME = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$/;
const NAME_LENGTH_MAX = 64;

/** Finds the reactions at the start and hands events to them. */
@Injectable()
export class Dispatch implements OnModuleInit {
  private readonly found = new Map<string, Consumer>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly unitOfWork: UnitOfWork,
    private readonly upcasting: Upcasting,
  ) {}

  /** @throws Error, which stops the start, when a reaction is declared wrongly or its name is taken */
  onModuleInit(): void {
    for (const { metatype, instance } of this.discovery.getProviders()) {
      const options = typeof metatype === 'function' ? reactionOptionsOf(metatype) : undefined;
      if (options !== undefined) {
        this.add(options, instance as Reaction);
      }
    }
  }

  get consumers(): readonly Consumer[] {
    return [...this.found.values()];
  }

  /** @returns undefined when no reaction has that name (any more) */
  consumerNamed(name: string): Consumer | undefined {
    return this.found.get(name);
  }

  /** Never throws: what cannot be read fails when it is handed over, alone. */
  open(logged: LoggedEvent): OpenedEvent {
    try {
      return { logged, event: readEvent(this.upcasting, logged) };
    } catch (error) {
      return { logged, event: undefined, error };
    }
  }

  /** The rows that these events will touch. */
  keysOf({ reaction }: Consumer, events: readonly OpenedEvent[]): EntityKey[] {
    if (reaction.keysOf === undefined) return [];
    return events.flatMap(({ event }) => (event === undefined ? [] : (reaction.keysOf?.(event) ?? [])));
  }

  /**
   * Lets the reaction handle one event inside the given transaction. When it throws, nothing of it is left.
   * @throws whatever the reaction throws, and Error when the event cannot be read
   */
  hand(consumer: Consumer, { logged, event, error }: OpenedEvent, tx: Transaction): Promise<void> {
    if (event === undefined) {
      return Promise.reject(error instanceof Error ? error : new Error('The event cannot be read', { cause: error }));
    }
    const { correlationId, traceparent, eventId } = logged;
    const context = {
      tenantId: tx.tenantId,
      clientId: consumer.consumer,
      correlationId,
      traceparent,
      causationId: eventId,
    };
    return runInContext(context, () =>
      this.unitOfWork.run(NO_KEYS, async () => {
        await consumer.reaction.handle(event, tx);
      }),
    );
  }

  private add(options: ReactionOptions, reaction: Reaction): void {
    const { consumer, events, startAt = 'oldest' } = options;
    if (!NAME.test(consumer) || consumer.length > NAME_LENGTH_MAX) {
      throw new Error(`"${consumer}" is no name for a consumer: it has to be like module.what-it-does`);
    }
    if (this.found.has(consumer)) {
      throw new Error(`Two reactions are called ${consumer}; each needs a name of its own`);
    }
    if (typeof (reaction as Partial<Reaction>).handle !== 'function' || events.length === 0) {
      throw new Error(`The reaction ${consumer} has to name events and to have a method handle`);
    }
    for (const { type, version } of events) {
      if (this.upcasting.newestVersionOf(type) !== version) {
        throw new Error(`The reaction ${consumer} does not know the newest version of ${type}`);
      }
    }
    this.found.set(consumer, { consumer, events, startAt, types: events.map(({ type }) => type), reaction });
  }
}

const NO_KEYS = { keys: [] };
