import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Controller, Get, Param } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allows } from '../../shared/access/allows.ts';
import { Costs } from '../../shared/access/limits/cost.ts';
import { AnswersStream } from '../../shared/http/answered-stream.ts';
import { type Exchange, HttpExchange } from '../../shared/http/exchange.ts';
import { ApiProblems } from '../../shared/http/openapi.ts';
import { NDJSON_TYPES } from '../../shared/http/streamed-body.ts';
import type { ResultStream } from '../../shared/rows/result-stream.ts';
import { RESULTS_CONTENT_TYPE } from '../../shared/rows/row-streams.ts';
import { ListStockWithHolds, type StockWithHolds } from '../inventory/contract.ts';
import { GetStreamPosition } from './contract.ts';
import { toSnapshotLine } from './feed.dto.ts';
import { SNAPSHOT_OPERATION, SNAPSHOT_RESPONSE } from './feed.openapi.ts';
import { formatFeedCursor } from './feed-cursor.ts';
import { FeedLog } from './feeds/feed-log.ts';
import { FeedStreams } from './feeds/feed-streams.ts';
import { KnownLocations } from './feeds/known-locations.ts';
import { StorePath } from './store.dto.ts';

/** Items of one read: on SQLite nothing else is answered meanwhile. */
const PAGE_ITEMS = 250;

/** All the stock of a store, for whoever begins to follow it. */
@ApiTags('Stores')
@Controller('v1/sync/stores/:locationId/snapshot')
export class SnapshotController {
  constructor(
    private readonly locations: KnownLocations,
    private readonly log: FeedLog,
    private readonly streams: FeedStreams,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @Costs('bulk')
  @Allows('operator', 'auditor', 'store')
  @AnswersStream({ types: NDJSON_TYPES })
  @ApiOperation(SNAPSHOT_OPERATION)
  @ApiOkResponse(SNAPSHOT_RESPONSE)
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async take(@HttpExchange() exchange: Exchange, @Param() { locationId }: StorePath): Promise<Readable> {
    await this.locations.assertKnown(locationId);
    // Read before any item: what is stored afterwards comes behind it, whether or not an item has it already.
    const cursor = formatFeedCursor(await this.log.newest());
    const { epoch, nextSequence } = await this.queries.execute(new GetStreamPosition(locationId));
    const answer = this.streams.pour(exchange, 'snapshot', async (stream) => {
      await stream.send(`${JSON.stringify({ cursor, epoch, nextSequence })}\n`);
      await this.writeItems(stream, locationId);
    });
    exchange.reply.header('content-type', RESULTS_CONTENT_TYPE);
    return answer;
  }

  /** A page at a time, read when there is room for it: nothing is kept open while the reader makes up its mind. */
  private async writeItems(stream: ResultStream, locationId: string): Promise<void> {
    for (let afterSku: string | null = null; ;) {
      const items: readonly StockWithHolds[] = await this.queries.execute(
        new ListStockWithHolds(locationId, afterSku, PAGE_ITEMS),
      );
      if (items.length > 0) await stream.send(items.map(toSnapshotLine).join(''));
      afterSku = items.at(-1)?.sku ?? null;
      if (items.length < PAGE_ITEMS) return;
      await nextTurn();
    }
  }
}
