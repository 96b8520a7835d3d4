import { CommandHandler, type ICommandHandler, QueryBus } from '@nestjs/cqrs';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { GetAvailability, productWanted } from '../../inventory/contract.ts';
import { ReplayLettersOfNewProducts } from '../contract.ts';
import { WaitingLetters } from './waiting-letters.ts';

/** Skus of one look into the catalogue. */
const SKUS_PER_LOOK = 200;

/**
 * A product that another server creates while its event dies here may have been created before the letter was there, and
 * looked for none. So whoever has buried such letters looks once more.
 */
@CommandHandler(ReplayLettersOfNewProducts)
export class ReplayWaitingLettersHandler implements ICommandHandler<ReplayLettersOfNewProducts> {
  constructor(
    private readonly queries: QueryBus,
    private readonly unitOfWork: UnitOfWork,
    private readonly waiting: WaitingLetters,
  ) {}

  async execute({ skus }: ReplayLettersOfNewProducts): Promise<void> {
    for (let from = 0; from < skus.length; from += SKUS_PER_LOOK) {
      const look = new GetAvailability(skus.slice(from, from + SKUS_PER_LOOK), null);
      for (const { sku, known } of await this.queries.execute(look)) {
        if (known) await this.replay(productWanted(sku));
      }
    }
  }

  private async replay(waitsFor: string): Promise<void> {
    let left: { after: string | null } | null = { after: null };
    while (left !== null) {
      const { after }: { after: string | null } = left;
      left = await this.unitOfWork.run({ keys: [], workClass: 'bulk' }, (tx) =>
        this.waiting.replaySome(tx, waitsFor, after),
      );
    }
  }
}
