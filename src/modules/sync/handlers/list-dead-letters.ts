import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Page } from '../../../shared/kernel/page.ts';
import { DeadLetters } from '../../../shared/outbox/dead-letters.ts';
import { type DeadLetterView, ListDeadLetters } from '../contract.ts';
import { toDeadLetterView } from './dead-letter-view.ts';

@QueryHandler(ListDeadLetters)
export class ListDeadLettersHandler implements IQueryHandler<ListDeadLetters> {
  constructor(private readonly deadLetters: DeadLetters) {}

  async execute({ status, limit, cursor }: ListDeadLetters): Promise<Page<DeadLetterView>> {
    const page = await this.deadLetters.list(status, limit, cursor);
    return { ...page, items: page.items.map(toDeadLetterView) };
  }
}
