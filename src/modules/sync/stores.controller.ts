import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allows } from '../../shared/access/allows.ts';
import { Costs } from '../../shared/access/limits/cost.ts';
import { type Exchange, HttpExchange } from '../../shared/http/exchange.ts';
import { PageQuery } from '../../shared/http/fields.ts';
import { GzipBody } from '../../shared/http/gzip-body.ts';
import { ApiProblems } from '../../shared/http/openapi.ts';
import { toPageResponse } from '../../shared/http/page-response.ts';
import { WriteDoor } from '../../shared/http/write-door.ts';
import {
  EndParkedEvents,
  GetStore,
  ListStoreConflicts,
  ListStores,
  OpenStoreStream,
  type PushedEvents,
  PushStoreEvents,
} from './contract.ts';
import { toIncomingEvent } from './incoming-event.ts';
import {
  OpenedStreamResponse,
  StoreConflictPage,
  StoreEventsRequest,
  StoreEventsResponse,
  StorePage,
  StorePath,
  StoreResponse,
  toStoreConflictResponse,
  toStoreResponse,
} from './store.dto.ts';

/** What stores report, over HTTP. */
@ApiTags('Stores')
@Controller('v1/sync/stores')
export class StoresController {
  constructor(
    private readonly door: WriteDoor,
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @Allows('operator', 'auditor')
  @ApiOperation({
    operationId: 'listStores',
    summary: 'List stores that report, by location id',
    description: 'Those whose agent has ever opened a stream: what is missing, what waits, what could not be recorded.',
  })
  @ApiOkResponse({ type: StorePage, description: 'A page of stores.' })
  @ApiProblems('VALIDATION_FAILED')
  async list(@Query() { limit, cursor }: PageQuery): Promise<StorePage> {
    return toPageResponse(await this.queries.execute(new ListStores(limit, cursor ?? null)), toStoreResponse);
  }

  @Get(':locationId')
  @Allows('operator', 'auditor', 'store')
  @ApiOperation({
    operationId: 'getStore',
    summary: 'Read where a store stands',
    description: 'A location whose agent never opened a stream is at epoch 0.',
  })
  @ApiOkResponse({ type: StoreResponse, description: 'The store.' })
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async get(@Param() { locationId }: StorePath): Promise<StoreResponse> {
    return toStoreResponse(await this.queries.execute(new GetStore(locationId)));
  }

  @Get(':locationId/conflicts')
  @Allows('operator', 'auditor', 'store')
  @ApiOperation({
    operationId: 'listStoreConflicts',
    summary: 'List events that contradict each other, oldest first',
    description:
      'Whose id or number had another content before. They were never applied; the first 1,000 of a store are kept, for `SYNC_EVENTS_KEEP_DAYS`.',
  })
  @ApiOkResponse({ type: StoreConflictPage, description: 'A page of conflicts.' })
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async conflicts(
    @Param() { locationId }: StorePath,
    @Query() { limit, cursor }: PageQuery,
  ): Promise<StoreConflictPage> {
    const page = await this.queries.execute(new ListStoreConflicts(locationId, limit, cursor ?? null));
    return toPageResponse(page, toStoreConflictResponse);
  }

  @Post(':locationId/streams')
  @Allows('operator', 'store')
  @HttpCode(201)
  @ApiOperation({
    operationId: 'openStoreStream',
    summary: 'Begin a new epoch of a store',
    description:
      'An agent opens a stream when it has none: it is new, was replaced, or was restored from a copy. Numbers then begin at 1 again, and events that are sent under an older epoch are refused. What the older ones had parked becomes dead letters (`EPOCH_ENDED`); the same event, sent again in the new epoch, is applied once and closes its letter.',
  })
  @ApiCreatedResponse({ type: OpenedStreamResponse, description: 'The stream is open.' })
  @ApiProblems('VALIDATION_FAILED', 'IDEMPOTENCY_KEY_REUSED', 'NOT_FOUND')
  async open(@HttpExchange() exchange: Exchange, @Param() { locationId }: StorePath): Promise<string> {
    const answer = await this.door.write(exchange, new OpenStoreStream(locationId), (opened) => ({
      status: 201,
      body: opened,
    }));
    await this.commands.execute(new EndParkedEvents(locationId));
    return answer;
  }

  @Post(':locationId/events')
  @Costs('bulk')
  @Allows('operator', 'store')
  @HttpCode(200)
  @GzipBody()
  @ApiOperation({
    operationId: 'pushStoreEvents',
    summary: 'Report what happened in a store',
    description: `Events are facts: each is recorded once, whatever it does to the balances, in the order of its \`sequence\`, however often and in
whatever order it comes. Every event gets a result, and the answer tells which numbers are missing.

The body may come with \`Content-Encoding: gzip\`. The events are taken in several commits: when a call fails on the way, the same call
again answers \`duplicate\` for what was taken. How to speak with the centre: docs/sync-protocol.md.`,
  })
  @ApiOkResponse({ type: StoreEventsResponse, description: 'What became of each event; all of it is on disk.' })
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND', 'STALE_EPOCH')
  push(@Param() { locationId }: StorePath, @Body() { epoch, events }: StoreEventsRequest): Promise<PushedEvents> {
    return this.commands.execute(new PushStoreEvents(locationId, epoch, events.map(toIncomingEvent)));
  }
}
