import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { INVENTORY_TABLES, InventoryModule } from './modules/inventory/inventory.module.ts';
import { importChunksTable } from './modules/inventory/storage/import-chunk.table.ts';
import { RESERVATION_TABLES, ReservationModule, TALLY_TABLES } from './modules/reservation/reservation.module.ts';
import { ORDER_TABLES } from './modules/sync/order-parts.ts';
import { SYNC_TABLES, SyncModule } from './modules/sync/sync.module.ts';
import { storeConflictsTable } from './modules/sync/storage/store-conflict.table.ts';
import { storeReconciliationsTable } from './modules/sync/storage/store-reconciliation.table.ts';
import { storeEventsTable } from './modules/sync/storage/store-event.table.ts';
import { AUDITED_EVENT_TYPES, PUBLISHED_EVENTS } from './published-events.ts';
import { ACCESS_TABLES, AccessModule } from './shared/access/access.module.ts';
import { revokedTokensTable } from './shared/access/revoked-token.table.ts';
import { signingKeysTable } from './shared/access/signing-key.table.ts';
import { AUDIT_TABLES, AuditModule } from './shared/audit/audit.module.ts';
import { HousekeepingModule } from './shared/housekeeping/housekeeping.module.ts';
import { retentionMarksTable } from './shared/housekeeping/retention-mark.table.ts';
import { HttpModule } from './shared/http/http.module.ts';
import { idempotencyKeysTable } from './shared/http/idempotency-key.table.ts';
import { KernelModule, type TimeAndChance } from './shared/kernel.module.ts';
import { OperationsModule } from './shared/operations/operations.module.ts';
import { OUTBOX_TABLES, OutboxModule } from './shared/outbox/outbox.module.ts';
import { type PersistedParts, PersistenceModule } from './shared/persistence/persistence.module.ts';
import type { Settings } from './shared/settings.ts';

/** What the application meets of the world; a simulation brings its own. */
export type Surroundings = Partial<TimeAndChance> & Pick<PersistedParts, 'open'>;

/** The platform and the modules, put together. */
@Module({})
export class AppModule {
  static forRoot(settings: Settings, { open, ...timeAndChance }: Surroundings = {}): DynamicModule {
    return {
      module: AppModule,
      imports: [
        CqrsModule.forRoot(),
        KernelModule.forRoot(timeAndChance),
        OperationsModule.forRoot(settings),
        PersistenceModule.forRoot({
          tables: [
            ...TALLY_TABLES,
            ...INVENTORY_TABLES,
            ...RESERVATION_TABLES,
            ...SYNC_TABLES,
            ...ORDER_TABLES,
            ...OUTBOX_TABLES,
            ...ACCESS_TABLES,
            ...AUDIT_TABLES,
            idempotencyKeysTable,
            retentionMarksTable,
          ],
          events: PUBLISHED_EVENTS.events,
          open,
        }),
        HousekeepingModule.forRoot([
          idempotencyKeysTable,
          importChunksTable,
          storeEventsTable,
          storeConflictsTable,
          storeReconciliationsTable,
          signingKeysTable,
          revokedTokensTable,
          ...ORDER_TABLES,
        ]),
        OutboxModule.forRoot(PUBLISHED_EVENTS),
        HttpModule,
        AccessModule,
        AuditModule.forRoot(AUDITED_EVENT_TYPES),
        InventoryModule,
        ReservationModule,
        SyncModule,
      ],
    };
  }
}
