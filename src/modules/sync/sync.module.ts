import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { ChangesController } from './changes.controller.ts';
import { DeadLettersController } from './dead-letters.controller.ts';
import { FeedLog } from './feeds/feed-log.ts';
import { FeedPolls } from './feeds/feed-polls.ts';
import { Feeds } from './feeds/feeds.ts';
import { FeedStreams } from './feeds/feed-streams.ts';
import { KnownLocations } from './feeds/known-locations.ts';
import { DiscardDeadLetterHandler } from './handlers/discard-dead-letter.ts';
import { GetDeadLetterHandler } from './handlers/get-dead-letter.ts';
import { ListDeadLettersHandler } from './handlers/list-dead-letters.ts';
import { RehearseReplayHandler } from './handlers/rehearse-replay.ts';
import { ReplayDeadLetterHandler } from './handlers/replay-dead-letter.ts';
import { SnapshotController } from './snapshot.controller.ts';
import { StockStreamController } from './stock-stream.controller.ts';

const DEAD_LETTER_HANDLERS = [
  ListDeadLettersHandler,
  GetDeadLetterHandler,
  ReplayDeadLetterHandler,
  RehearseReplayHandler,
  DiscardDeadLetterHandler,
];

const FEED_CONTROLLERS = [ChangesController, SnapshotController, StockStreamController];
const FEED_PROVIDERS = [KnownLocations, FeedLog, Feeds, FeedPolls, FeedStreams];

@Module({
  imports: [CqrsModule],
  controllers: [DeadLettersController, ...FEED_CONTROLLERS],
  providers: [...DEAD_LETTER_HANDLERS, ...FEED_PROVIDERS],
})
export class SyncModule {}
