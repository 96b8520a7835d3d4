import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allows } from '../../shared/access/allows.ts';
import { Costs } from '../../shared/access/limits/cost.ts';
import { type Exchange, HttpExchange } from '../../shared/http/exchange.ts';
import { PageQuery } from '../../shared/http/fields.ts';
import { ApiProblems } from '../../shared/http/openapi.ts';
import { toPageResponse } from '../../shared/http/page-response.ts';
import { NDJSON_TYPES, StreamedBody } from '../../shared/http/streamed-body.ts';
import { RowStreams } from '../../shared/rows/row-streams.ts';
import { Settings } from '../../shared/settings.ts';
import { BalanceLines, balanceOf } from './balance-lines.ts';
import { CheckBalancePlace, FileReconciliation, GetReconciliation, ListReconciliations } from './contract.ts';
import {
  ReconcileQuery,
  ReconciliationPage,
  ReconciliationPath,
  ReconciliationResponse,
  toReconciliationResponse,
  toSummaryResponse,
} from './reconciliation.dto.ts';
import { RECONCILE_OPERATION } from './reconciliation.openapi.ts';
import { StoreComparison } from './store-comparison.ts';
import { StorePath } from './store.dto.ts';

/** Whether store and centre have the same, over HTTP. */
@ApiTags('Stores')
@Controller('v1/sync/stores/:locationId/reconciliations')
export class ReconciliationsController {
  constructor(
    private readonly streams: RowStreams,
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly settings: Settings,
  ) {}

  @Post()
  @HttpCode(200)
  @Costs('bulk')
  @Allows('operator', 'store')
  @StreamedBody(NDJSON_TYPES)
  @ApiOperation(RECONCILE_OPERATION)
  @ApiOkResponse({ type: ReconciliationResponse, description: 'Where store and centre differed.' })
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND', 'CURSOR_GONE', 'STALE_EPOCH', 'SEQUENCE_AHEAD')
  async reconcile(
    @HttpExchange() { request }: Exchange,
    @Param() { locationId }: StorePath,
    @Query() { apply }: ReconcileQuery,
  ): Promise<ReconciliationResponse> {
    const lines = new BalanceLines(this.settings.jsonDepthMax);
    let comparison: StoreComparison | undefined;
    const begin = async (): Promise<StoreComparison> => {
      await this.queries.execute(new CheckBalancePlace(locationId, lines.header));
      return new StoreComparison(this.queries, locationId, lines.header);
    };
    await this.streams.readAll(request, lines, async ({ rows }) => {
      comparison ??= await begin();
      await comparison.compare(rows.map(balanceOf));
    });
    comparison ??= await begin();
    const differences = await comparison.finish((sku) => lines.has(sku));
    // What the cursor needs may have been purged meanwhile, or another agent may have begun.
    await this.queries.execute(new CheckBalancePlace(locationId, lines.header));
    const { header } = lines;
    return toReconciliationResponse(
      await this.commands.execute(new FileReconciliation(locationId, header, differences, apply)),
    );
  }

  @Get()
  @Allows('operator', 'auditor', 'store')
  @ApiOperation({
    operationId: 'listReconciliations',
    summary: 'List reconciliations of a store, newest first',
    description: 'Without the differences that they found. They are kept for `SYNC_EVENTS_KEEP_DAYS`.',
  })
  @ApiOkResponse({ type: ReconciliationPage, description: 'A page of reconciliations.' })
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async list(@Param() { locationId }: StorePath, @Query() { limit, cursor }: PageQuery): Promise<ReconciliationPage> {
    const page = await this.queries.execute(new ListReconciliations(locationId, limit, cursor ?? null));
    return toPageResponse(page, toSummaryResponse);
  }

  @Get(':id')
  @Allows('operator', 'auditor', 'store')
  @ApiOperation({
    operationId: 'getReconciliation',
    summary: 'Read what a reconciliation has found',
    description: 'As it was answered, with the first 10,000 differences.',
  })
  @ApiOkResponse({ type: ReconciliationResponse, description: 'The reconciliation.' })
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async get(@Param() { locationId, id }: ReconciliationPath): Promise<ReconciliationResponse> {
    return toReconciliationResponse(await this.queries.execute(new GetReconciliation(locationId, id)));
  }
}
