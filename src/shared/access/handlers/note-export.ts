import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../kernel/clock.ts';
import { UnitOfWork } from '../../persistence/unit-of-work.ts';
import { TenantNotFound } from '../admin.errors.ts';
import { NoteExport } from '../contract.ts';
import { accessEvent, TenantExported } from '../events.ts';
import { tenantsTable } from '../tenant.table.ts';

/** Nothing is exported of which the log does not know. */
@CommandHandler(NoteExport)
export class NoteExportHandler implements ICommandHandler<NoteExport> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  execute(command: NoteExport): Promise<void> {
    return this.unitOfWork.run(command, async (tx) => {
      const { id: tenantId } = command;
      const tenant = await tx.get(tenantsTable, tenantId);
      if (tenant === undefined) throw new TenantNotFound(tenantId);
      const at = this.clock.now();
      tx.record([accessEvent(TenantExported, `tenant/${tenantId}`, tenant.version, { tenantId }, at)]);
    });
  }
}
