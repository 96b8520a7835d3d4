import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';
import { DomainError } from '../../../shared/kernel/domain-error.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { type ImportedRow, ImportRows, type NumberedRow, type RowOutcome, stockKeys } from '../contract.ts';
import { RowChangedTooOften } from '../domain/inventory.errors.ts';
import { Catalogue } from '../storage/catalogue.repository.ts';
import { type AppliedRows, contentHashOf, ImportChunks } from '../storage/import-chunk.repository.ts';
import { StockItems } from '../storage/stock-item.repository.ts';
import { StockLedger } from './stock-ledger.ts';

/**
 * Most contents that are remembered for one row number. Whoever sends a row with ever new values under one key means
 * something else than to repeat it.
 */
const CONTENTS_MAX = 20;

const APPLIED: RowOutcome = { outcome: 'applied' };
const DUPLICATE: RowOutcome = { outcome: 'duplicate' };

interface HashedRow extends NumberedRow {
  readonly contentHash: string;
}

/** Applies rows of an import that are not applied yet, and remembers them in the same commit. */
@CommandHandler(ImportRows)
export class ImportRowsHandler implements ICommandHandler<ImportRows> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly catalogue: Catalogue,
    private readonly items: StockItems,
    private readonly ledger: StockLedger,
    private readonly chunks: ImportChunks,
  ) {}

  execute({ idempotencyKey, rows }: ImportRows): Promise<readonly RowOutcome[]> {
    const hashed = rows.map((numbered) => ({ ...numbered, contentHash: contentHashOf(numbered.row) }));
    const keys = [
      ...this.chunks.keysOf(
        idempotencyKey,
        rows.map(({ number }) => number),
      ),
      ...rows.flatMap(({ row }) => stockKeys(row.sku, row.locationId)),
    ];
    return this.unitOfWork.run({ keys, workClass: 'bulk' }, async (tx) => {
      const at = this.clock.now();
      // Rows that this work has loaded as declared; one that joins another has to do it itself.
      await tx.load(keys);
      const applied = this.chunks.open(tx, idempotencyKey, at);
      const outcomes: RowOutcome[] = [];
      for (const row of hashed) {
        const pending = this.carryOut(tx, row, applied, at);
        // Only a row that is short of units waits. A promise for each would cost as much as the row itself.
        outcomes.push(pending instanceof Promise ? await pending : pending);
      }
      applied.save();
      return outcomes;
    });
  }

  private carryOut(
    tx: Transaction,
    { number, row, contentHash }: HashedRow,
    applied: AppliedRows,
    at: Instant,
  ): RowOutcome | Promise<RowOutcome> {
    if (applied.has(number, contentHash)) {
      return DUPLICATE;
    }
    const before = tx.mark();
    const done = (): RowOutcome => {
      applied.add(number, contentHash);
      return APPLIED;
    };
    const refused = (error: unknown): RowOutcome => {
      const refusal = toRefusal(error);
      tx.undoTo(before);
      return refusal;
    };
    try {
      if (applied.contentsOf(number) >= CONTENTS_MAX) throw new RowChangedTooOften(number);
      const waiting = this.apply(tx, row, at);
      return waiting === undefined ? done() : waiting.then(done, refused);
    } catch (error) {
      return refused(error);
    }
  }

  /** @returns a promise when the row has to wait for units of holds that are due */
  private apply(tx: Transaction, row: ImportedRow, at: Instant): Promise<void> | undefined {
    const product = this.catalogue.ofLoadedRow(tx, row.sku, row.locationId);
    const item = this.items.loaded(tx, row.sku, row.locationId);
    if ('counted' in row) {
      this.ledger.count(tx, row.counted, row.reason, item, at);
      return undefined;
    }
    const move = (): void => {
      this.ledger.move(tx, row, item, at);
    };
    const room = this.ledger.roomFor(tx, row, product, item, at);
    if (room !== undefined) return room.then(move);
    move();
    return undefined;
  }
}

/** @throws the error itself when it is none of the row's own: then all rows of the work fail */
function toRefusal(error: unknown): RowOutcome {
  if (!(error instanceof DomainError) || error.kind === 'busy') throw error;
  return { outcome: 'refused', code: error.code, detail: error.message, data: error.details };
}
