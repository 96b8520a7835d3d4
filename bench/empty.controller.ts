import { Body, Controller, Get, Module, Param, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { CreateReservationRequest } from '../src/modules/reservation/reservation.dto.ts';
import { StockItemPath } from '../src/modules/inventory/inventory.dto.ts';
import { Allows } from '../src/shared/access/allows.ts';
import { type Exchange, HttpExchange, JSON_TYPE } from '../src/shared/http/exchange.ts';
import { KEPT_BY_ITS_CALLER } from '../src/shared/http/security-headers.ts';
import { RequiresIdempotencyKey } from '../src/shared/http/idempotency-key.ts';

/** As long as the answer to a reservation of one line. */
const ANSWER = JSON.stringify({
  id: '019ab0f3-7c2e-7a51-9d41-5f0c8a6b2e17',
  status: 'ACTIVE',
  lines: [
    {
      sku: 'BENCH-0000',
      quantity: 1,
      locationId: 'BENCH-STORE',
      allocations: [{ locationId: 'BENCH-STORE', quantity: 1, fulfilled: false }],
    },
  ],
  cartId: null,
  orderId: null,
  expiresAt: '2026-11-22T22:43:00.000Z',
  createdAt: '2026-11-22T22:43:00.000Z',
  updatedAt: '2026-11-22T22:43:00.000Z',
  version: 1,
});

/** As long as the answer to a read of one stock item. */
const STOCK_ITEM = JSON.stringify({
  sku: 'BENCH-0000',
  locationId: 'BENCH-STORE',
  onHand: 1_000_000,
  held: 0,
  committed: 0,
  incoming: 0,
  safetyStock: 0,
  available: 1_000_000,
  version: 1,
  updatedAt: '2026-11-22T22:43:00.000Z',
  freshness: { status: 'DIRECT', lastSequence: null, asOf: null, lagSeconds: null },
});

/**
 * The references of the bench: one takes the same request as creating a reservation, through the same hooks, validation,
 * logs and metrics, asks for the same Idempotency-Key, and does nothing; the other takes what a read of a stock item takes.
 */
@ApiExcludeController()
@Controller('v1/bench')
class EmptyController {
  @Post('empty')
  @Allows('operator', 'storefront')
  @RequiresIdempotencyKey()
  empty(@Body() _body: CreateReservationRequest, @HttpExchange() { reply }: Exchange): string {
    reply.code(201).header('content-type', JSON_TYPE).header('etag', '"1"');
    return ANSWER;
  }

  @Get('empty/:sku/:locationId')
  @Allows('operator', 'auditor', 'storefront', 'store')
  emptyRead(@Param() _path: StockItemPath, @HttpExchange() { reply }: Exchange): string {
    reply.header('content-type', JSON_TYPE).header('etag', '"1"').header('cache-control', KEPT_BY_ITS_CALLER);
    return STOCK_ITEM;
  }
}

@Module({ controllers: [EmptyController] })
export class EmptyModule {}
