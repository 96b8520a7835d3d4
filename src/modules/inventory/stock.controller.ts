import { Body, Controller, Get, Param, Post, Put, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allows } from '../../shared/access/allows.ts';
import { answerRead, hashTag, ifMatchOf, renderTag, type Tag, timedTag } from '../../shared/http/etag.ts';
import { type Exchange, HttpExchange } from '../../shared/http/exchange.ts';
import { PageQuery } from '../../shared/http/fields.ts';
import { RequiresIdempotencyKey } from '../../shared/http/idempotency-key.ts';
import { ApiEntityTag, ApiProblems } from '../../shared/http/openapi.ts';
import { toPageResponse } from '../../shared/http/page-response.ts';
import { type Answer, WriteDoor } from '../../shared/http/write-door.ts';
import {
  CountStock,
  GetSkuStock,
  GetStockItem,
  ListMovements,
  ListStock,
  RecordMovement,
  SetStockPolicy,
  type StockItemView,
} from './contract.ts';
import {
  CountRequest,
  MovementPage,
  MovementRecordedResponse,
  ProductPath,
  RecordMovementRequest,
  SkuStockResponse,
  StockItemPath,
  StockItemResponse,
  StockPage,
  StockPolicyRequest,
  StockQuery,
  toMovementResponse,
  toStockItemResponse,
} from './inventory.dto.ts';

