import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { STORE_MIGRATIONS } from '../migrations/store/index.ts';
import { AGENT_TABLES, AgentModule } from './modules/agent/agent.module.ts';
import type { AgentConfiguration } from './modules/agent/agent-settings.ts';
import { HttpModule } from './shared/http/http.module.ts';
import { idempotencyKeysTable } from './shared/http/idempotency-key.table.ts';
import { KernelModule } from './shared/kernel.module.ts';
import { OperationsModule } from './shared/operations/operations.module.ts';
import { PersistenceModule } from './shared/persistence/persistence.module.ts';

/** The platform and the agent of one store, put together: a process of its own, with a database of its own. */
@Module({})
export class StoreModule {
  static forRoot({ settings, agent }: AgentConfiguration): DynamicModule {
    return {
      module: StoreModule,
      imports: [
        CqrsModule.forRoot(),
        KernelModule.forRoot(),
        OperationsModule.forRoot(settings),
        PersistenceModule.forRoot({
          tables: [...AGENT_TABLES, idempotencyKeysTable],
          events: [],
          migrations: STORE_MIGRATIONS,
        }),
        HttpModule,
        AgentModule.forRoot(agent),
      ],
    };
  }
}
