import { Controller, Get, Header, Logger } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { DomainError } from '../kernel/domain-error.ts';
import { Readiness, type ReadinessReport } from './readiness.ts';

/** Answered to probes while a check is down; `checks` of the problem document says which and by how much. */
export class NotReady extends DomainError {
  readonly code = 'UNAVAILABLE';
  readonly kind = 'busy';
  /** About the interval of a probe. */
  readonly retryAfterSeconds = 5;

  constructor({ checks, failing }: ReadinessReport) {
    super(`Not ready: ${failing.join(', ')}`, { checks });
  }
}

@ApiTags('operations')
@Controller('health')
export class HealthController {
  private readonly logger = new Logger(HealthController.name);
  private failingBefore = '';

  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'The process answers; nothing else is looked at' })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'The process can serve requests: databases, disk space, event loop, queue',
  })
  @ApiResponse({
    status: 503,
    description: 'It cannot, or it is stopping; `checks` says what is down',
  })
  async ready(): Promise<{ status: 'ok'; checks: ReadinessReport['checks'] }> {
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
