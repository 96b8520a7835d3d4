import { type DynamicModule, Global, Module, type OnModuleInit } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import type { EventDefinition, Upcaster } from '../kernel/domain-event.ts';
import { Pace } from '../kernel/pace.ts';
import type { Table } from '../persistence/table.ts';
import { Settings } from '../settings.ts';
import { consumerCursorsTable } from './consumer-cursor.table.ts';
import { CentralChanges } from './central-changes.ts';
import { ConsumerCursors } from './consumer-cursors.ts';
import { deadLettersTable } from './dead-letter.table.ts';
import { DeadLetters } from './dead-letters.ts';
import { Delivery } from './delivery.ts';
import { Dispatch } from './dispatch.ts';
import { EventHistory } from './event-history.ts';
import { EventRetention } from './event-retention.ts';
import { LogReader } from './log-reader.ts';
import { LogWatch } from './log-watch.ts';
import { OutboxGauges } from './outbox-gauges.ts';
import { RecentEvents } from './recent-events.ts';
import { ReactionReplayer } from './reaction-replayer.ts';
import { Relay } from './relay.ts';
import { Replays } from './replays.ts';
import { RetryPolicy } from './retry-policy.ts';
import { SetAside } from './set-aside.ts';
import { blockedSubjectsTable, setAsideEventsTable } from './set-aside.table.ts';
import { Upcasting } from './upcasting.ts';
import { Views } from './views.ts';

/** In the order in which a batch writes them. */
export const OUTBOX_TABLES = [
  consumerCursorsTable,
  blockedSubjectsTable,
  setAsideEventsTable,
  deadLettersTable,
] as Table[];

/** What the modules publish. */
export interface PublishedEvents {
  /** Every version that the log may still hold. */
  readonly events: readonly EventDefinition[];
  readonly upcasters: readonly Upcaster[];
}

/**
 * Delivery of events to reactions, the dead letters, and how long the log is kept. Needs Settings, Clock, Ids, Pace, Metrics,
 * UnitOfWork, Reader and Retention from global modules. Reactions, replayers and views are found among the providers of all modules.
 */
@Global()
@Module({})
export class OutboxModule implements OnModuleInit {
  constructor(
    private readonly retention: EventRetention,
    private readonly cursors: ConsumerCursors,
  ) {}

  static forRoot({ events, upcasters }: PublishedEvents): DynamicModule {
    return {
      module: OutboxModule,
      imports: [DiscoveryModule],
      providers: [
        { provide: Upcasting, useFactory: () => new Upcasting(events, upcasters) },
        {
          provide: RetryPolicy,
          inject: [Settings, Pace],
          useFactory: ({ relayAttemptsMax, relayBackoffFirstMs, relayBackoffMaxMs }: Settings, pace: Pace) => {
            const limits = { attemptsMax: relayAttemptsMax, firstMs: relayBackoffFirstMs, maxMs: relayBackoffMaxMs };
            return new RetryPolicy(limits, () => pace.chance());
          },
        },
        RecentEvents,
        LogReader,
        LogWatch,
        Dispatch,
        ConsumerCursors,
        SetAside,
        Delivery,
        Relay,
        Views,
        DeadLetters,
        Replays,
        ReactionReplayer,
        OutboxGauges,
        EventHistory,
        CentralChanges,
        EventRetention,
      ],
      exports: [
        Upcasting,
        LogReader,
        LogWatch,
        ConsumerCursors,
        DeadLetters,
        Replays,
        Relay,
        EventHistory,
        CentralChanges,
        EventRetention,
        OutboxGauges,
      ],
    };
  }

  onModuleInit(): void {
    this.retention.keepWhatIsNeeded(() => this.cursors.neededFrom());
  }
}
