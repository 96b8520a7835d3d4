import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Exchange, HttpExchange } from '../http/exchange.ts';
import { PageQuery } from '../http/fields.ts';
import { ApiProblems } from '../http/openapi.ts';
import { toPageResponse } from '../http/page-response.ts';
import { CreateTenantRequest, TenantPage, TenantPath, TenantResponse, toTenantResponse } from './access.dto.ts';
import { Allows } from './allows.ts';
import { CreateTenant, SetTenantStatus } from './contract.ts';
import { Directory } from './directory.ts';
import { ofPlatform } from './realms.ts';
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

  private async change(id: string, status: TenantStatus): Promise<TenantResponse> {
    return toTenantResponse(await ofPlatform(() => this.commands.execute(new SetTenantStatus(id, status))));
  }
}
