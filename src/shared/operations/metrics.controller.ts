import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Registry } from 'prom-client';
import { Allows } from '../access/allows.ts';
import { Metrics } from './metrics.ts';

/** The path comes from PrometheusModule, which mounts this controller. */
@ApiTags('Operations')
@Controller()
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  @Allows('platform')
  @Header('Content-Type', Registry.PROMETHEUS_CONTENT_TYPE)
  @ApiOperation({
    operationId: 'getMetrics',
    summary: 'Read everything that is measured',
    description: 'In the text format of Prometheus. docs/operations.md lists the metrics.',
  })
  @ApiOkResponse({
    description: 'Each metric with its help, its type and its values.',
    content: {
      'text/plain': {
        schema: { type: 'string' },
        example:
          '# HELP reservations_total Reservations by what became of them\n# TYPE reservations_total counter\nreservations_total{outcome="created"} 17\n',
      },
    },
  })
  index(): Promise<string> {
    return this.metrics.exposition();
  }
}
