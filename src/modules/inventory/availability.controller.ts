import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allows } from '../../shared/access/allows.ts';
import { Costs } from '../../shared/access/limits/cost.ts';
import { type Exchange, HttpExchange, JSON_TYPE } from '../../shared/http/exchange.ts';
import { ApiProblems } from '../../shared/http/openapi.ts';
import { AvailabilityRequest, AvailabilityResponse, toAvailabilityItem } from './availability.dto.ts';
import { GetAvailability } from './contract.ts';

/** What a category page asks for. */
@ApiTags('Stock')
@Controller('v1/availability')
export class AvailabilityController {
  constructor(private readonly queries: QueryBus) {}

  @Post()
  @Costs('reads')
  @Allows('operator', 'auditor', 'storefront')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'getAvailability',
    summary: 'Read the totals of many skus at once',
    description:
      'A read, by POST only because the skus would not fit into a URL: it changes nothing, and an `Idempotency-Key` has no meaning here (one that is sent is checked for its form and not kept). The same numbers as `GET /v1/stock/{sku}` gives in `totals`, or as `GET /v1/stock/{sku}/{locationId}` gives: true at this instant, over all locations whether or not they sell online, and whether or not the product is active. A sku that does not exist is no error, so that one delisted product does not empty a page.',
  })
  @ApiOkResponse({ type: AvailabilityResponse, description: 'The totals, a sku each.' })
  @ApiProblems('VALIDATION_FAILED', 'UNKNOWN_LOCATION')
  async getAvailability(
    @HttpExchange() { reply }: Exchange,
    @Body() { skus, locationId }: AvailabilityRequest,
  ): Promise<string> {
    const items = await this.queries.execute(new GetAvailability(skus, locationId));
    reply.header('content-type', JSON_TYPE);
    return JSON.stringify({ items: items.map(toAvailabilityItem) } satisfies AvailabilityResponse);
  }
}
