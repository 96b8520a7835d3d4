import { Body, Controller, Module, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { CreateReservationRequest } from '../src/modules/reservation/reservation.dto.ts';
import { type Exchange, HttpExchange, JSON_TYPE } from '../src/shared/http/exchange.ts';
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

/**
 * The reference of the bench: takes the same request as creating a reservation, through the same hooks, validation,
 * logs and metrics, asks for the same Idempotency-Key, and does nothing.
 */
@ApiExcludeController()
@Controller('v1/bench')
class EmptyController {
  @Post('empty')
  @RequiresIdempotencyKey()
  empty(@Body() _body: CreateReservationRequest, @HttpExchange() { reply }: Exchange): string {
    reply.code(201).header('content-type', JSON_TYPE).header('etag', '"1"');
    return ANSWER;
  }
}

@Module({ controllers: [EmptyController] })
export class EmptyModule {}
