import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { assertVersionMatches } from '../../../shared/kernel/version-match.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { SetStockPolicy, type StockItemView } from '../contract.ts';
import { Catalogue } from '../storage/catalogue.repository.ts';
import { Holds } from '../storage/hold.repository.ts';
import { StockItems } from '../storage/stock-item.repository.ts';
import { viewOfItem } from './stock-view.ts';

/** Sets the units that commands leave alone; never refused (DESIGN rule 1). */
@CommandHandler(SetStockPolicy)
export class SetStockPolicyHandler implements ICommandHandler<SetStockPolicy> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly catalogue: Catalogue,
    private readonly items: StockItems,
    private readonly holds: Holds,
  ) {}

  execute(command: SetStockPolicy): Promise<StockItemView> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      await this.catalogue.inPath(tx, command.sku, command.locationId);
      const item = await this.items.get(tx, command.sku, command.locationId);
      assertVersionMatches(command.ifMatch, item.version);
      item.setPolicy(command.safetyStock, at);
      this.items.save(tx, item);
      return viewOfItem(item, await this.holds.dueUnits(tx, item, at), at);
    });
  }
}
