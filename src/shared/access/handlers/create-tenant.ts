import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { AuditChains } from '../../audit/audit-chains.ts';
import { Clock } from '../../kernel/clock.ts';
import { UnitOfWork } from '../../persistence/unit-of-work.ts';
import { TenantExists } from '../admin.errors.ts';
import { CreateTenant, type TenantView } from '../contract.ts';
import { accessEvent, TenantCreated } from '../events.ts';
import { tenantsTable } from '../tenant.table.ts';

/** A new chain. The same again changes nothing. */
@CommandHandler(CreateTenant)
export class CreateTenantHandler implements ICommandHandler<CreateTenant> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly audit: AuditChains,
  ) {}

  execute(command: CreateTenant): Promise<{ tenant: TenantView; created: boolean }> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      const { id, name } = command;
      const stored = await tx.get(tenantsTable, id);
      if (stored !== undefined) {
        if (stored.name !== name) throw new TenantExists(id);
        return { tenant: stored, created: false };
      }
      const tenant: TenantView = { id, name, status: 'ACTIVE', createdAt: at, updatedAt: at, version: 1 };
      await tx.put(tenantsTable, tenant);
      await this.audit.unseal(tx, id);
      tx.record([accessEvent(TenantCreated, `tenant/${id}`, 1, { tenantId: id, name }, at)]);
      return { tenant, created: true };
    });
  }
}
