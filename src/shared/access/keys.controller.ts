import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Exchange, HttpExchange } from '../http/exchange.ts';
import { ApiProblems } from '../http/openapi.ts';
import { toPageResponse } from '../http/page-response.ts';
import { currentContext } from '../kernel/context.ts';
import {
  CreateKeyRequest,
  KeyCreatedResponse,
  KeyPage,
  KeyPath,
  KeyQuery,
  KeyResponse,
  toKeyResponse,
} from './access.dto.ts';
import { forbidden } from './access.errors.ts';
import { Allows } from './allows.ts';
import { hashOfKey, makeApiKey } from './api-key.ts';
import { IssueKey, RevokeKey } from './contract.ts';
import { Directory } from './directory.ts';
import { ofTenant } from './realms.ts';
import { principalOf } from './principal.ts';
import { isPlatform } from './roles.ts';

/**
 * Keys over HTTP: an operator's for its own tenant, those of all for whoever runs the platform. Not through WriteDoor:
 * under an Idempotency-Key it would keep the answer, and with it the key.
 */
@ApiTags('Administration')
@Controller('v1/admin/keys')
export class KeysController {
  constructor(
    private readonly commands: CommandBus,
    private readonly directory: Directory,
  ) {}

  @Post()
  @Allows('platform', 'operator')
  @ApiOperation({
    operationId: 'createKey',
    summary: 'Make a key',
    description:
      'The key is in this answer and nowhere else. When the answer got lost, make another one and revoke this one: an `Idempotency-Key` would have to keep it, so it is passed over here. Only `platform` makes keys of `platform` and keys of other tenants.',
  })
  @ApiCreatedResponse({ type: KeyCreatedResponse, description: 'Made, and good at once.' })
  @ApiProblems('VALIDATION_FAILED', 'UNKNOWN_TENANT')
  async create(@HttpExchange() { request }: Exchange, @Body() body: CreateKeyRequest): Promise<KeyCreatedResponse> {
    const { name, role, clientId, locationId, expiresAt, tenantId } = body;
    if (!asPlatform(request) && (role === 'platform' || tenantId !== null)) {
      throw forbidden('Only platform makes keys of platform, and keys of other tenants');
    }
    const owner = tenantId ?? currentContext().tenantId;
    await this.directory.assertTenant(owner);
    const key = makeApiKey(role);
    const expiry = expiresAt === null ? null : Date.parse(expiresAt);
    const wanted = { name, role, clientId, locationId, expiresAt: expiry };
    const { id } = await ofTenant(owner, () => this.commands.execute(new IssueKey(hashOfKey(key), wanted)));
    return { id, key };
  }

  @Get()
  @Allows('platform', 'operator')
  @ApiOperation({
    operationId: 'listKeys',
    summary: 'List keys, oldest first',
    description:
      'What is known of each, also of revoked ones. An `operator` sees those of its tenant but for those of `platform`; `platform` sees those of all tenants.',
  })
  @ApiOkResponse({ type: KeyPage, description: 'A page of keys.' })
  @ApiProblems('VALIDATION_FAILED')
  async list(@HttpExchange() { request }: Exchange, @Query() { tenantId, limit, cursor }: KeyQuery): Promise<KeyPage> {
    const byPlatform = asPlatform(request);
    const own = currentContext().tenantId;
    if (!byPlatform && tenantId !== undefined && tenantId !== own) {
      throw forbidden('Only platform sees keys of other tenants');
    }
    const asked = tenantId ?? (byPlatform ? null : own);
    return toPageResponse(await this.directory.keys(asked, byPlatform, limit, cursor ?? null), toKeyResponse);
  }

  @Delete(':id')
  @Allows('platform', 'operator')
  @ApiOperation({
    operationId: 'revokeKey',
    summary: 'Revoke a key',
    description:
      'From this answer on, every server refuses it, and every token that was made for it. It stays in the list. Again: the same answer.',
  })
  @ApiOkResponse({ type: KeyResponse, description: 'Revoked.' })
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async revoke(@HttpExchange() { request }: Exchange, @Param() { id }: KeyPath): Promise<KeyResponse> {
    const byPlatform = asPlatform(request);
    const owner = await this.directory.tenantOfKey(id, byPlatform);
    return toKeyResponse(await ofTenant(owner, () => this.commands.execute(new RevokeKey(id, byPlatform))));
  }
}

/** While nobody is asked who they are, everybody runs the platform. */
function asPlatform(request: FastifyRequest): boolean {
  const principal = principalOf(request);
  return principal === null || isPlatform(principal.role);
}
