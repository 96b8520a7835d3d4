import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { Transfer } from '../domain/transfer.ts';
import { TransferNotFound } from '../domain/transfer.errors.ts';
import type { StockItem } from '../domain/stock-item.ts';
import { StockItems } from './stock-item.repository.ts';
import { transfersTable } from './transfer.table.ts';

@Injectable()
export class Transfers {
  constructor(private readonly items: StockItems) {}

  /** @throws TransferNotFound */
  async get(tx: Transaction, transferId: string): Promise<Transfer> {
    const row = await tx.get(transfersTable, transferId);
    if (row === undefined) {
      throw new TransferNotFound(transferId);
    }
    return Transfer.of(row);
  }

  /** The stock items between which the units travel. */
  async ends(
    tx: Transaction,
    { sku, fromLocationId, toLocationId }: Transfer['state'],
  ): Promise<{ source: StockItem; target: StockItem }> {
    const [source, target] = await this.items.getAll(tx, [
      { sku, locationId: fromLocationId },
      { sku, locationId: toLocationId },
    ]);
    if (source === undefined || target === undefined) {
      throw new Error('Bug: two places were asked for');
    }
    return { source, target };
  }

  insert(tx: Transaction, transfer: Transfer): void {
    tx.insert(transfersTable, transfer.state);
    tx.record(transfer.takeEvents());
  }

  /** Stores a changed transfer with its event. */
  save(tx: Transaction, transfer: Transfer): void {
    tx.replace(transfersTable, transfer.state);
    tx.record(transfer.takeEvents());
  }
}
