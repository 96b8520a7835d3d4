import { ApiProperty, ApiSchema } from '@nestjs/swagger';

@ApiSchema({ description: 'How this store and the centre stand to each other.' })
export class LinkResponse {
  @ApiProperty({
    enum: ['STARTING', 'CONNECTED', 'AWAY', 'REFUSED', 'SUPERSEDED'],
    description:
      'AWAY: no answer, tried again all the time. REFUSED, SUPERSEDED: somebody has to look, see docs/operations.md.',
    example: 'CONNECTED',
  })
  state!: string;

  @ApiProperty({ type: 'string', nullable: true, description: 'Why it is not CONNECTED.', example: null })
  problem!: string | null;

  @ApiProperty({ enum: ['CLOSED', 'OPEN', 'HALF_OPEN'], description: 'Of the circuit breaker.', example: 'CLOSED' })
  breaker!: string;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'When the centre answered last.',
    example: '2026-11-22T22:43:00.000Z',
  })
  lastContactAt!: string | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'The epoch of the stream.', example: 1 })
  epoch!: number | null;

  @ApiProperty({ type: 'string', nullable: true, description: 'The change that was applied last.', example: '4711' })
  cursor!: string | null;

  @ApiProperty({ type: 'boolean', description: 'False: a snapshot is needed or being taken over.', example: true })
  settled!: boolean;

  @ApiProperty({ type: 'integer', description: 'Recorded events that the centre has not acknowledged.', example: 0 })
  pendingEvents!: number;

  @ApiProperty({ type: 'number', description: 'Age of the oldest of them, in seconds.', example: 0 })
  oldestPendingSeconds!: number;

  @ApiProperty({ type: 'integer', description: 'Events that the centre could not apply.', example: 0 })
  deadEvents!: number;

  @ApiProperty({ type: 'integer', description: 'Events that contradict what the centre has.', example: 0 })
  conflicts!: number;
}

@ApiSchema({ description: 'The agent works; how it stands with the centre is a matter of its own.' })
export class AgentHealthResponse {
  @ApiProperty({ enum: ['ok'], description: 'The tills can record.', example: 'ok' })
  status!: 'ok';

  @ApiProperty({ description: 'Which store this is.', example: 'S1' })
  locationId!: string;

  @ApiProperty({ description: 'The link to the centre.', type: LinkResponse })
  link!: LinkResponse;
}
