import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { answerRead, versionTag } from '../../shared/http/etag.ts';
import { Allows } from '../../shared/access/allows.ts';
import { Costs } from '../../shared/access/limits/cost.ts';
import { type Exchange, HttpExchange } from '../../shared/http/exchange.ts';
import { GzipBody } from '../../shared/http/gzip-body.ts';
import { ApiEntityTag, ApiProblems } from '../../shared/http/openapi.ts';
import { GetOrder, ORDER_EVENTS_PER_WORK, type OrderEventResult, RecordOrderEvents } from './contract.ts';
import {
  OrderEventsRequest,
  OrderEventsResponse,
  OrderPath,
  OrderResponse,
  toOrderEvent,
  toOrderResponse,
} from './order.dto.ts';

/** Orders of outside shops over HTTP. */
@ApiTags('Orders')
@Controller('v1/sync/orders')
export class OrdersController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post('events')
  @HttpCode(200)
  @GzipBody()
  @Costs('bulk')
  @Allows('operator')
  @ApiOperation({
    operationId: 'recordOrderEvents',
    summary: 'Tell what happened to orders of an outside shop',
    description:
      'In any order and as often as one likes: the events of an order are applied in the order of their versions, each once. `order.created` holds units, `order.paid` commits them, `order.shipped` lets them leave the shelf, `order.cancelled` gives them back at once, whatever is missing before it. An event that cannot be carried out becomes a dead letter, and the later ones of its order wait for it. The events are committed in pieces: after a 503 send all of them again.',
  })
  @ApiOkResponse({ type: OrderEventsResponse, description: 'What became of each event.' })
  @ApiProblems('VALIDATION_FAILED')
  async record(@Body() { events }: OrderEventsRequest): Promise<OrderEventsResponse> {
    const results: OrderEventResult[] = [];
    for (let from = 0; from < events.length; from += ORDER_EVENTS_PER_WORK) {
      const piece = events.slice(from, from + ORDER_EVENTS_PER_WORK).map(toOrderEvent);
      results.push(...(await this.commands.execute(new RecordOrderEvents(piece))));
    }
    return { results };
  }

  @Get(':orderId')
  @Allows('operator', 'auditor')
  @ApiOperation({
    operationId: 'getOrder',
    summary: 'Read what is known of an order',
    description: 'How far it has come, what it waits for, and what came that contradicts it.',
  })
  @ApiOkResponse({ type: OrderResponse, description: 'The order.' })
  @ApiEntityTag()
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async get(@HttpExchange() exchange: Exchange, @Param() { orderId }: OrderPath): Promise<string | undefined> {
    const order = await this.queries.execute(new GetOrder(orderId));
    return answerRead(exchange, toOrderResponse(order), versionTag(order.rowVersion));
  }
}
