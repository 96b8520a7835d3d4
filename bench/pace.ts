import { connect, type Socket } from 'node:net';
import { drawRequest, type Target, type Workload } from './load.ts';
import type { Latency } from './latency.ts';

/** Requests on their way at once; whatever is due while all are taken waits, and its time runs. */
const CONNECTIONS = 256;
/** Past this nobody waits for the last answers. */
const LAST_ANSWERS_MAX_MS = 10_000;

export interface Paced extends Latency {
  /** Requests that were due and not answered when the time was over, long after. */
  readonly unanswered: number;
}

export interface Pace {
  readonly perSecond: number;
  readonly seconds: number;
  /** Ends it earlier. */
  readonly signal?: AbortSignal;
}

/**
 * Sends requests at the instants at which they are due, whether or not those before have been answered, and takes the time
 * from that instant: a server that stands still is charged with all who would have come meanwhile.
 */
export async function measureAtPace(target: Target, workloads: readonly Workload[], pace: Pace): Promise<Paced> {
  const callers = await Promise.all(Array.from({ length: CONNECTIONS }, () => Caller.open(target)));
  const times: number[] = [];
  let failures = 0;
  const idle = [...callers];
  const waiting: { readonly text: string; readonly dueAt: number }[] = [];
  let due = 0;
  const send = (caller: Caller, { text, dueAt }: { text: string; dueAt: number }): void => {
    caller.ask(text, (ok) => {
      times.push(performance.now() - dueAt);
      if (!ok) failures += 1;
      const next = waiting.shift();
      if (next === undefined) idle.push(caller);
      else send(caller, next);
    });
  };
  const startedAt = performance.now();
  await everyMillisecond((now) => {
    const elapsed = Math.min(now - startedAt, pace.seconds * 1000);
    for (; due < Math.floor((elapsed * pace.perSecond) / 1000); due += 1) {
      const dueAt = startedAt + (due * 1000) / pace.perSecond;
      const text = textOf(drawOf(workloads, due), target);
      const caller = idle.pop();
      if (caller === undefined) waiting.push({ text, dueAt });
      else send(caller, { text, dueAt });
    }
    return now - startedAt < pace.seconds * 1000 && pace.signal?.aborted !== true;
  });
  const endsAt = performance.now() + LAST_ANSWERS_MAX_MS;
  await everyMillisecond((now) => times.length < due && now < endsAt);
  callers.forEach((caller) => {
    caller.close();
  });
  times.sort((one, other) => one - other);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  return { requests: times.length, p50: at(0.5), p99: at(0.99), failures, unanswered: due - times.length };
}

function drawOf(workloads: readonly Workload[], n: number): Workload {
  const workload = workloads[n % workloads.length];
  if (workload === undefined) throw new Error('Nothing to send');
  return workload;
}

/** As long as `more` says so. */
function everyMillisecond(more: (now: number) => boolean): Promise<void> {
  return new Promise((done) => {
    const timer = setInterval(() => {
      if (more(performance.now())) return;
      clearInterval(timer);
      done();
    }, 1);
  });
}

function textOf(workload: Workload, target: Target): string {
  const { method, path, headers, body = '' } = drawRequest(workload, target.apiKey);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = body === '' ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${lines.join('')}${length}\r\n${body}`;
}

const HEAD_END = '\r\n\r\n';

/** One connection, one request at a time. Knows of HTTP just what our own server answers: a length, or an empty body. */
class Caller {
  private buffer = '';
  private wanted = -1;
  private done: ((ok: boolean) => void) | undefined;

  private constructor(
    private readonly target: Target,
    private socket: Socket,
  ) {
    this.listen();
  }

  static open(target: Target): Promise<Caller> {
    return new Promise((resolve, reject) => {
      const socket = connect(placeOf(target), () => {
        resolve(new Caller(target, socket));
      });
      socket.once('error', reject);
    });
  }

  /** The server ends connections that were idle for long, and of many callers most are: then on a new one. */
  ask(text: string, done: (ok: boolean) => void): void {
    this.done = done;
    if (this.socket.destroyed) {
      this.socket = connect(placeOf(this.target));
      this.listen();
    }
    this.socket.write(text, 'latin1');
  }

  close(): void {
    this.socket.destroy();
  }

  private listen(): void {
    const { socket } = this;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.take(text);
    });
    const broken = (): void => {
      if (this.socket === socket) this.finish(false);
    };
    socket.on('error', broken).on('close', broken);
  }

  private take(text: string): void {
    this.buffer += text;
    if (this.wanted < 0) {
      const headEnd = this.buffer.indexOf(HEAD_END);
      if (headEnd < 0) return;
      const [, length = '0'] = /\r\ncontent-length: (\d+)/i.exec(this.buffer) ?? [];
      this.wanted = headEnd + HEAD_END.length + Number(length);
    }
    if (this.buffer.length < this.wanted) return;
    const ok = this.buffer.startsWith('HTTP/1.1 2');
    this.buffer = '';
    this.wanted = -1;
    this.finish(ok);
  }

  private finish(ok: boolean): void {
    const { done } = this;
    this.done = undefined;
    done?.(ok);
  }
}

function placeOf({ url }: Target): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
