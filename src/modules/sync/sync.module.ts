import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { ChangesController } from './changes.controller.ts';
import type { Table } from '../../shared/persistence/table.ts';
import { DeadLettersController } from './dead-letters.controller.ts';
import { FeedLog } from './feeds/feed-log.ts';
import { FeedPolls } from './feeds/feed-polls.ts';
import { Feeds } from './feeds/feeds.ts';
import { FeedStreams } from './feeds/feed-streams.ts';
import { KnownLocations } from './feeds/known-locations.ts';
import { CheckBalancePlaceHandler } from './handlers/check-balance-place.ts';
import { DiscardDeadLetterHandler } from './handlers/discard-dead-letter.ts';
import { FileReconciliationHandler } from './handlers/file-reconciliation.ts';
import { GetReconciliationHandler, ListReconciliationsHandler } from './handlers/get-reconciliation.ts';
import { GetDeadLetterHandler } from './handlers/get-dead-letter.ts';
import { GetStreamPositionHandler } from './handlers/get-stream-position.ts';
import { GetStoreHandler } from './handlers/get-store.ts';
import { ListDeadLettersHandler } from './handlers/list-dead-letters.ts';
import { ListStoreConflictsHandler } from './handlers/list-store-conflicts.ts';
import { ListStoresHandler } from './handlers/list-stores.ts';
import { RehearseReplayHandler } from './handlers/rehearse-replay.ts';
import { EndParkedEventsHandler } from './handlers/end-parked-events.ts';
import { OpenStoreStreamHandler } from './handlers/open-store-stream.ts';
import { PushStoreEventsHandler } from './handlers/push-store-events.ts';
import { ReplayDeadLetterHandler } from './handlers/replay-dead-letter.ts';
import { ORDER_PROVIDERS } from './order-parts.ts';
import { OrdersController } from './orders.controller.ts';
import { GetStorePolicyHandler } from './handlers/get-store-policy.ts';
import { PutStorePolicyHandler } from './handlers/put-store-policy.ts';
import { ReconciliationsController } from './reconciliations.controller.ts';
import { storeReconciliationsTable } from './storage/store-reconciliation.table.ts';
import { SnapshotController } from './snapshot.controller.ts';
import { StockStreamController } from './stock-stream.controller.ts';
import { StoreEventReader } from './handlers/store-event-reader.ts';
import { StoreIntake } from './handlers/store-intake.ts';
import { ReplayLettersWhenProductWasCreated } from './handlers/replay-letters-when-product-was-created.ts';
import { ReplayWaitingLettersHandler } from './handlers/replay-waiting-letters.ts';
import { StoreLetterReplayer } from './handlers/store-letter-replayer.ts';
import { StoreLetters } from './handlers/store-letters.ts';
import { WaitingLetters } from './handlers/waiting-letters.ts';
import { StoreViews } from './handlers/store-views.ts';
import { StoreReports } from './handlers/store-reports.ts';
import { StoreConflicts } from './storage/store-conflict.repository.ts';
import { storeConflictsTable } from './storage/store-conflict.table.ts';
import { storeEventsTable } from './storage/store-event.table.ts';
import { StoreStreams } from './storage/store-stream.repository.ts';
import { storeStreamsTable } from './storage/store-stream.table.ts';
import { StoreGauges } from './store-gauges.ts';
import { storePoliciesTable } from './storage/store-policy.table.ts';
import { StoreContacts } from './store-contacts.ts';
import { StorePoliciesController } from './store-policies.controller.ts';
import { StoresController } from './stores.controller.ts';

const DEAD_LETTER_HANDLERS = [
  ListDeadLettersHandler,
  GetDeadLetterHandler,
  ReplayDeadLetterHandler,
  RehearseReplayHandler,
  DiscardDeadLetterHandler,
];

const FEED_CONTROLLERS = [ChangesController, SnapshotController, StockStreamController];
const FEED_PROVIDERS = [KnownLocations, FeedLog, Feeds, FeedPolls, FeedStreams, GetStreamPositionHandler];

/** Stores, their streams and what comes in them. */
const STORE_PROVIDERS = [
  StoreStreams,
  StoreConflicts,
  StoreEventReader,
  StoreReports,
  StoreLetters,
  StoreIntake,
  OpenStoreStreamHandler,
  EndParkedEventsHandler,
  PushStoreEventsHandler,
  StoreViews,
  GetStoreHandler,
  ListStoresHandler,
  ListStoreConflictsHandler,
  StoreGauges,
  StoreLetterReplayer,
  WaitingLetters,
  ReplayWaitingLettersHandler,
  ReplayLettersWhenProductWasCreated,
];

/** Whether stores and centre have the same. */
const RECONCILIATION_HANDLERS = [
  CheckBalancePlaceHandler,
  FileReconciliationHandler,
  GetReconciliationHandler,
  ListReconciliationsHandler,
];

/** When stores were heard from, and how carefully their stock is sold when they were not. */
const FRESHNESS_PROVIDERS = [StoreContacts, PutStorePolicyHandler, GetStorePolicyHandler];

/** In the order in which a batch writes them. */
export const SYNC_TABLES = [
  storeStreamsTable,
  storeEventsTable,
  storeConflictsTable,
  storeReconciliationsTable,
  storePoliciesTable,
] as Table[];

@Module({
  imports: [CqrsModule],
  controllers: [
    DeadLettersController,
    StoresController,
    StorePoliciesController,
    ReconciliationsController,
    OrdersController,
    ...FEED_CONTROLLERS,
  ],
  providers: [
    ...DEAD_LETTER_HANDLERS,
    ...STORE_PROVIDERS,
    ...ORDER_PROVIDERS,
    ...FEED_PROVIDERS,
    ...FRESHNESS_PROVIDERS,
    ...RECONCILIATION_HANDLERS,
  ],
})
export class SyncModule {}
