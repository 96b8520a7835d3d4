import { mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { readAgentConfiguration } from '../../src/modules/agent/agent-settings.ts';
import type { ShelfStatus } from '../../src/modules/agent/contract.ts';
import { buildOpenApi } from '../../src/shared/http/openapi/document.ts';
import { createStoreApp, STORE_API } from '../../src/store-app.ts';
import { ApiContract, type Document } from './api-contract.ts';
import { eventually } from './eventually.ts';
import { Api } from './http.ts';

export interface AgentHealth {
  readonly status: string;
  readonly locationId: string;
  readonly link: {
    readonly state: string;
    readonly problem: string | null;
    readonly breaker: string;
    readonly epoch: number | null;
    readonly cursor: string | null;
    readonly settled: boolean;
    readonly pendingEvents: number;
    readonly oldestPendingSeconds: number;
    readonly deadEvents: number;
    readonly conflicts: number;
  };
}

/** Short, so that a centre that comes back is found at once. */
const QUICK = {
  LOG_LEVEL: process.env.AGENT_LOG ?? 'silent',
  STORE_RETRY_FIRST_MS: '5',
  STORE_RETRY_MAX_MS: '40',
  STORE_BREAKER_PAUSE_MS: '40',
  STORE_CALL_MAX_MS: '2000',
  STORE_POLL_SECONDS: '2',
  PURGE_INTERVAL_MS: '3600000',
};

const RAM_DISK = '/dev/shm';

/** A folder for the data of one store. */
export function freshFolder(): Promise<string> {
  return mkdtemp(join(existsSync(RAM_DISK) ? RAM_DISK : tmpdir(), 'holdfast-store-'));
}

/** The real agent within the test's process, on data of its own. */
export class RunningAgent {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly api: Api,
    readonly folder: string,
    readonly central: string,
    private readonly env: Readonly<Record<string, string>>,
    readonly locationId: string,
  ) {}

  static async start(
    central: string,
    env: Readonly<Record<string, string>> = {},
    folder?: string,
    locationId = 'S1',
  ): Promise<RunningAgent> {
    const data = folder ?? (await freshFolder());
    const args = ['--location', locationId, '--central', central, '--port', '0', '--data', data];
    const configuration = readAgentConfiguration(args, { ...QUICK, ...env });
    if (configuration === 'help') throw new Error('Nobody asked for help');
    const app = await createStoreApp(configuration);
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const contract = new ApiContract(JSON.parse(JSON.stringify(buildOpenApi(app, STORE_API))) as Document);
    return new RunningAgent(
      app,
      new Api(`http://127.0.0.1:${port}`, 64, () => contract),
      data,
      central,
      env,
      locationId,
    );
  }

  async sell(sku: string, quantity = 1): Promise<void> {
    expectStatus(await this.api.post('/sales', { sku, quantity }), 201);
  }

  async stock(sku: string): Promise<ShelfStatus> {
    return (await this.api.get<ShelfStatus>(`/stock/${sku}`)).body;
  }

  async health(): Promise<AgentHealth> {
    return (await this.api.get<AgentHealth>('/health')).body;
  }

  /** Waits until nothing is pending and the feed is followed. */
  quiet(): Promise<AgentHealth> {
    return eventually('the agent has told everything', async () => {
      const health = await this.health();
      return health.link.pendingEvents === 0 && health.link.settled && health.link.state === 'CONNECTED' && health;
    });
  }

  /** Ends it; its data stay. */
  async stop(): Promise<void> {
    this.api.close();
    this.app.getHttpServer().closeAllConnections();
    await this.app.close();
  }

  /** Another process on the same data. */
  async restart(env: Readonly<Record<string, string>> = {}): Promise<RunningAgent> {
    await this.stop();
    return RunningAgent.start(this.central, { ...this.env, ...env }, this.folder, this.locationId);
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function expectStatus(answer: { status: number; text: string }, status: number): void {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text}`);
}
