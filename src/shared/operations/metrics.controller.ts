import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { Registry } from 'prom-client';
import { Metrics } from './metrics.ts';

/** The path comes from PrometheusModule, which mounts this controller. */
@ApiTags('operations')
@Controller()
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  @Header('Content-Type', Registry.PROMETHEUS_CONTENT_TYPE)
  @ApiProduces('text/plain')
  @ApiOperation({
    summary: 'Everything that is measured, in the text format of Prometheus',
  })
  index(): Promise<string> {
    return this.metrics.exposition();
  }
}
