import { type RowView, ViewsRowsOf } from '../../shared/outbox/views.ts';
import { toMovementResponse, toStoredStockResponse } from './inventory.dto.ts';
import { storedBalances } from './handlers/stock-view.ts';
import { toTransferView } from './handlers/transfer-view.ts';
import { type MovementRow, movementsTable } from './storage/movement.table.ts';
import { type StockItemRow, stockItemsTable } from './storage/stock-item.table.ts';
import { transfersTable } from './storage/transfer.table.ts';
import { toTransferResponse } from './transfer.dto.ts';
import type { TransferState } from './domain/transfer.ts';

/*
 * Rows as the API shows them, for an operator who asks what replaying an event would change.
 */

/** Balances as they are stored: what is due counts as held, and nothing is kept back for caution. */
@ViewsRowsOf(stockItemsTable.name, 'stock')
export class StockItemRows implements RowView<StockItemRow> {
  toView(row: StockItemRow): object {
    return toStoredStockResponse(storedBalances(row, 0));
  }
}

@ViewsRowsOf(movementsTable.name, 'movements')
export class MovementRows implements RowView<MovementRow> {
  toView(row: MovementRow): object {
    const { sku, locationId } = row;
    return Object.assign({ sku, locationId }, toMovementResponse(row));
  }
}

@ViewsRowsOf(transfersTable.name, 'transfers')
export class TransferRows implements RowView<TransferState> {
  toView(row: TransferState): object {
    return toTransferResponse(toTransferView(row));
  }
}

export const ROW_VIEWS = [StockItemRows, MovementRows, TransferRows];
