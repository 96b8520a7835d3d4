import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Allows } from '../access/allows.ts';
import { principalOf } from '../access/principal.ts';
import { rolesOf } from '../access/roles.ts';
import { NO_TENANT } from '../housekeeping/retention-marks.ts';
import { type Exchange, HttpExchange } from '../http/exchange.ts';
import { ApiProblems } from '../http/openapi.ts';
import { toPageResponse } from '../http/page-response.ts';
import { currentContext } from '../kernel/context.ts';
import { AuditPage, AuditQuery, filterOf, toAuditEntryResponse } from './audit.dto.ts';
import { AuditReads } from './audit-reads.ts';
import { AuditWriter } from './audit-writer.ts';

/** How long a read waits for what was done right before it to be written, in milliseconds. */
const CATCH_UP_MAX_MS = 2_000;

/** Who did what, over HTTP. */
@ApiTags('Administration')
@Controller('v1/audit')
export class AuditController {
  constructor(
    private readonly reads: AuditReads,
    private readonly writer: AuditWriter,
  ) {}

  @Get()
  @Allows('operator', 'auditor', 'platform')
  @ApiOperation({
    operationId: 'listAudit',
    summary: 'Who did what, newest first',
    description:
      'Every movement, every change of a reservation and every act of administration, with the key, the address and the request. `operator` and `auditor` see their tenant; `platform` sees what was done to tenants, and who was refused without a good key. Newest first by when it was done; what was done at the same instant by tenant, and in one chain by falling numbers.',
  })
  @ApiOkResponse({ type: AuditPage, description: 'A page of the audit.' })
  @ApiProblems('VALIDATION_FAILED')
  async list(@HttpExchange() { request }: Exchange, @Query() query: AuditQuery): Promise<AuditPage> {
    const tenantIds = chainsSeenBy(request);
    await Promise.all(tenantIds.map((tenantId) => this.writer.caughtUp(tenantId, CATCH_UP_MAX_MS)));
    const page = await this.reads.list(tenantIds, filterOf(query), query.limit, query.cursor ?? null);
    return toPageResponse(page, toAuditEntryResponse);
  }
}

/** While nobody is asked who they are, everybody runs the platform. */
function chainsSeenBy(request: FastifyRequest): string[] {
  const principal = principalOf(request);
  const roles = rolesOf(principal?.role ?? 'admin');
  return [
    ...(roles.includes('platform') ? [NO_TENANT] : []),
    ...(roles.some((role) => role !== 'platform') ? [currentContext().tenantId] : []),
  ];
}
