import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AgentHealthResponse } from './agent-health.dto.ts';
import { LinkReport } from './link/link-report.ts';

@ApiTags('Operations')
@Controller('health')
export class AgentHealthController {
  constructor(private readonly report: LinkReport) {}

  @Get()
  @ApiOperation({
    operationId: 'getAgentHealth',
    summary: 'How is this store?',
    description: 'Answered with 200 while the centre is away, because a store works without it.',
  })
  @ApiOkResponse({ type: AgentHealthResponse, description: 'The agent and its link.' })
  getAgentHealth(): Promise<AgentHealthResponse> {
    return this.report.read();
  }
}
