import type { Readable } from 'node:stream';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allows } from '../../shared/access/allows.ts';
import { AnswersStream } from '../../shared/http/answered-stream.ts';
import { type Exchange, HttpExchange, JSON_TYPE } from '../../shared/http/exchange.ts';
import { ApiProblems } from '../../shared/http/openapi.ts';
import { ChangesQuery, ChangesResponse, ChangesStreamQuery } from './feed.dto.ts';
import {
  CHANGES_OPERATION,
  CHANGES_STREAM_OPERATION,
  CHANGES_STREAM_RESPONSE,
  LAST_EVENT_ID_PARAMETER,
} from './feed.openapi.ts';
import { formatFeedCursor, parseFeedCursor } from './feed-cursor.ts';
import { changesOfStore } from './feeds/feed-interest.ts';
import { FeedPolls } from './feeds/feed-polls.ts';
import { FeedStreams } from './feeds/feed-streams.ts';
import { KnownLocations } from './feeds/known-locations.ts';
import { EVENT_STREAM_TYPE, LAST_EVENT_ID, positionOf } from './feeds/server-sent-events.ts';
import { StorePath } from './store.dto.ts';
import { StoreContacts } from './store-contacts.ts';

/** What the centre tells a store about its stock. */
@ApiTags('Stores')
@Controller('v1/sync/stores/:locationId/changes')
export class ChangesController {
  constructor(
    private readonly locations: KnownLocations,
    private readonly polls: FeedPolls,
    private readonly streams: FeedStreams,
    private readonly contacts: StoreContacts,
  ) {}

  @Get()
  @Allows('operator', 'auditor', 'store')
  @ApiOperation(CHANGES_OPERATION)
  @ApiOkResponse({ type: ChangesResponse, description: 'What has changed.' })
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND', 'CURSOR_GONE')
  async list(
    @HttpExchange() exchange: Exchange,
    @Param() { locationId }: StorePath,
    @Query() { after, waitSeconds, limit }: ChangesQuery,
  ): Promise<string> {
    await this.locations.assertKnown(locationId);
    const position = after === undefined ? null : parseFeedCursor(after);
    const { raw } = exchange.reply;
    const onAccepted = () => this.contacts.accept(locationId, waitSeconds > 0 ? raw : null);
    const options = { limit, waitMs: waitSeconds * 1000, onAccepted };
    const answer = await this.polls.answer(exchange, changesOfStore(locationId), position, options);
    // It is still there after its wait.
    if (waitSeconds > 0 && !raw.destroyed) this.contacts.touch(locationId);
    exchange.reply.header('cache-control', 'no-store').header('content-type', JSON_TYPE);
    return `{"changes":[${answer.changes.join(',')}],"cursor":"${formatFeedCursor(answer.position)}"}`;
  }

  @Get('stream')
  @Allows('operator', 'auditor', 'store')
  @AnswersStream({ types: [EVENT_STREAM_TYPE], headers: [LAST_EVENT_ID] })
  @ApiOperation(CHANGES_STREAM_OPERATION)
  @ApiHeader(LAST_EVENT_ID_PARAMETER)
  @ApiOkResponse(CHANGES_STREAM_RESPONSE)
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND', 'CURSOR_GONE')
  async stream(
    @HttpExchange() exchange: Exchange,
    @Param() { locationId }: StorePath,
    @Query() { after }: ChangesStreamQuery,
  ): Promise<Readable> {
    await this.locations.assertKnown(locationId);
    return this.streams.tell(exchange, {
      kind: 'changes',
      interest: changesOfStore(locationId),
      after: positionOf(exchange.request, after),
      onAccepted: () => this.contacts.accept(locationId, exchange.reply.raw),
    });
  }
}
