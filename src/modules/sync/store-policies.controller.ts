import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allows } from '../../shared/access/allows.ts';
import { answerRead, ifMatchOf, versionTag } from '../../shared/http/etag.ts';
import { type Exchange, HttpExchange } from '../../shared/http/exchange.ts';
import { ApiEntityTag, ApiProblems } from '../../shared/http/openapi.ts';
import { WriteDoor } from '../../shared/http/write-door.ts';
import { GetStorePolicy, PutStorePolicy } from './contract.ts';
import { StorePath } from './store.dto.ts';
import {
  StorePolicyRequest,
  StorePolicyResponse,
  toFreshnessPolicy,
  toStorePolicyResponse,
} from './store-policy.dto.ts';

/** How carefully the stock of a store is sold while it is not heard from. */
@ApiTags('Stores')
@Controller('v1/sync/stores/:locationId/policy')
export class StorePoliciesController {
  constructor(
    private readonly door: WriteDoor,
    private readonly queries: QueryBus,
  ) {}

  @Put()
  @Allows('operator')
  @ApiOperation({
    operationId: 'putStorePolicy',
    summary: 'Order how carefully the stock of a store is sold',
    description:
      'While the store is stale or silent a share of its on-hand is not available: to holds, sourcing, web sales, write-offs and transfers. It takes effect at once and ends by itself when the store is heard from again. What is held is untouched. A location that never pushed an event is DIRECT, and nothing of it is kept back. Members that are left out become the defaults.',
  })
  @ApiOkResponse({ type: StorePolicyResponse, description: 'What is ordered now.' })
  @ApiEntityTag()
  @ApiProblems('VALIDATION_FAILED', 'IDEMPOTENCY_KEY_REUSED', 'NOT_FOUND', 'VERSION_MISMATCH')
  put(
    @HttpExchange() exchange: Exchange,
    @Param() { locationId }: StorePath,
    @Body() request: StorePolicyRequest,
  ): Promise<string> {
    const command = new PutStorePolicy(locationId, toFreshnessPolicy(request), ifMatchOf(exchange));
    return this.door.write(exchange, command, (policy) => ({
      status: 200,
      body: toStorePolicyResponse(policy),
      etag: versionTag(policy.version),
    }));
  }

  @Get()
  @Allows('operator', 'auditor', 'store')
  @ApiOperation({
    operationId: 'getStorePolicy',
    summary: 'Read how carefully the stock of a store is sold',
    description: 'At version 0 nothing was ordered, and these are the defaults.',
  })
  @ApiOkResponse({ type: StorePolicyResponse, description: 'What is ordered.' })
  @ApiEntityTag()
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async get(@HttpExchange() exchange: Exchange, @Param() { locationId }: StorePath): Promise<string | undefined> {
    const policy = await this.queries.execute(new GetStorePolicy(locationId));
    return answerRead(exchange, toStorePolicyResponse(policy), versionTag(policy.version));
  }
}
