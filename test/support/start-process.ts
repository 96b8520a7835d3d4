import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from './http.ts';
import { eventually } from './eventually.ts';
import { freePort } from '../../scripts/free-port.ts';

const ROOT = join(__dirname, '..', '..');
const MAIN = join(ROOT, 'dist', 'src', 'main.js');
const STORE = join(ROOT, 'dist', 'src', 'store.js');
const LOCK = join(ROOT, 'dist', '.test-build.lock');
const STAMP = join(ROOT, 'dist', '.test-build.stamp');
const START_MAX_MS = 60_000;
const STOP_MAX_MS = 30_000;
/** No key is needed, except where a suite is about that. */
const OF_THE_SUITES = { LOG_LEVEL: 'warn', NODE_ENV: 'production', AUTH: 'off' };

export interface Exit {
  /** null when a signal ended the process */
  readonly code: number | null;
  /** What it wrote to stdout and stderr. */
  readonly output: string;
}

/** Which of our servers a process runs. */
interface Program {
  readonly file: string;
  readonly args: readonly string[];
  /** The name of the setting that says where it listens. */
  readonly portSetting: string;
  /** Whether its answers are those of the committed OpenAPI document. */
  readonly isDocumented: boolean;
  /** A command that turns into the program, with its arguments, e.g. one that limits or disturbs it. */
  readonly under?: readonly string[];
}

const CENTRE: Program = { file: MAIN, args: [], portSetting: 'PORT', isDocumented: true };

/** Another program that starts the server of the build, e.g. with more in it. */
export function centreBy(file: string): Program {
  return { ...CENTRE, file };
}

/** The centre, started by a command that becomes it. */
export function centreUnder(...command: string[]): Program {
  return { ...CENTRE, under: command };
}

/** The agent of a store, with its options as on the command line. */
export function agentOf(options: { location: string; central: string; data: string }): Program {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  return { file: STORE, args, portSetting: 'STORE_PORT', isDocumented: false };
}

/** A real server as a process of its own, production build. */
export class ServerProcess {
  private readonly written: Buffer[] = [];
  /** When it has ended, for whatever reason. */
  readonly exited: Promise<Exit>;
  readonly api: Api;

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    connectionsMax: number,
    isDocumented: boolean,
  ) {
    this.api = isDocumented ? new Api(url, connectionsMax) : new Api(url, connectionsMax, null);
    child.stdout?.on('data', (chunk: Buffer) => this.written.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => this.written.push(chunk));
    this.exited = new Promise((resolve) => {
      child.on('close', (code) => resolve({ code, output: Buffer.concat(this.written).toString('utf8') }));
    });
  }

  /**
   * @param env on top of `OF_THE_SUITES`; PORT is a free one unless given
   * @param program the centre unless given
   * @throws Error with what the server wrote, when it is not ready in time
   */
  static async start(
    env: Readonly<Record<string, string>>,
    connectionsMax = 64,
    program = CENTRE,
  ): Promise<ServerProcess> {
    const server = await ServerProcess.launch(env, connectionsMax, program);
    const ready = eventually(
      'the server is ready',
      async () => server.listens && (await server.api.get('/health/ready')).status === 200,
      START_MAX_MS,
    );
    const outcome = await Promise.race([ready.catch(() => server.kill()), server.exited]);
    if (outcome !== true) throw new Error(`The server did not become ready:\n${outcome.output}`);
    return server;
  }

  /** Starts it without waiting for anything, for starts that are meant to fail. */
  static async launch(
    env: Readonly<Record<string, string>>,
    connectionsMax = 64,
    program = CENTRE,
  ): Promise<ServerProcess> {
    buildOnce();
    const port = env.PORT ?? String(await freePort());
    const [command = '', ...args] = [...(program.under ?? []), process.execPath, program.file, ...program.args];
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...OF_THE_SUITES, PATH: process.env.PATH, ...env, [program.portSetting]: port },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ServerProcess(child, `http://127.0.0.1:${port}`, connectionsMax, program.isDocumented);
  }

  /** It has said so itself: at its port another server may answer, and be ready, while this one finds the port taken. */
  private get listens(): boolean {
    return Buffer.concat(this.written).includes('listens on');
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get port(): string {
    return new URL(this.url).port;
  }

  /** Dead at once, as in a power cut of the process. */
  async kill(): Promise<Exit> {
    this.child.kill('SIGKILL');
    this.api.close();
    return this.exited;
  }

  /** Sends the signal and leaves it to the server when it goes. */
  signal(name: 'SIGTERM' | 'SIGINT'): void {
    this.child.kill(name);
  }

  /** Waits for the end. @throws Error when it does not come in time (the process is killed then) */
  async exit(): Promise<Exit> {
    const deadline = setTimeout(() => this.child.kill('SIGKILL'), STOP_MAX_MS);
    const exit = await this.exited;
    clearTimeout(deadline);
    this.api.close();
    if (exit.code === null) throw new Error(`The server did not stop within ${STOP_MAX_MS} ms:\n${exit.output}`);
    return exit;
  }

  async stop(): Promise<Exit> {
    this.signal('SIGTERM');
    return this.exit();
  }
}

/** Runs a script of the production build to its end. @param name as in `npm run <name>` */
export function runScript(name: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Exit> {
  buildOnce();
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'scripts', `${name}.js`), ...args], {
    // Not the root, where a developer's .env may lie.
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => written.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => written.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, output: Buffer.concat(written).toString('utf8') });
    });
  });
}

/**
 * Builds dist/ as `npm start` does, unless it was built from the present sources already. Each spec file comes here
 * anew, and most of the compiler's time is spent on finding out that nothing has changed.
 */
function buildOnce(): void {
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  const lock = takeLock();
  try {
    const sources = fingerprintOfSources();
    if (sources === builtSources()) return;
    const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: ROOT, stdio: 'pipe' });
    writeFileSync(STAMP, sources);
  } catch (error) {
    const { stdout } = error as { stdout?: Buffer };
    throw new Error(`The build failed:\n${stdout?.toString('utf8') ?? ''}`, { cause: error });
  } finally {
    closeSync(lock);
    rmSync(LOCK, { force: true });
  }
}

/** How many sources there are and when the last one was changed. */
function fingerprintOfSources(): string {
  const folders = ['src', 'migrations', 'scripts', 'bench'].map((name) => join(ROOT, name)).filter(existsSync);
  const changes = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  );
  return `${changes.length} ${Math.max(...changes)}`;
}

function builtSources(): string | undefined {
  try {
    statSync(MAIN);
    return readFileSync(STAMP, 'utf8');
  } catch {
    return undefined;
  }
}

/** Two workers of Jest must not write dist/ at the same moment. A lock whose owner is dead is taken over. */
function takeLock(): number {
  for (;;) {
    try {
      const lock = openSync(LOCK, 'wx');
      writeSync(lock, String(process.pid));
      return lock;
    } catch {
      if (lockIsStale()) rmSync(LOCK, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
}

function lockIsStale(): boolean {
  try {
    const owner = Number(readFileSync(LOCK, 'utf8'));
    // Its owner writes the number right after it made the file.
    if (owner === 0) return Date.now() - statSync(LOCK).mtimeMs > 5_000;
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