/** Stock, its ledger and its policy over HTTP. */
@ApiTags('Stock')
@Controller('v1/stock')
export class StockController {
  constructor(
    private readonly door: WriteDoor,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @Allows('operator', 'auditor', 'storefront', 'store')
  @ApiOperation({
    operationId: 'listStock',
    summary: 'List stock items, by sku and location',
    description: 'May count holds that ended within the last moments as held; the reads of single items never do.',
  })
  @ApiOkResponse({ type: StockPage, description: 'A page of stock items.' })
  @ApiProblems('VALIDATION_FAILED')
  async listStock(@Query() { limit, cursor, skus, locationId, state }: StockQuery): Promise<StockPage> {
    const filter = { skus: skus ?? null, locationId: locationId ?? null, state: state ?? null };
    return toPageResponse(
      await this.queries.execute(new ListStock(filter, limit, cursor ?? null)),
      toStockItemResponse,
    );
  }

  @Get(':sku')
  @Allows('operator', 'auditor', 'storefront')
  @ApiOperation({
    operationId: 'getSkuStock',
    summary: 'Read a sku everywhere, with its totals',
    description: 'Every location that has or had stock of it. True at this instant.',
  })
  @ApiOkResponse({ type: SkuStockResponse, description: 'The stock items of the sku and their sums.' })
  @ApiEntityTag()
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async getSkuStock(@HttpExchange() exchange: Exchange, @Param() { sku }: ProductPath): Promise<string | undefined> {
    const stock = await this.queries.execute(new GetSkuStock(sku));
    const tag = hashTag(JSON.stringify({ ...stock, locations: stock.locations.map(untimed) }));
    return answerRead(exchange, { ...stock, locations: stock.locations.map(toStockItemResponse) }, tag);
  }

  @Get(':sku/:locationId')
  @Allows('operator', 'auditor', 'storefront', 'store')
  @ApiOperation({
    operationId: 'getStockItem',
    summary: 'Read a sku at one location',
    description: 'True at this instant: a hold whose time is over does not count. Without any stock yet: zeros.',
  })
  @ApiOkResponse({ type: StockItemResponse, description: 'The stock item.' })
  @ApiEntityTag()
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async getStockItem(
    @HttpExchange() exchange: Exchange,
    @Param() { sku, locationId }: StockItemPath,
  ): Promise<string | undefined> {
    const stock = toStockItemResponse(await this.queries.execute(new GetStockItem(sku, locationId)));
    return answerRead(exchange, stock, tagOf(stock));
  }

  @Post(':sku/:locationId/movements')
  @Allows('operator')
  @RequiresIdempotencyKey()
  @ApiOperation({
    operationId: 'recordMovement',
    summary: 'Record goods that came or went',
    description: 'SALE, WRITE_OFF and a negative ADJUSTMENT are refused beyond what is available.',
  })
  @ApiCreatedResponse({ type: MovementRecordedResponse, description: 'Recorded; the stock as it is now.' })
  @ApiEntityTag()
  @ApiProblems(
    'VALIDATION_FAILED',
    'IDEMPOTENCY_KEY_MISSING',
    'IDEMPOTENCY_KEY_REUSED',
    'NOT_FOUND',
    'VERSION_MISMATCH',
    'INSUFFICIENT_STOCK',
    'QUANTITY_LIMIT',
  )
  recordMovement(
    @HttpExchange() exchange: Exchange,
    @Param() { sku, locationId }: StockItemPath,
    @Body() { type, quantity, reason, reference }: RecordMovementRequest,
  ): Promise<string> {
    const ifMatch = ifMatchOf(exchange);
    const command = new RecordMovement(sku, locationId, { type, quantity, reason, reference }, ifMatch);
    return this.door.write(exchange, command, recorded);
  }

  @Post(':sku/:locationId/counts')
  @Allows('operator', 'store')
  @RequiresIdempotencyKey()
  @ApiOperation({
    operationId: 'countStock',
    summary: 'Record what a shelf count found',
    description: 'A fact: always recorded, also when it confirms what was known.',
  })
  @ApiCreatedResponse({ type: MovementRecordedResponse, description: 'Recorded; the stock as it is now.' })
  @ApiEntityTag()
  @ApiProblems(
    'VALIDATION_FAILED',
    'IDEMPOTENCY_KEY_MISSING',
    'IDEMPOTENCY_KEY_REUSED',
    'NOT_FOUND',
    'VERSION_MISMATCH',
  )
  countStock(
    @HttpExchange() exchange: Exchange,
    @Param() { sku, locationId }: StockItemPath,
    @Body() { counted, reason }: CountRequest,
  ): Promise<string> {
    const ifMatch = ifMatchOf(exchange);
    return this.door.write(exchange, new CountStock(sku, locationId, counted, reason, ifMatch), recorded);
  }

  @Put(':sku/:locationId/policy')
  @Allows('operator')
  @ApiOperation({
    operationId: 'setStockPolicy',
    summary: 'Set the units that commands leave alone',
    description: 'Never refused; it limits only what may still be taken.',
  })
  @ApiOkResponse({ type: StockItemResponse, description: 'The stock item as it is now.' })
  @ApiEntityTag()
  @ApiProblems('VALIDATION_FAILED', 'IDEMPOTENCY_KEY_REUSED', 'NOT_FOUND', 'VERSION_MISMATCH')
  setStockPolicy(
    @HttpExchange() exchange: Exchange,
    @Param() { sku, locationId }: StockItemPath,
    @Body() { safetyStock }: StockPolicyRequest,
  ): Promise<string> {
    const ifMatch = ifMatchOf(exchange);
    return this.door.write(exchange, new SetStockPolicy(sku, locationId, safetyStock, ifMatch), (view) => {
      const stock = toStockItemResponse(view);
      return { status: 200, body: stock, etag: tagOf(stock) };
    });
  }

  @Get(':sku/:locationId/movements')
  @Allows('operator', 'auditor', 'store')
  @ApiOperation({
    operationId: 'listMovements',
    summary: 'Read the ledger of a stock item, newest first',
    description: 'Every movement there ever was: `onHand` is the sum of their deltas.',
  })
  @ApiOkResponse({ type: MovementPage, description: 'A page of movements.' })
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async listMovements(
    @Param() { sku, locationId }: StockItemPath,
    @Query() { limit, cursor }: PageQuery,
  ): Promise<MovementPage> {
    const query = new ListMovements(sku, locationId, limit, cursor ?? null);
    return toPageResponse(await this.queries.execute(query), toMovementResponse);
  }
}

/** Carries the tag that a read of the stock item would give now, for the next `If-Match`. */
function recorded({ movementId, stock: view }: { movementId: string; stock: StockItemView }): Answer {
  const stock = toStockItemResponse(view);
  return { status: 201, body: { movementId, stock }, etag: renderTag(tagOf(stock), JSON.stringify(stock)) };
}

/** Changes with whatever a caller may act on: balances, what is available by now, status and what the stock is made of. */
function tagOf(stock: StockItemResponse): Tag {
  const steady = untimed(stock);
  const tag = timedTag(stock.version);
  return steady === stock ? tag : renderTag(tag, JSON.stringify(steady));
}

/** All but the lag, which grows with every second while nothing else changes. */
function untimed<T extends { readonly freshness: { readonly lagSeconds: number | null } }>(stock: T): T {
  const { freshness } = stock;
  return freshness.lagSeconds === null ? stock : { ...stock, freshness: { ...freshness, lagSeconds: null } };
}
