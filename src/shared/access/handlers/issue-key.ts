import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../kernel/clock.ts';
import { Ids } from '../../kernel/ids.ts';
import { UnitOfWork } from '../../persistence/unit-of-work.ts';
import { type ApiKeyRow, apiKeysTable } from '../api-key.table.ts';
import { IssueKey } from '../contract.ts';
import { keyCreated } from '../events.ts';

/** Stores what is known of a new key, in the tenant of the context. */
@CommandHandler(IssueKey)
export class IssueKeyHandler implements ICommandHandler<IssueKey> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  execute({ hash, wanted }: IssueKey): Promise<{ id: string }> {
    return this.unitOfWork.run({ keys: [] }, (tx) => {
      const id = this.ids.next();
      const row: ApiKeyRow = {
        ...wanted,
        id,
        hash,
        // The keys of a store are of one client, so that one can follow another; every other is one by itself.
        clientId: wanted.clientId ?? wanted.locationId ?? id,
        createdAt: this.clock.now(),
        lastUsedAt: null,
        revokedAt: null,
        version: 1,
      };
      tx.insert(apiKeysTable, row);
      tx.record([keyCreated(row)]);
      return Promise.resolve({ id });
    });
  }
}
