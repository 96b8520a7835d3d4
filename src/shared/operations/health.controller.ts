import { Controller, Get, Logger } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiSchema, ApiTags } from '@nestjs/swagger';
import { Open } from '../access/allows.ts';
import { ApiProblems } from '../http/openapi.ts';
import { DomainError } from '../kernel/domain-error.ts';
import { Readiness, type ReadinessReport } from './readiness.ts';

@ApiSchema({
  description: 'Answered to probes while a check is down; `checks` of the problem document says which and by how much.',
})
export class NotReady extends DomainError {
  readonly code = 'UNAVAILABLE';
  readonly kind = 'busy';
  /** About the interval of a probe. */
  readonly retryAfterSeconds = 5;

  constructor({ checks, failing }: ReadinessReport) {
    super(`Not ready: ${failing.join(', ')}`, { checks });
  }
}

@ApiSchema({ description: 'The process is alive.' })
export class LiveResponse {
  @ApiProperty({
    enum: ['ok'],
    description: 'Nothing else: what is not well is answered with an error.',
    example: 'ok',
  })
  status!: 'ok';
}

@ApiSchema({ description: 'The process can serve requests, and what was looked at.' })
export class ReadyResponse extends LiveResponse {
  @ApiProperty({
    type: 'object',
    description: 'By name: that it is up, and what was measured.',
    additionalProperties: {
      type: 'object',
      properties: { status: { type: 'string', enum: ['up'] } },
      required: ['status'],
      additionalProperties: true,
    },
    example: {
      writer: { status: 'up' },
      reader: { status: 'up' },
      disk: { status: 'up', freeBytes: 21_474_836_480 },
      eventLoop: { status: 'up', maxMs: 12 },
      queue: { status: 'up', works: 0 },
    },
  })
  checks!: ReadinessReport['checks'];
}

@ApiTags('Operations')
@Controller('health')
export class HealthController {
  private readonly logger = new Logger(HealthController.name);
  private failingBefore = '';

  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @Open()
  @ApiOperation({
    operationId: 'getLiveness',
    summary: 'Is the process alive?',
    description: 'It answers; nothing else is looked at. For a supervisor that restarts what hangs.',
  })
  @ApiOkResponse({ type: LiveResponse, description: 'It is.' })
  live(): LiveResponse {
    return { status: 'ok' };
  }

  @Get('ready')
  @Open()
  @ApiOperation({
    operationId: 'getReadiness',
    summary: 'Can the process serve requests?',
    description:
      'Looks at databases, disk space, event loop and queue. For a load balancer: no while one of them is down and while the process is stopping; `checks` says which.',
  })
  @ApiOkResponse({ type: ReadyResponse, description: 'It can.' })
  @ApiProblems('UNAVAILABLE')
  async ready(): Promise<ReadyResponse> {
    const report = await this.readiness.check();
    this.logChange(report.failing.join(', '));
    if (report.failing.length > 0) throw new NotReady(report);
    return { status: 'ok', checks: report.checks };
  }

  /** Probes come every few seconds, so only a change is a line. */
  private logChange(failing: string): void {
    if (failing === this.failingBefore) return;
    this.failingBefore = failing;
    if (failing === '') this.logger.log('Ready again');
    else this.logger.warn(`Not ready: ${failing}`);
  }
}
