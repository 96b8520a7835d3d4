import { Module, type OnModuleInit } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { Metrics } from '../../shared/operations/metrics.ts';
import { Reader } from '../../shared/persistence/reader.ts';
import type { Table } from '../../shared/persistence/table.ts';
import { AvailabilityController } from './availability.controller.ts';
import { CatalogueController } from './catalogue.controller.ts';
import { BalancesAsOf } from './handlers/balances-as-of.ts';
import { CancelTransferHandler } from './handlers/cancel-transfer.ts';
import { CentralMovements } from './handlers/central-movements.ts';
import { CheckHoldLinesHandler, CheckLocationHandler, FindLocationHandler } from './handlers/check-hold-lines.ts';
import { CommitHoldHandler } from './handlers/commit-hold.ts';
import { CorrectBalancesHandler } from './handlers/correct-balances.ts';
import { CountStockHandler } from './handlers/count-stock.ts';
import { DispatchTransferHandler } from './handlers/dispatch-transfer.ts';
import { FulfilHoldHandler } from './handlers/fulfil-hold.ts';
import { GetAvailabilityHandler } from './handlers/get-availability.ts';
import { FreshnessGauges } from './handlers/freshness-gauges.ts';
import { FreshnessReads } from './handlers/freshness-reads.ts';
import { GetFreshnessHandler } from './handlers/get-freshness.ts';
import { GetBalancesAsOfHandler, ListBalancesAsOfHandler } from './handlers/get-balances-as-of.ts';
import { GetLocationHandler } from './handlers/get-location.ts';
import { GetProductHandler } from './handlers/get-product.ts';
import { GetSkuStockHandler } from './handlers/get-sku-stock.ts';
import { GetStockItemHandler } from './handlers/get-stock-item.ts';
import { GetTransferHandler } from './handlers/get-transfer.ts';
import { HoldStockHandler } from './handlers/hold-stock.ts';
import { ImportRowsHandler } from './handlers/import-rows.ts';
import { LateFacts } from './handlers/late-facts.ts';
import { ListLocationsHandler } from './handlers/list-locations.ts';
import { ListMovementsHandler } from './handlers/list-movements.ts';
import { ListProductsHandler } from './handlers/list-products.ts';
import { ListStockHandler } from './handlers/list-stock.ts';
import { ListStockWithHoldsHandler } from './handlers/list-stock-with-holds.ts';
import { ListTransfersHandler } from './handlers/list-transfers.ts';
import { PutLocationHandler } from './handlers/put-location.ts';
import { PutProductHandler } from './handlers/put-product.ts';
import { RecordStoreFactsHandler } from './handlers/record-store-facts.ts';
import { ReceiveTransferHandler } from './handlers/receive-transfer.ts';
import { RecordMovementHandler } from './handlers/record-movement.ts';
import { ReleaseHoldHandler } from './handlers/release-hold.ts';
import { RenewHoldHandler } from './handlers/renew-hold.ts';
import { ReportFreshnessHandler } from './handlers/report-freshness.ts';
import { SetStockPolicyHandler } from './handlers/set-stock-policy.ts';
import { StockLedger } from './handlers/stock-ledger.ts';
import { StockController } from './stock.controller.ts';
import { Catalogue } from './storage/catalogue.repository.ts';
import { Holds } from './storage/hold.repository.ts';
import { holdsTable } from './storage/hold.table.ts';
import { ImportController } from './import.controller.ts';
import { ImportChunks } from './storage/import-chunk.repository.ts';
import { importChunksTable } from './storage/import-chunk.table.ts';
import { locationFreshnessTable } from './storage/location-freshness.table.ts';
import { locationsTable } from './storage/location.table.ts';
import { movementsTable } from './storage/movement.table.ts';
import { ROW_VIEWS } from './row-views.ts';
import { productsTable } from './storage/product.table.ts';
import { Room } from './storage/room.ts';
import { StockItems } from './storage/stock-item.repository.ts';
import { stockItemsTable } from './storage/stock-item.table.ts';
import { Transfers } from './storage/transfer.repository.ts';
import { transfersTable } from './storage/transfer.table.ts';
import { TransfersController } from './transfers.controller.ts';

/** In the order in which a batch writes them. */
export const INVENTORY_TABLES = [
  locationsTable,
  locationFreshnessTable,
  productsTable,
  stockItemsTable,
  holdsTable,
  transfersTable,
  movementsTable,
  importChunksTable,
] as Table[];

const COMMAND_HANDLERS = [
  PutLocationHandler,
  PutProductHandler,
  RecordMovementHandler,
  CountStockHandler,
  ImportRowsHandler,
  RecordStoreFactsHandler,
  CorrectBalancesHandler,
  SetStockPolicyHandler,
  CheckHoldLinesHandler,
  CheckLocationHandler,
  FindLocationHandler,
  HoldStockHandler,
  RenewHoldHandler,
  CommitHoldHandler,
  ReleaseHoldHandler,
  FulfilHoldHandler,
  DispatchTransferHandler,
  ReceiveTransferHandler,
  CancelTransferHandler,
  ReportFreshnessHandler,
];

const QUERY_HANDLERS = [
  GetBalancesAsOfHandler,
  ListBalancesAsOfHandler,
  GetLocationHandler,
  ListLocationsHandler,
  GetProductHandler,
  ListProductsHandler,
  GetStockItemHandler,
  GetSkuStockHandler,
  GetAvailabilityHandler,
  ListStockHandler,
  ListStockWithHoldsHandler,
  ListMovementsHandler,
  GetTransferHandler,
  ListTransfersHandler,
  GetFreshnessHandler,
];

const GAUGES = [
  { name: 'inventory_oversold_items', help: 'Stock items with more units promised than on hand.', flag: 'is_negative' },
  { name: 'inventory_low_stock_items', help: 'Stock items at or below their low-stock threshold.', flag: 'is_low' },
];

@Module({
  imports: [CqrsModule],
  controllers: [CatalogueController, StockController, ImportController, AvailabilityController, TransfersController],
  providers: [
    Catalogue,
    StockItems,
    Holds,
    Room,
    Transfers,
    StockLedger,
    CentralMovements,
    BalancesAsOf,
    LateFacts,
    ImportChunks,
    FreshnessReads,
    FreshnessGauges,
    ...COMMAND_HANDLERS,
    ...QUERY_HANDLERS,
    ...ROW_VIEWS,
  ],
})
export class InventoryModule implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly reader: Reader,
  ) {}

  onModuleInit(): void {
    for (const { name, help, flag } of GAUGES) {
      this.metrics.registerGauge(name, help, async () => {
        const sql = `SELECT COUNT(*) AS "items" FROM stock_items WHERE ${flag} = TRUE`;
        const [row] = await this.reader.selectAcrossTenants<{ items: number | string }>(sql);
        return Number(row?.items ?? 0);
      });
    }
  }
}
