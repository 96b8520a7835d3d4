import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../free-port.ts';

/** A cold start with migrations on a busy machine. */
const START_MAX_MS = 60_000;
const STOP_MAX_MS = 15_000;
const LOOK_MS = 50;

/** One of our programs as a process of its own, which can be killed and started again at the same address. */
export class Program {
  private child: ChildProcess | undefined;
  private complaints: string[] = [];

  private constructor(
    private readonly file: 'main.js' | 'store.js',
    private readonly args: readonly string[],
    private readonly env: Readonly<Record<string, string>>,
    readonly url: string,
  ) {}

  /** The centre, on a SQLite file. @param adminKey its first key */
  static async centre(file: string, adminKey: string): Promise<Program> {
    const port = await freePort();
    const env = { PORT: String(port), DATABASE_URL: `sqlite:${file}`, AUTH: 'on', HOLDFAST_ADMIN_KEY: adminKey };
    return new Program('main.js', [], env, `http://127.0.0.1:${port}`).start();
  }

  /** The agent of a store. @param central where it finds the centre @param key what it shows to it */
  static async agent(location: string, central: string, folder: string, key: string): Promise<Program> {
    const port = await freePort();
    const options = { location, central, port: String(port), data: folder };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    return new Program('store.js', args, { HOLDFAST_API_KEY: key }, `http://127.0.0.1:${port}`).start();
  }

  /** Resolves when it answers. @throws Error with what it wrote when it does not */
  async start(): Promise<this> {
    this.complaints = [];
    const program = fileURLToPath(new URL(`../../src/${this.file}`, import.meta.url));
    const child = spawn(process.execPath, [program, ...this.args], {
      env: { PATH: process.env['PATH'], NODE_ENV: 'production', LOG_LEVEL: 'error', ...this.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.on('data', (chunk: Buffer) => this.complaints.push(chunk.toString()));
    this.child = child;
    const deadline = performance.now() + START_MAX_MS;
    while (!(await this.answers())) {
      if (child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`${this.file} does not start: ${this.complaints.join('').slice(0, 2000)}`);
      }
      await pause(LOOK_MS);
    }
    return this;
  }

  /** SIGKILL: dead at once, with whatever it was doing. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  stop(): Promise<void> {
    return this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const lastResort = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS);
    await ended;
    clearTimeout(lastResort);
  }

  private async answers(): Promise<boolean> {
    const answer = await fetch(`${this.url}/health/live`, { signal: AbortSignal.timeout(1000) }).catch(() => null);
    await answer?.body?.cancel();
    return answer?.ok === true;
  }
}
