import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../kernel/clock.ts';
import { UnitOfWork } from '../../persistence/unit-of-work.ts';
import { EraseTenant } from '../contract.ts';
import { accessEvent, TenantErased } from '../events.ts';
import { tenantsTable } from '../tenant.table.ts';

/** The last thing that goes of a tenant: that it was one. Its id is free again. */
@CommandHandler(EraseTenant)
export class EraseTenantHandler implements ICommandHandler<EraseTenant> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  execute(command: EraseTenant): Promise<void> {
    return this.unitOfWork.run(command, async (tx) => {
      const { id: tenantId, rows, audit } = command;
      const tenant = await tx.get(tenantsTable, tenantId);
      if (tenant === undefined) return;
      tx.remove(tenantsTable, tenant);
      const data = { tenantId, rows, auditNumber: audit.number, auditHash: audit.hash };
      tx.record([accessEvent(TenantErased, `tenant/${tenantId}`, tenant.version + 1, data, this.clock.now())]);
    });
  }
}
