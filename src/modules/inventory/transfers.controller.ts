import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allows } from '../../shared/access/allows.ts';
import { answerRead, ifMatchOf, versionTag } from '../../shared/http/etag.ts';
import { type Exchange, HttpExchange } from '../../shared/http/exchange.ts';
import { RequiresIdempotencyKey } from '../../shared/http/idempotency-key.ts';
import { ApiEntityTag, ApiProblems, LOCATION_HEADER } from '../../shared/http/openapi.ts';
import { toPageResponse } from '../../shared/http/page-response.ts';
import { type Answer, WriteDoor } from '../../shared/http/write-door.ts';
import {
  CancelTransfer,
  DispatchTransfer,
  GetTransfer,
  ListTransfers,
  ReceiveTransfer,
  type TransferView,
} from './contract.ts';
import {
  CancelTransferRequest,
  DispatchTransferRequest,
  ReceiveTransferRequest,
  toTransferResponse,
  TransferPage,
  TransferPath,
  TransferQuery,
  TransferResponse,
} from './transfer.dto.ts';

/** Transfers between locations over HTTP. */
@ApiTags('Transfers')
@Controller('v1/transfers')
export class TransfersController {
  constructor(
    private readonly door: WriteDoor,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @Allows('operator')
  @RequiresIdempotencyKey()
  @ApiOperation({
    operationId: 'dispatchTransfer',
    summary: 'Send units on their way to another location',
    description:
      'They leave on-hand of the source, limited by what is available there, and are incoming at the target until they are received or the transfer is cancelled.',
  })
  @ApiCreatedResponse({
    type: TransferResponse,
    description: 'The units are on their way.',
    headers: LOCATION_HEADER,
  })
  @ApiEntityTag()
  @ApiProblems(
    'VALIDATION_FAILED',
    'IDEMPOTENCY_KEY_MISSING',
    'IDEMPOTENCY_KEY_REUSED',
    'UNKNOWN_PRODUCT',
    'UNKNOWN_LOCATION',
    'INSUFFICIENT_STOCK',
    'QUANTITY_LIMIT',
  )
  dispatch(
    @HttpExchange() exchange: Exchange,
    @Body() { sku, fromLocationId, toLocationId, quantity }: DispatchTransferRequest,
  ): Promise<string> {
    const command = new DispatchTransfer({ sku, fromLocationId, toLocationId, quantity });
    return this.door.write(exchange, command, (transfer) => ({
      ...found(transfer),
      status: 201,
      location: `/v1/transfers/${transfer.id}`,
    }));
  }

  @Get(':id')
  @Allows('operator', 'auditor')
  @ApiOperation({
    operationId: 'getTransfer',
    summary: 'Read a transfer',
    description: 'On its way, or what became of it.',
  })
  @ApiOkResponse({ type: TransferResponse, description: 'The transfer.' })
  @ApiEntityTag()
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async get(@HttpExchange() exchange: Exchange, @Param() { id }: TransferPath): Promise<string | undefined> {
    const transfer = await this.queries.execute(new GetTransfer(id));
    return answerRead(exchange, toTransferResponse(transfer), versionTag(transfer.version));
  }

  @Get()
  @Allows('operator', 'auditor')
  @ApiOperation({
    operationId: 'listTransfers',
    summary: 'List transfers, newest first',
    description: 'With `status=IN_TRANSIT` and `toLocationId`: what is on its way to a store.',
  })
  @ApiOkResponse({ type: TransferPage, description: 'A page of transfers.' })
  @ApiProblems('VALIDATION_FAILED')
  async list(
    @Query() { limit, cursor, status, sku, fromLocationId, toLocationId }: TransferQuery,
  ): Promise<TransferPage> {
    const filter = {
      status: status ?? null,
      sku: sku ?? null,
      fromLocationId: fromLocationId ?? null,
      toLocationId: toLocationId ?? null,
    };
    const page = await this.queries.execute(new ListTransfers(filter, limit, cursor ?? null));
    return toPageResponse(page, toTransferResponse);
  }

  @Post(':id/receive')
  @Allows('operator')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'receiveTransfer',
    summary: 'Record what arrived',
    description:
      'A fact. All dispatched units come in at the target (TRANSFER_IN), and those that did not arrive are written off there (WRITE_OFF). Again with the same quantity: the same answer.',
  })
  @ApiOkResponse({ type: TransferResponse, description: 'The transfer as it is now.' })
  @ApiEntityTag()
  @ApiProblems(
    'VALIDATION_FAILED',
    'IDEMPOTENCY_KEY_REUSED',
    'NOT_FOUND',
    'VERSION_MISMATCH',
    'TRANSFER_NOT_IN_TRANSIT',
    'QUANTITY_LIMIT',
  )
  receive(
    @HttpExchange() exchange: Exchange,
    @Param() { id }: TransferPath,
    @Body() { quantity, reason }: ReceiveTransferRequest,
  ): Promise<string> {
    return this.door.write(exchange, new ReceiveTransfer(id, quantity, reason, ifMatchOf(exchange)), found);
  }

  @Post(':id/cancel')
  @Allows('operator')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'cancelTransfer',
    summary: 'Bring the units back to where they came from',
    description: 'They are on hand at the source again (TRANSFER_IN). Again: the same answer.',
  })
  @ApiOkResponse({ type: TransferResponse, description: 'The transfer as it is now.' })
  @ApiEntityTag()
  @ApiProblems(
    'VALIDATION_FAILED',
    'IDEMPOTENCY_KEY_REUSED',
    'NOT_FOUND',
    'VERSION_MISMATCH',
    'TRANSFER_NOT_IN_TRANSIT',
    'QUANTITY_LIMIT',
  )
  cancel(
    @HttpExchange() exchange: Exchange,
    @Param() { id }: TransferPath,
    @Body() { reason }: CancelTransferRequest,
  ): Promise<string> {
    return this.door.write(exchange, new CancelTransfer(id, reason, ifMatchOf(exchange)), found);
  }
}

function found(transfer: TransferView): Answer {
  return { status: 200, body: toTransferResponse(transfer), etag: versionTag(transfer.version) };
}
