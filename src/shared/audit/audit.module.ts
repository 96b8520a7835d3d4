import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { Table } from '../persistence/table.ts';
import { auditChainsTable } from './audit-chain.table.ts';
import { AuditChains } from './audit-chains.ts';
import { auditEntriesTable } from './audit-entry.table.ts';
import { AuditReads } from './audit-reads.ts';
import { AuditRetention } from './audit-retention.ts';
import { AuditSeal } from './audit-seal.ts';
import { AUDITED_TYPES, AuditWriter } from './audit-writer.ts';
import { AuditController } from './audit.controller.ts';
import { RefusedAttempts } from './refused-attempts.ts';

/** In the order in which a batch writes them. */
export const AUDIT_TABLES = [auditChainsTable, auditEntriesTable] as Table[];

/** Who did what (docs/audit.md). Needs UnitOfWork, Reader, Clock, Ids, Settings, Metrics, Retention and the outbox. */
@Global()
@Module({})
export class AuditModule {
  /** @param types of the events that it keeps */
  static forRoot(types: readonly string[]): DynamicModule {
    return {
      module: AuditModule,
      controllers: [AuditController],
      providers: [
        { provide: AUDITED_TYPES, useValue: types },
        AuditChains,
        AuditWriter,
        AuditReads,
        AuditRetention,
        AuditSeal,
        RefusedAttempts,
      ],
      exports: [AuditChains, AuditWriter, AuditSeal, RefusedAttempts],
    };
  }
}
