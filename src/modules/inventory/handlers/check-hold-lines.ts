import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { CheckHoldLines, CheckLocation, FindLocation } from '../contract.ts';
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

/** Says no to an unknown location that a path names. */
@CommandHandler(FindLocation)
export class FindLocationHandler implements ICommandHandler<FindLocation> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly catalogue: Catalogue,
  ) {}

  execute(command: FindLocation): Promise<void> {
    return this.unitOfWork.run(command, (tx) => this.catalogue.locationInPath(tx, command.locationId));
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
