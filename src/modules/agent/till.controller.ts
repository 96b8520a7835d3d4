import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Exchange, HttpExchange } from '../../shared/http/exchange.ts';
import { ApiProblems } from '../../shared/http/openapi.ts';
import { type Answer, WriteDoor } from '../../shared/http/write-door.ts';
import {
  PickedUpResponse,
  PickupRequest,
  RecordedResponse,
  ShelfCountRequest,
  toPickedUpResponse,
  UnitsRequest,
} from './agent.dto.ts';
import { type Movement, RecordCountHere, type Recorded, RecordMovementHere, RecordPickup } from './contract.ts';

/** What tills record. Nothing of it is ever refused but what is not well formed: it happened. */
@ApiTags('Till')
@Controller()
export class TillController {
  constructor(private readonly door: WriteDoor) {}

  @Post('sales')
  @HttpCode(201)
  @ApiOperation({
    operationId: 'recordSale',
    summary: 'Record a sale',
    description:
      'Also of more than is there, and of a sku that nobody knows yet. An Idempotency-Key makes a repeat safe.',
  })
  @ApiCreatedResponse({ type: RecordedResponse, description: "Recorded; the store's shelf as it is now." })
  @ApiProblems('VALIDATION_FAILED', 'IDEMPOTENCY_KEY_REUSED')
  recordSale(@HttpExchange() exchange: Exchange, @Body() body: UnitsRequest): Promise<string> {
    return this.recordUnits(exchange, 'sale', body);
  }

  @Post('returns')
  @HttpCode(201)
  @ApiOperation({
    operationId: 'recordReturn',
    summary: 'Record goods that a customer brought back',
    description: 'They are on the shelf again. An Idempotency-Key makes a repeat safe.',
  })
  @ApiCreatedResponse({ type: RecordedResponse, description: "Recorded; the store's shelf as it is now." })
  @ApiProblems('VALIDATION_FAILED', 'IDEMPOTENCY_KEY_REUSED')
  recordReturn(@HttpExchange() exchange: Exchange, @Body() body: UnitsRequest): Promise<string> {
    return this.recordUnits(exchange, 'return', body);
  }

  @Post('receipts')
  @HttpCode(201)
  @ApiOperation({
    operationId: 'recordReceipt',
    summary: 'Record goods that were delivered',
    description: 'From a supplier; what another location sent is received at the centre, as a transfer.',
  })
  @ApiCreatedResponse({ type: RecordedResponse, description: "Recorded; the store's shelf as it is now." })
  @ApiProblems('VALIDATION_FAILED', 'IDEMPOTENCY_KEY_REUSED')
  recordReceipt(@HttpExchange() exchange: Exchange, @Body() body: UnitsRequest): Promise<string> {
    return this.recordUnits(exchange, 'receipt', body);
  }

  @Post('counts')
  @HttpCode(201)
  @ApiOperation({
    operationId: 'recordShelfCount',
    summary: 'Record what was counted on the shelf',
    description:
      'On hand is what was counted; what the centre tells later counts on top of it, and so does what is sold later.',
  })
  @ApiCreatedResponse({ type: RecordedResponse, description: "Recorded; the store's shelf as it is now." })
  @ApiProblems('VALIDATION_FAILED', 'IDEMPOTENCY_KEY_REUSED')
  recordShelfCount(@HttpExchange() exchange: Exchange, @Body() body: ShelfCountRequest): Promise<string> {
    const command = new RecordCountHere(body.sku, body.counted, body.reference ?? null);
    return this.door.write(exchange, command, toAnswer);
  }

  @Post('pickups')
  @HttpCode(201)
  @ApiOperation({
    operationId: 'recordPickup',
    summary: 'Record that a customer took a reservation',
    description:
      'What is known to wait for it leaves the shelf; if its confirmation is still on its way, it leaves when that arrives. A second time changes nothing.',
  })
  @ApiCreatedResponse({ type: PickedUpResponse, description: 'Recorded.' })
  @ApiOkResponse({ type: PickedUpResponse, description: 'It was recorded before.' })
  @ApiProblems('VALIDATION_FAILED', 'IDEMPOTENCY_KEY_REUSED')
  recordPickup(@HttpExchange() exchange: Exchange, @Body() { reservationId }: PickupRequest): Promise<string> {
    return this.door.write(exchange, new RecordPickup(reservationId), (pickedUp) => ({
      status: pickedUp.isNew ? 201 : 200,
      body: toPickedUpResponse(pickedUp),
    }));
  }

  private recordUnits(exchange: Exchange, type: Movement, body: UnitsRequest): Promise<string> {
    const { sku, quantity, reference = null } = body;
    return this.door.write(exchange, new RecordMovementHere(type, sku, quantity, reference), toAnswer);
  }
}

function toAnswer({ eventId, stock }: Recorded): Answer {
  return { status: 201, body: { eventId, stock } };
}
