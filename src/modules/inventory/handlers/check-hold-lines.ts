import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { CheckHoldLines, CheckLocation } from '../contract.ts';
import { Catalogue } from '../storage/catalogue.repository.ts';

/** Says no to lines that name an unknown sku or location, before anything else about them is looked at. */
@CommandHandler(CheckHoldLines)
export class CheckHoldLinesHandler implements ICommandHandler<CheckHoldLines> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly catalogue: Catalogue,
  ) {}

  execute(command: CheckHoldLines): Promise<void> {
    return this.unitOfWork.run(command, async (tx) => {
      await this.catalogue.productsInBody(
        tx,
        command.lines.map(({ sku }) => sku),
      );
      await this.catalogue.locationsInBody(
        tx,
        command.lines.flatMap(({ locationId }) => locationId ?? []),
      );
    });
  }
}

/** Says no to an unknown location. */
@CommandHandler(CheckLocation)
export class CheckLocationHandler implements ICommandHandler<CheckLocation> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly catalogue: Catalogue,
  ) {}

  execute(command: CheckLocation): Promise<void> {
    return this.unitOfWork.run(command, async (tx) => {
      await this.catalogue.locationsInBody(tx, [command.locationId]);
    });
  }
}
