import { randomUUID } from 'node:crypto';
import autocannon from 'autocannon';
import { cpuSecondsOf } from './cpu-time.ts';

/** Callers at once, each on a connection of its own and waiting for its answer (issue 2, how it is judged). */
export const CONNECTIONS = 64;

/** What is sent: the n-th request of a run, n from 0. */
export interface Workload {
  readonly name: string;
  readonly path: string | ((n: number) => string);
  /** Left out: a GET. */
  readonly body?: (n: number) => string;
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
  readonly apiKey?: string;
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
export async function measure(target: Target, workload: Workload, requests: number): Promise<Round> {
  const amount = (Math.round(requests / CONNECTIONS) || 1) * CONNECTIONS;
  const [serverBefore, clientBefore] = [cpuSecondsOf(target.pid), process.cpuUsage()];
  const fired = await fire(target, workload, amount);
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

function fire(target: Target, workload: Workload, amount: number): Promise<Fired> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let lastAnswerAt = startedAt;
    const instance = autocannon(
      {
        url: target.url,
        connections: CONNECTIONS,
        sampleInt: 100,
        requests: [{ setupRequest: (request) => nextRequest(request, workload, target.apiKey) }],
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

export function nextRequest(
  request: autocannon.Request,
  { path, body }: Workload,
  apiKey?: string,
): autocannon.Request {
  const n = requestsMade;
  requestsMade += 1;
  const who = apiKey === undefined ? {} : { 'x-api-key': apiKey };
  const next = { ...request, path: typeof path === 'string' ? path : path(n) };
  if (body === undefined) return { ...next, method: 'GET', headers: { ...request.headers, ...who } };
  const headers = { ...who, 'content-type': 'application/json', 'idempotency-key': `${KEY_PREFIX}-${n}` };
  return { ...next, method: 'POST', headers: { ...request.headers, ...headers }, body: body(n) };
}

function failuresOf({ statusCodeStats, errors, timeouts }: autocannon.Result): string {
  const byStatus = Object.entries(statusCodeStats ?? {}).filter(([status]) => !status.startsWith('2'));
  return [
    ...byStatus.map(([status, { count = 0 }]) => `${status}: ${count}`),
    ...(errors > 0 ? [`no answer: ${errors} (timeouts: ${timeouts})`] : []),
  ].join(', ');
}
