import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';
import { DomainError } from '../../../shared/kernel/domain-error.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { type BalanceAsOf, CorrectBalances, type ReportedThrough } from '../contract.ts';
import { UnknownProduct } from '../domain/inventory.errors.ts';
import { StockItems } from '../storage/stock-item.repository.ts';
import { CentralMovements } from './central-movements.ts';
import { LateFacts } from './late-facts.ts';
import { StockLedger } from './stock-ledger.ts';

const REASON = 'Reconciliation with the store';

/** On-hand becomes what a store had, with what has changed since then on top: as a count at that place would have it. */
@CommandHandler(CorrectBalances)
export class CorrectBalancesHandler implements ICommandHandler<CorrectBalances> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly items: StockItems,
    private readonly ledger: StockLedger,
    private readonly central: CentralMovements,
    private readonly late: LateFacts,
  ) {}

  execute({ through, balances, keys }: CorrectBalances): Promise<readonly (string | null)[]> {
    const { locationId, cursor } = through;
    return this.unitOfWork.run({ keys, workClass: 'bulk' }, async (tx) => {
      const at = this.clock.now();
      await this.items.load(
        tx,
        balances.map(({ sku }) => ({ sku, locationId })),
      );
      const skus = balances.map(({ sku }) => sku);
      const later = await this.late.reportedAfterOf(tx, skus, locationId, through.place);
      const unseen = await this.central.unitsBehind(
        tx,
        locationId,
        balances.map(({ sku }) => ({ sku, cursor })),
      );
      const codes: (string | null)[] = [];
      for (const [index, balance] of balances.entries()) {
        const before = tx.mark();
        try {
          this.correct(tx, through, balance, (unseen[index] ?? 0) + (later[index]?.units ?? 0), at);
          codes.push(null);
        } catch (error) {
          if (!(error instanceof DomainError) || error.kind === 'busy') throw error;
          tx.undoTo(before);
          codes.push(error.code);
        }
      }
      return codes;
    });
  }

  /** A repeat finds nothing to correct. @param sinceUnits what has come since, from either side @throws UnknownProduct, QuantityLimit */
  private correct(
    tx: Transaction,
    { locationId, place }: ReportedThrough,
    { sku, units }: BalanceAsOf,
    sinceUnits: number,
    at: Instant,
  ): void {
    if (!this.items.isOfKnownProduct(tx, sku, locationId)) throw new UnknownProduct([sku]);
    const item = this.items.loaded(tx, sku, locationId);
    const onHand = units + sinceUnits;
    if (onHand !== item.state.onHand) this.ledger.settle(tx, onHand, REASON, item, place, at);
  }
}
