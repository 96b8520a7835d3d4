import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import type { DomainEvent } from '../../../shared/kernel/domain-event.ts';
import { assertVersionMatches } from '../../../shared/kernel/version-match.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { ReportFreshness } from '../../inventory/contract.ts';
import { PutStorePolicy, StorePolicyChanged, type StorePolicyView } from '../contract.ts';
import { StorePolicy, type StorePolicyState } from '../domain/store-policy.ts';
import { storePoliciesTable } from '../storage/store-policy.table.ts';
import { StoreContacts } from '../store-contacts.ts';
import { toStorePolicyView } from './store-policy-view.ts';

/** Keeps what is ordered for a store, and tells inventory, which goes by it from this commit on. */
@CommandHandler(PutStorePolicy)
export class PutStorePolicyHandler implements ICommandHandler<PutStorePolicy> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
    private readonly contacts: StoreContacts,
  ) {}

  execute(command: PutStorePolicy): Promise<StorePolicyView> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      const { locationId, wanted, ifMatch } = command;
      // First, because it knows whether there is such a location; whatever is refused after it is undone with it.
      await this.commands.execute(new ReportFreshness(locationId, { policy: wanted }));
      const stored = await tx.get(storePoliciesTable, locationId);
      assertVersionMatches(ifMatch, stored?.version ?? 0);
      const policy = stored === undefined ? StorePolicy.create(locationId, wanted, at) : StorePolicy.of(stored);
      if (stored === undefined || policy.put(wanted, at)) {
        tx.replace(storePoliciesTable, policy.state);
        tx.record([changed(policy.state)]);
      }
      tx.onSettled((status) => {
        if (status === 'success') this.contacts.follow(tx.tenantId, locationId, wanted.staleAfterSeconds);
      });
      return toStorePolicyView(policy.state);
    });
  }
}

function changed({ createdAt: _, updatedAt, version: subjectVersion, ...data }: StorePolicyState): DomainEvent {
  const { type, version } = StorePolicyChanged;
  const { locationId } = data;
  const subject = `store/${locationId}/policy`;
  return { type, version, subject, subjectVersion, locationId, data, occurredAt: updatedAt };
}
