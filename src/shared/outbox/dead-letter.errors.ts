import { DomainError } from '../kernel/domain-error.ts';

export class DeadLetterNotFound extends DomainError {
  readonly code = 'NOT_FOUND';
  readonly kind = 'missing';

  constructor(id: string) {
    super(`There is no dead letter ${id}`, { deadLetterId: id });
  }
}
