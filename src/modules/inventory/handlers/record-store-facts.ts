import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';
import { DomainError } from '../../../shared/kernel/domain-error.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { type FactFailure, productWanted, RecordStoreFacts, type StoreFact } from '../contract.ts';
import { UnknownProduct } from '../domain/inventory.errors.ts';
import type { StockItem } from '../domain/stock-item.ts';
import { StockItems } from '../storage/stock-item.repository.ts';
import { CentralMovements } from './central-movements.ts';
import { LateFacts } from './late-facts.ts';
import { StockLedger } from './stock-ledger.ts';

/** A count as it was read. */
type Count = Extract<StoreFact, { counted: number }>;

/** Records what happened in a store: refused is only what cannot be written down. */
@CommandHandler(RecordStoreFacts)
export class RecordStoreFactsHandler implements ICommandHandler<RecordStoreFacts> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly items: StockItems,
    private readonly ledger: StockLedger,
    private readonly central: CentralMovements,
    private readonly late: LateFacts,
  ) {}

  execute({ locationId, facts, late, keys }: RecordStoreFacts): Promise<readonly FactFailure[]> {
    return this.unitOfWork.run({ keys, workClass: 'bulk' }, async (tx) => {
      const at = this.clock.now();
      await this.items.load(
        tx,
        facts.map(({ sku }) => ({ sku, locationId })),
      );
      const centralUnits = await this.centralUnits(tx, locationId, facts);
      const failures: FactFailure[] = [];
      for (const fact of facts) {
        const before = tx.mark();
        try {
          if (late) await this.recordLate(tx, locationId, fact, centralUnits.get(fact) ?? 0, at);
          else this.record(tx, this.itemOf(tx, fact, locationId), fact, centralUnits.get(fact) ?? 0, at);
          failures.push(null);
        } catch (error) {
          failures.push(toFailure(error, fact));
          tx.undoTo(before);
        }
      }
      return failures;
    });
  }

  private record(tx: Transaction, item: StockItem, fact: StoreFact, unseenUnits: number, at: Instant): void {
    if ('counted' in fact) this.ledger.settle(tx, fact.counted + unseenUnits, null, item, fact.place, at);
    else this.ledger.record(tx, fact, item, at);
  }

  private async recordLate(
    tx: Transaction,
    locationId: string,
    fact: StoreFact,
    centralUnits: number,
    at: Instant,
  ): Promise<void> {
    const item = this.itemOf(tx, fact, locationId);
    const later = await this.late.reportedAfter(tx, fact.sku, locationId, fact.place);
    if (!later.isCounted) {
      this.record(tx, item, fact, centralUnits + later.units, at);
      return;
    }
    const { onHand } = item.state;
    if ('counted' in fact) {
      this.late.restore(tx, item, onHand, fact.place, at);
    } else {
      this.ledger.record(tx, fact, item, at);
      this.late.restore(tx, item, onHand, fact.place, at);
    }
  }

  /** @throws UnknownProduct */
  private itemOf(tx: Transaction, { sku }: StoreFact, locationId: string): StockItem {
    if (!this.items.isOfKnownProduct(tx, sku, locationId)) throw new UnknownProduct([sku]);
    return this.items.loaded(tx, sku, locationId);
  }

  /** By count: what the centre has moved that the count cannot have seen. */
  private async centralUnits(
    tx: Transaction,
    locationId: string,
    facts: readonly StoreFact[],
  ): Promise<ReadonlyMap<StoreFact, number>> {
    const counts = facts.filter((fact): fact is Count => 'counted' in fact);
    if (counts.length === 0) return NO_COUNTS;
    const units = await this.central.unitsBehind(tx, locationId, counts);
    return new Map(counts.map((count, index) => [count, units[index] ?? 0]));
  }
}

const NO_COUNTS: ReadonlyMap<StoreFact, number> = new Map();

/** @throws the error itself when it is none of the fact's own */
function toFailure(error: unknown, { sku }: StoreFact): FactFailure {
  if (!(error instanceof DomainError) || error.kind === 'busy') throw error;
  const waitsFor = error instanceof UnknownProduct ? productWanted(sku) : null;
  return { code: error.code, detail: error.message, waitsFor };
}
