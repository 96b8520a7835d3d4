import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '../../persistence/unit-of-work.ts';
import { EraseTenant } from '../contract.ts';
import { tenantsTable } from '../tenant.table.ts';

/** The last thing that goes of a tenant: that it was one. Its id is free again. */
@CommandHandler(EraseTenant)
export class EraseTenantHandler implements ICommandHandler<EraseTenant> {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  execute(command: EraseTenant): Promise<void> {
    return this.unitOfWork.run(command, async (tx) => {
      const tenant = await tx.get(tenantsTable, command.id);
      if (tenant !== undefined) tx.remove(tenantsTable, tenant);
    });
  }
}
