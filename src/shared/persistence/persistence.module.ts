import {
  type DynamicModule,
  Global,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import type { EventDefinition } from '../kernel/domain-event.ts';
import { Ids } from '../kernel/ids.ts';
import { Pace } from '../kernel/pace.ts';
import { Metrics } from '../operations/metrics.ts';
import { EventRecorder } from '../outbox/event-recorder.ts';
import { Settings } from '../settings.ts';
import { openDatabases } from './data-source.ts';
import type { Databases, Migrations } from './databases.ts';
import { WALL_KEEPERS, type WallKeeper } from './engine/postgres-roles.ts';
import { PersistedTables } from './persisted-tables.ts';
import { Reader } from './reader.ts';
import type { Table } from './table.ts';
import { UnitOfWork } from './unit-of-work.ts';

/** What the modules bring to the database. */
export interface PersistedParts {
  /** In the order in which a batch writes them. */
  readonly tables: readonly Table[];
  readonly events: readonly EventDefinition[];
  /** How the tables come about; as the centre's do, unless said otherwise. */
  readonly migrations?: Migrations;
  /** Opens it in another way than the settings say; a simulation puts itself between the write path and its database. */
  readonly open?: typeof openDatabases;
}

const DATABASES = Symbol('databases');
const WALL_KEEPER = Symbol('wall keeper');

/** The write path and the reader over the database of the settings. Closes them last, when nobody needs them any more. */
@Global()
@Module({})
export class PersistenceModule implements OnApplicationShutdown, OnModuleInit {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly reader: Reader,
    private readonly metrics: Metrics,
    @Inject(WALL_KEEPER) private readonly wallKeeper: WallKeeper,
  ) {}

  static forRoot({ tables, events, migrations, open = openDatabases }: PersistedParts): DynamicModule {
    return {
      module: PersistenceModule,
      providers: [
        {
          provide: DATABASES,
          inject: [Settings],
          useFactory: (settings: Settings) => open(settings, tables, migrations),
        },
        {
          provide: UnitOfWork,
          inject: [DATABASES, Settings, Metrics, Ids, Pace],
          useFactory: ({ engine }: Databases, settings: Settings, metrics: Metrics, ids: Ids, pace: Pace) => {
            const limits = {
              worksMax: settings.queueWorksMax,
              batchWorksMax: settings.batchWorksMax,
              bulkSliceMs: settings.bulkSliceMs,
              waitMaxMs: settings.queueWaitMaxMs,
              attemptsMax: settings.batchAttemptsMax,
            };
            return new UnitOfWork(engine, tables, new EventRecorder(events, ids), metrics, limits, pace);
          },
        },
        { provide: PersistedTables, useValue: new PersistedTables(tables) },
        { provide: WALL_KEEPER, inject: [DATABASES], useFactory: ({ wallKeeper }: Databases) => wallKeeper },
        { provide: Reader, inject: [DATABASES], useFactory: ({ reader }: Databases) => reader },
      ],
      exports: [PersistedTables, UnitOfWork, Reader],
    };
  }

  onModuleInit(): void {
    this.metrics.registerGaugeBy(
      'tenant_wall',
      'Who keeps the second wall between tenants: 1 for the one that does.',
      'keeper',
      () => Promise.resolve(new Map(WALL_KEEPERS.map((keeper) => [keeper, keeper === this.wallKeeper ? 1 : 0]))),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    // The writer last: SQLite moves its write-ahead log into the file when the last connection closes, if that may write.
    await this.reader.close();
    await this.unitOfWork.close();
  }
}
