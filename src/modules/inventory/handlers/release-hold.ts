import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { ReleaseHold } from '../contract.ts';
import { Holds } from '../storage/hold.repository.ts';

/** Gives back what a hold still has. A second time there is nothing left to give. */
@CommandHandler(ReleaseHold)
export class ReleaseHoldHandler implements ICommandHandler<ReleaseHold> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly holds: Holds,
  ) {}

  execute({ holdId, cause, at, keys }: ReleaseHold): Promise<void> {
    return this.unitOfWork.run({ keys }, async (tx) => {
      const rows = await this.holds.of(tx, holdId);
      for (const { row, item } of await this.holds.withItems(tx, rows)) {
        this.holds.release(tx, row, item, cause, at);
      }
    });
  }
}
