import type { Readable } from 'node:stream';
import { Controller, Get, Query } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allows } from '../../shared/access/allows.ts';
import { AnswersStream } from '../../shared/http/answered-stream.ts';
import { type Exchange, HttpExchange } from '../../shared/http/exchange.ts';
import { ApiProblems } from '../../shared/http/openapi.ts';
import { StockStreamQuery } from './feed.dto.ts';
import { LAST_EVENT_ID_PARAMETER, STOCK_STREAM_OPERATION, STOCK_STREAM_RESPONSE } from './feed.openapi.ts';
import { changesOfStock } from './feeds/feed-interest.ts';
import { FeedStreams } from './feeds/feed-streams.ts';
import { EVENT_STREAM_TYPE, LAST_EVENT_ID, positionOf } from './feeds/server-sent-events.ts';

/** What the centre tells the storefront. */
@ApiTags('Stock')
@Controller('v1/streams/stock')
export class StockStreamController {
  constructor(private readonly streams: FeedStreams) {}

  @Get()
  @Allows('operator', 'auditor', 'storefront')
  @AnswersStream({ types: [EVENT_STREAM_TYPE], headers: [LAST_EVENT_ID] })
  @ApiOperation(STOCK_STREAM_OPERATION)
  @ApiHeader(LAST_EVENT_ID_PARAMETER)
  @ApiOkResponse(STOCK_STREAM_RESPONSE)
  @ApiProblems('VALIDATION_FAILED', 'CURSOR_GONE')
  stream(
    @HttpExchange() exchange: Exchange,
    @Query() { skus, locationId, after }: StockStreamQuery,
  ): Promise<Readable> {
    return this.streams.tell(exchange, {
      kind: 'stock',
      interest: changesOfStock(skus ?? null, locationId ?? null),
      after: positionOf(exchange.request, after),
    });
  }
}
