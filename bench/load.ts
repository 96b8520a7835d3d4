import { randomUUID } from 'node:crypto';
import autocannon from 'autocannon';
import { cpuSecondsOf } from './cpu-time.ts';

/** Callers at once, each on a connection of its own and waiting for its answer (issue 2, how it is judged). */
export const CONNECTIONS = 64;

/** What is sent: the n-th request of a run, n from 0. */
export interface Workload {
  readonly name: string;
  readonly path: string | ((n: number) => string);
  /** Left out: a POST with a body, a GET without. */
  readonly method?: 'GET' | 'POST' | 'PUT';
  /** Left out: none. */
  readonly body?: (n: number) => string;
  /** Whether each request comes under an Idempotency-Key of its own; left out: if it has a body. */
  readonly keyed?: boolean;
  /** Hears every answer with 2xx. */
  readonly answered?: (body: string) => void;
}

/** What one round measured. */
export interface Round {
  /** Answers with 2xx. */
  readonly requests: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** CPU time of the server process per request. */
  readonly serverCpuMicros: number;
  /** Share of one core that the load generator used; near 1 it, and not the server, was measured. */
  readonly clientBusy: number;
  /** Answers other than 2xx and requests without any, by status: "409: 12". Empty: none. */
  readonly failures: string;
}

export interface Target {
  readonly url: string;
  readonly pid: number;
  /** What callers send to say who they are; undefined: nobody is asked. */
  readonly apiKey?: string | undefined;
  /** Of whoever may do everything. */
  readonly adminKey?: string | undefined;
}

/** The same server, for calls that a storefront may not make. */
export function asAdmin<T extends Target>(target: T): T {
  return { ...target, apiKey: target.adminKey };
}

/** No two requests of a bench share a key: a replayed answer costs less than a reservation. */
const KEY_PREFIX = randomUUID();
let requestsMade = 0;

/** Requests between two looks at the clock while warming up. */
const WARM_UP_SLICE_REQUESTS = 40 * CONNECTIONS;

/**
 * Sends for about `seconds` and keeps one figure: how many requests a second are to be expected of the warm server.
 * Every answer is awaited here, too, so that nothing of the warm-up runs into what is measured next.
 */
export async function warmUp(target: Target, workload: Workload, seconds: number): Promise<number> {
  const endsAt = performance.now() + seconds * 1000;
  let perSecond: number;
  do {
    const { requests, seconds: took } = await fire(target, workload, WARM_UP_SLICE_REQUESTS);
    perSecond = requests / took;
  } while (performance.now() < endsAt);
  return perSecond;
}

/**
 * Sends a fixed number of requests and waits for every answer, so that the server has done exactly what is counted:
 * its CPU time and its statements can be divided by the answers.
 */
export async function measure(
  target: Target,
  workload: Workload,
  requests: number,
  connections = CONNECTIONS,
): Promise<Round> {
  const amount = (Math.round(requests / connections) || 1) * connections;
  const [serverBefore, clientBefore] = [cpuSecondsOf(target.pid), process.cpuUsage()];
  const fired = await fire(target, workload, amount, connections);
  const client = process.cpuUsage(clientBefore);
  return {
    requests: fired.requests,
    seconds: fired.seconds,
    perSecond: fired.requests / fired.seconds,
    serverCpuMicros: ((cpuSecondsOf(target.pid) - serverBefore) * 1e6) / fired.requests,
    clientBusy: (client.user + client.system) / 1e6 / fired.seconds,
    failures: fired.failures,
  };
}

interface Fired {
  readonly requests: number;
  /** From the first request to the last answer: autocannon itself only looks at the clock now and then. */
  readonly seconds: number;
  readonly failures: string;
}

function fire(target: Target, workload: Workload, amount: number, connections = CONNECTIONS): Promise<Fired> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let lastAnswerAt = startedAt;
    const instance = autocannon(
      {
        url: target.url,
        connections,
        sampleInt: 100,
        requests: [{ setupRequest: (request) => nextRequest(request, workload, target.apiKey), ...hearing(workload) }],
        amount,
      },
      (error: Error | null, result) => {
        if (error !== null) {
          reject(error);
          return;
        }
        const seconds = (lastAnswerAt - startedAt) / 1000;
        resolve({ requests: result['2xx'], seconds, failures: failuresOf(result) });
      },
    );
    instance.on('response', () => {
      lastAnswerAt = performance.now();
    });
  });
}

export function nextRequest(request: autocannon.Request, workload: Workload, apiKey?: string): autocannon.Request {
  const { method, path, headers, body } = drawRequest(workload, apiKey);
  const next = { ...request, method, path, headers: { ...request.headers, ...headers } };
  if (body !== undefined) next.body = body;
  return next;
}

/** Of the request that all others are made from: autocannon asks no other. */
function hearing({ answered }: Workload): Pick<autocannon.Request, 'onResponse'> {
  if (answered === undefined) return {};
  return {
    onResponse: (status, text) => {
      if (status >= 200 && status < 300) answered(text);
    },
  };
}

/** The next request of a workload, of whichever client. */
export function drawRequest(
  { path, method, body, keyed = body !== undefined }: Workload,
  apiKey?: string,
): { method: 'GET' | 'POST' | 'PUT'; path: string; headers: Record<string, string>; body?: string } {
  const n = requestsMade;
  requestsMade += 1;
  const headers: Record<string, string> = apiKey === undefined ? {} : { 'x-api-key': apiKey };
  if (keyed) headers['idempotency-key'] = `${KEY_PREFIX}-${n}`;
  const at = { path: typeof path === 'string' ? path : path(n), headers };
  if (body === undefined) return { ...at, method: method ?? 'GET' };
  headers['content-type'] = 'application/json';
  return { ...at, method: method ?? 'POST', body: body(n) };
}

function failuresOf({ statusCodeStats, errors, timeouts }: autocannon.Result): string {
  const byStatus = Object.entries(statusCodeStats ?? {}).filter(([status]) => !status.startsWith('2'));
  return [
    ...byStatus.map(([status, { count = 0 }]) => `${status}: ${count}`),
    ...(errors > 0 ? [`no answer: ${errors} (timeouts: ${timeouts})`] : []),
  ].join(', ');
}
