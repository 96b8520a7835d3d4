import { type DynamicModule, Global, Inject, Module, type OnModuleInit } from '@nestjs/common';
import { ClockGauge } from './clock-gauge.ts';
import { type ExpiringTable, keptUntilExpiry } from './kept.ts';
import { PurgePieces } from './purge-pieces.ts';
import { Retention } from './retention.ts';
import { RetentionMarks } from './retention-marks.ts';

const EXPIRING_TABLES = Symbol('expiring tables');

/** What keeps tables short. Whoever owns rows that are kept by another rule than their expiry registers it. */
@Global()
@Module({})
export class HousekeepingModule implements OnModuleInit {
  constructor(
    private readonly retention: Retention,
    @Inject(EXPIRING_TABLES) private readonly expiring: readonly ExpiringTable[],
  ) {}

  /** @param expiring tables whose rows are purged once they have expired */
  static forRoot(expiring: readonly ExpiringTable[]): DynamicModule {
    return {
      module: HousekeepingModule,
      providers: [{ provide: EXPIRING_TABLES, useValue: expiring }, PurgePieces, RetentionMarks, Retention, ClockGauge],
      exports: [PurgePieces, RetentionMarks, Retention],
    };
  }

  onModuleInit(): void {
    for (const table of this.expiring) this.retention.keep(keptUntilExpiry(table));
  }
}
