import type { Api } from './http.ts';
import { type FreshDatabase, freshDatabase } from './databases.ts';
import type { Engine } from './services.ts';
import { ServerProcess } from './start-process.ts';

/** A database on a disk and the server on it, which is killed and started again at the same address. */
export class KilledServer {
  private database: FreshDatabase | undefined;
  private running: ServerProcess | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly more: Readonly<Record<string, string>>,
  ) {}

  /** Where the server is now, or was until it was killed. */
  get now(): ServerProcess {
    if (this.running === undefined) throw new Error('There is no server yet: start() makes one');
    return this.running;
  }

  get api(): Api {
    return this.now.api;
  }

  /** The settings of the server, for another program on the same database. */
  get env(): Readonly<Record<string, string>> {
    if (this.database === undefined) throw new Error('The database is there from beforeEach on');
    return { AUTH: 'off', DATABASE_URL: this.database.url, ...this.more };
  }

  /** @returns when it is ready; after a kill, where the one before was */
  async start(): Promise<ServerProcess> {
    const port: Record<string, string> = this.running === undefined ? {} : { PORT: this.running.port };
    this.running = await ServerProcess.start({ ...this.env, ...port });
    return this.running;
  }

  /** SIGKILL, as in a power cut of the process. */
  async kill(): Promise<void> {
    await this.running?.kill();
  }

  async open(): Promise<void> {
    this.database = await freshDatabase(this.engine, 'disk');
  }

  async close(): Promise<void> {
    await this.kill();
    this.running = undefined;
    await this.database?.drop();
  }
}

/** A database for each test of the suite; the test starts the server, and whatever is left of it is ended. */
export function useKilledServer(engine: Engine, env: Readonly<Record<string, string>> = {}): KilledServer {
  const server = new KilledServer(engine, env);
  beforeEach(() => server.open());
  afterEach(() => server.close());
  return server;
}
