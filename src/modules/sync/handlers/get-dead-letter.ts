import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { DeadLetters } from '../../../shared/outbox/dead-letters.ts';
import { type DeadLetterView, GetDeadLetter } from '../contract.ts';
import { toDeadLetterView } from './dead-letter-view.ts';

@QueryHandler(GetDeadLetter)
export class GetDeadLetterHandler implements IQueryHandler<GetDeadLetter> {
  constructor(private readonly deadLetters: DeadLetters) {}

  async execute({ id }: GetDeadLetter): Promise<DeadLetterView> {
    return toDeadLetterView(await this.deadLetters.find(id));
  }
}
