import { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AuditSeal } from '../audit/audit-seal.ts';
import { AnswersStream } from '../http/answered-stream.ts';
import { type Exchange, HttpExchange } from '../http/exchange.ts';
import { PageQuery } from '../http/fields.ts';
import { ApiProblems } from '../http/openapi.ts';
import { toPageResponse } from '../http/page-response.ts';
import { NDJSON_TYPES } from '../http/streamed-body.ts';
import { toIsoInstant } from '../kernel/clock.ts';
import { currentContext } from '../kernel/context.ts';
import { RESULTS_CONTENT_TYPE } from '../rows/row-streams.ts';
import {
  CreateTenantRequest,
  ErasureResponse,
  TenantPage,
  TenantPath,
  TenantResponse,
  toTenantResponse,
} from './access.dto.ts';
import { forbidden } from './access.errors.ts';
import { TenantNotFound } from './admin.errors.ts';
import { Allows } from './allows.ts';
import { Costs } from './limits/cost.ts';
import { CreateTenant, EraseTenant, NoteExport, SetTenantStatus } from './contract.ts';
import { Directory } from './directory.ts';
import { ofPlatform } from './realms.ts';
import { TenantData } from './tenant-data.ts';
import { EXPORT_RESPONSE } from './tenant-data.openapi.ts';
import type { TenantStatus } from './tenant.table.ts';

/**
 * Tenants over HTTP, for whoever runs the platform. Not through WriteDoor, which keeps Idempotency-Keys with the tenant
 * that a change is in: these are of none, and each is the same when it comes again.
 */
@ApiTags('Administration')
@Controller('v1/admin/tenants')
export class TenantsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly directory: Directory,
    private readonly data: TenantData,
    private readonly auditSeal: AuditSeal,
  ) {}

  @Post()
  @Allows('platform')
  @ApiOperation({
    operationId: 'createTenant',
    summary: 'Make a tenant',
    description: 'Then make its first `operator` key. The same again changes nothing and is answered with 200.',
  })
  @ApiCreatedResponse({ type: TenantResponse, description: 'Made; its keys will be good at once.' })
  @ApiOkResponse({ type: TenantResponse, description: 'It was there already, under the same name.' })
  @ApiProblems('VALIDATION_FAILED', 'TENANT_EXISTS')
  async create(
    @HttpExchange() { reply }: Exchange,
    @Body() { id, name }: CreateTenantRequest,
  ): Promise<TenantResponse> {
    const { tenant, created } = await ofPlatform(() => this.commands.execute(new CreateTenant(id, name)));
    reply.code(created ? 201 : 200);
    return toTenantResponse(tenant);
  }

  @Get()
  @Allows('platform')
  @ApiOperation({ operationId: 'listTenants', summary: 'List tenants, by id', description: 'Suspended ones, too.' })
  @ApiOkResponse({ type: TenantPage, description: 'A page of tenants.' })
  @ApiProblems('VALIDATION_FAILED')
  async list(@Query() { limit, cursor }: PageQuery): Promise<TenantPage> {
    return toPageResponse(await this.directory.tenants(limit, cursor ?? null), toTenantResponse);
  }

  @Post(':id/suspend')
  @HttpCode(200)
  @Allows('platform')
  @ApiOperation({
    operationId: 'suspendTenant',
    summary: 'Stop a tenant',
    description:
      'From this answer on, every server refuses its keys and tokens with 403. What is stored stays, and what was reserved still ends at its time. Again: the same answer.',
  })
  @ApiOkResponse({ type: TenantResponse, description: 'SUSPENDED.' })
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  suspend(@Param() { id }: TenantPath): Promise<TenantResponse> {
    return this.change(id, 'SUSPENDED');
  }

  @Post(':id/resume')
  @HttpCode(200)
  @Allows('platform')
  @ApiOperation({
    operationId: 'resumeTenant',
    summary: 'Let a suspended tenant go on',
    description: 'Its keys are good again at once. Again: the same answer.',
  })
  @ApiOkResponse({ type: TenantResponse, description: 'ACTIVE.' })
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  resume(@Param() { id }: TenantPath): Promise<TenantResponse> {
    return this.change(id, 'ACTIVE');
  }

  @Get(':id/export')
  @Costs('bulk')
  @Allows('platform')
  @AnswersStream({ types: NDJSON_TYPES })
  @ApiOperation({
    operationId: 'exportTenant',
    summary: 'Take along everything of a tenant',
    description:
      'All of its rows, table by table, as they are stored, but for the hashes of its keys. They are read while others write; suspend the tenant before, if they are to be of one instant.',
  })
  @ApiOkResponse(EXPORT_RESPONSE)
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async export(@HttpExchange() { reply }: Exchange, @Param() { id }: TenantPath): Promise<Readable> {
    await ofPlatform(() => this.commands.execute(new NoteExport(id)));
    reply.header('content-type', RESULTS_CONTENT_TYPE);
    return Readable.from(this.data.export(id), { objectMode: false });
  }

  @Delete(':id')
  @Costs('bulk')
  @Allows('platform')
  @ApiOperation({
    operationId: 'eraseTenant',
    summary: 'Erase a tenant and everything of it',
    description:
      'It is suspended, all its rows are erased, its keys with them, and at last the tenant itself; the last hash of its audit stays. There is no way back: export it before. When it is interrupted, the same again goes on. Not for the tenant of the key that asks.',
  })
  @ApiOkResponse({ type: ErasureResponse, description: 'Nothing is left of it.' })
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async erase(@Param() { id }: TenantPath): Promise<ErasureResponse> {
    await this.assertThere(id);
    if (id === currentContext().tenantId) throw forbidden('This is the tenant of the key that asks');
    await this.change(id, 'SUSPENDED');
    const audit = await this.auditSeal.seal(id);
    const { erasedAt, rows } = await this.data.erase(id);
    const total = Object.values(rows).reduce((sum, count) => sum + count, 0);
    await ofPlatform(() => this.commands.execute(new EraseTenant(id, total, audit)));
    return { tenantId: id, erasedAt: toIsoInstant(erasedAt), rows };
  }

  private async assertThere(id: string): Promise<void> {
    if (!(await this.directory.hasTenant(id))) throw new TenantNotFound(id);
  }

  private async change(id: string, status: TenantStatus): Promise<TenantResponse> {
    return toTenantResponse(await ofPlatform(() => this.commands.execute(new SetTenantStatus(id, status))));
  }
}
