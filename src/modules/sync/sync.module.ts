import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { DeadLettersController } from './dead-letters.controller.ts';
import { DiscardDeadLetterHandler } from './handlers/discard-dead-letter.ts';
import { GetDeadLetterHandler } from './handlers/get-dead-letter.ts';
import { ListDeadLettersHandler } from './handlers/list-dead-letters.ts';
import { RehearseReplayHandler } from './handlers/rehearse-replay.ts';
import { ReplayDeadLetterHandler } from './handlers/replay-dead-letter.ts';

const DEAD_LETTER_HANDLERS = [
  ListDeadLettersHandler,
  GetDeadLetterHandler,
  ReplayDeadLetterHandler,
  RehearseReplayHandler,
  DiscardDeadLetterHandler,
];

@Module({
  imports: [CqrsModule],
  controllers: [DeadLettersController],
  providers: [...DEAD_LETTER_HANDLERS],
})
export class SyncModule {}
