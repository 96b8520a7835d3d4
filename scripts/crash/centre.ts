import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Migrations, a recovery and a cold start on a busy machine. */
const READY_MAX_MS = 120_000;
const LOOK_MS = 20;
const LOOK_MAX_MS = 2_000;
/** Characters. */
const WRITTEN_SHOWN = 6_000;

/** The centre as `npm start` runs it, at one address, through many lives. */
export class Centre {
  private child: ChildProcess | undefined;
  private complaints: string[] = [];

  /** @param env its settings; nothing of the caller's own goes in */
  constructor(
    readonly port: number,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it without waiting for anything. */
  launch(): void {
    this.complaints = [];
    const program = fileURLToPath(new URL('../../src/main.js', import.meta.url));
    this.child = spawn(process.execPath, ['--enable-source-maps', program], {
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'production',
        LOG_LEVEL: 'warn',
        PORT: String(this.port),
        ...this.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const output of [this.child.stdout, this.child.stderr]) {
      output?.on('data', (chunk: Buffer) => this.complaints.push(chunk.toString()));
    }
  }

  /** @returns milliseconds until it was ready @throws Error with what it wrote when it does not become so */
  async start(): Promise<number> {
    const from = performance.now();
    this.launch();
    await this.untilReady();
    return performance.now() - from;
  }

  async untilReady(): Promise<void> {
    const deadline = performance.now() + READY_MAX_MS;
    while (!(await this.isReady())) {
      if (this.child?.exitCode != null || performance.now() > deadline) {
        throw new Error(`the server does not become ready: ${this.written}`);
      }
      await pause(LOOK_MS);
    }
  }

  /** The end of what it complained of in this life. */
  get written(): string {
    return this.complaints.join('').slice(-WRITTEN_SHOWN);
  }

  /** SIGKILL: dead at once, with whatever it was doing. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  private async isReady(): Promise<boolean> {
    const signal = AbortSignal.timeout(LOOK_MAX_MS);
    const answer = await fetch(`${this.url}/health/ready`, { signal }).catch(() => null);
    await answer?.body?.cancel().catch(() => undefined);
    return answer?.status === 200;
  }
}
