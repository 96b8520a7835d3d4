import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { Allows } from '../../shared/access/allows.ts';
import { answerRead, ifMatchOf, versionTag } from '../../shared/http/etag.ts';
import { type Exchange, HttpExchange } from '../../shared/http/exchange.ts';
import { ApiEntityTag, ApiProblems } from '../../shared/http/openapi.ts';
import { toPageResponse } from '../../shared/http/page-response.ts';
import { type Answer, WriteDoor } from '../../shared/http/write-door.ts';
import {
  type DeadLetterView,
  DiscardDeadLetter,
  GetDeadLetter,
  ListDeadLetters,
  RehearseReplay,
  ReplayDeadLetter,
} from './contract.ts';
import {
  DeadLetterPage,
  DeadLetterPath,
  DeadLetterQuery,
  DeadLetterResponse,
  DiscardRequest,
  RehearsalResponse,
  ReplayQuery,
  toDeadLetterResponse,
  toRehearsalResponse,
} from './dead-letter.dto.ts';

/** What could not be processed, over HTTP, for an operator. */
@ApiTags('Dead letters')
@Controller('v1/dead-letters')
export class DeadLettersController {
  constructor(
    private readonly door: WriteDoor,
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @Allows('operator', 'auditor')
  @ApiOperation({
    operationId: 'listDeadLetters',
    summary: 'List dead letters, oldest first',
    description: 'Those that wait for somebody, unless `status` asks for others.',
  })
  @ApiOkResponse({ type: DeadLetterPage, description: 'A page of dead letters.' })
  @ApiProblems('VALIDATION_FAILED')
  async list(@Query() { status, limit, cursor }: DeadLetterQuery): Promise<DeadLetterPage> {
    const page = await this.queries.execute(new ListDeadLetters(status, limit, cursor ?? null));
    return toPageResponse(page, toDeadLetterResponse);
  }

  @Get(':id')
  @Allows('operator', 'auditor')
  @ApiOperation({
    operationId: 'getDeadLetter',
    summary: 'Read a dead letter',
    description: 'With the event as it came and what the last attempt failed with.',
  })
  @ApiOkResponse({ type: DeadLetterResponse, description: 'The dead letter.' })
  @ApiEntityTag()
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async get(@HttpExchange() exchange: Exchange, @Param() { id }: DeadLetterPath): Promise<string | undefined> {
    const letter = await this.queries.execute(new GetDeadLetter(id));
    return answerRead(exchange, toDeadLetterResponse(letter), versionTag(letter.version));
  }

  @Post(':id/replay')
  @Allows('operator')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'replayDeadLetter',
    summary: 'Process the event of a dead letter again',
    description:
      'When it works the letter is REPLAYED, and what waited behind it goes on in order; when it fails again the letter stays DEAD with one more attempt. A letter that is closed is answered as it is. With `dryRun=true` nothing is changed, and the answer tells what would be.',
  })
  @ApiExtraModels(DeadLetterResponse, RehearsalResponse)
  @ApiOkResponse({
    description: 'The dead letter as it is now; with `dryRun=true`: what would change.',
    schema: { oneOf: [{ $ref: getSchemaPath(DeadLetterResponse) }, { $ref: getSchemaPath(RehearsalResponse) }] },
  })
  @ApiEntityTag()
  @ApiProblems('VALIDATION_FAILED', 'IDEMPOTENCY_KEY_REUSED', 'NOT_FOUND', 'VERSION_MISMATCH')
  async replay(
    @HttpExchange() exchange: Exchange,
    @Param() { id }: DeadLetterPath,
    @Query() { dryRun }: ReplayQuery,
  ): Promise<string | undefined> {
    if (!dryRun) return this.door.write(exchange, new ReplayDeadLetter(id, ifMatchOf(exchange)), found);
    // Past the door: a key would be stored with the answer, and a rehearsal stores nothing.
    const rehearsal = await this.commands.execute(new RehearseReplay(id, ifMatchOf(exchange)));
    return answerRead(exchange, toRehearsalResponse(rehearsal), versionTag(rehearsal.version));
  }

  @Post(':id/discard')
  @Allows('operator')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'discardDeadLetter',
    summary: 'Give the event of a dead letter up',
    description:
      'What waited behind it goes on in order, without it. A letter that is closed already is answered as it is.',
  })
  @ApiOkResponse({ type: DeadLetterResponse, description: 'The dead letter as it is now.' })
  @ApiEntityTag()
  @ApiProblems('VALIDATION_FAILED', 'IDEMPOTENCY_KEY_REUSED', 'NOT_FOUND', 'VERSION_MISMATCH')
  discard(
    @HttpExchange() exchange: Exchange,
    @Param() { id }: DeadLetterPath,
    @Body() { reason }: DiscardRequest,
  ): Promise<string> {
    return this.door.write(exchange, new DiscardDeadLetter(id, reason, ifMatchOf(exchange)), found);
  }
}

function found(letter: DeadLetterView): Answer {
  return { status: 200, body: toDeadLetterResponse(letter), etag: versionTag(letter.version) };
}
