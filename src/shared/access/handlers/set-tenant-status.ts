import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../kernel/clock.ts';
import { UnitOfWork } from '../../persistence/unit-of-work.ts';
import { TenantNotFound } from '../admin.errors.ts';
import { SetTenantStatus, type TenantView } from '../contract.ts';
import { accessEvent, TenantResumed, TenantSuspended } from '../events.ts';
import { tenantsTable } from '../tenant.table.ts';

/** Suspends a tenant, or lets it go on. From the commit on, every server answers its keys so. */
@CommandHandler(SetTenantStatus)
export class SetTenantStatusHandler implements ICommandHandler<SetTenantStatus> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  execute(command: SetTenantStatus): Promise<TenantView> {
    return this.unitOfWork.run(command, async (tx) => {
      const stored = await tx.get(tenantsTable, command.id);
      if (stored === undefined) throw new TenantNotFound(command.id);
      if (stored.status === command.status) return stored;
      const { status } = command;
      const tenant = { ...stored, status, updatedAt: this.clock.now(), version: stored.version + 1 };
      await tx.put(tenantsTable, tenant);
      const { id: tenantId, version, updatedAt } = tenant;
      const event = status === 'SUSPENDED' ? TenantSuspended : TenantResumed;
      tx.record([accessEvent(event, `tenant/${tenantId}`, version, { tenantId }, updatedAt)]);
      return tenant;
    });
  }
}
