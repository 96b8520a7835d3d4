import autocannon from 'autocannon';
import { nextRequest, type Target, type Workload } from './load.ts';

/** What callers felt while requests came at a steady pace. */
export interface Latency {
  readonly requests: number;
  /** Half of the requests were answered within it, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Answers other than 2xx and requests without any. */
  readonly failures: number;
}

/** Callers at once: as many as a storefront of moderate traffic has on its way. */
const CONNECTIONS = 8;
/** Well below what the server can do, so that it is the wait for it that is measured and not a queue of our own. */
const REQUESTS_PER_SECOND = 100;

/** Sends requests at a steady pace and takes the time of each. */
export async function measureLatency(target: Target, workload: Workload, seconds: number): Promise<Latency> {
  const times: number[] = [];
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url: target.url,
        connections: CONNECTIONS,
        overallRate: REQUESTS_PER_SECOND,
        duration: seconds,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        requests: [{ setupRequest: (request) => nextRequest(request, workload, target.apiKey) }],
      },
      (error: Error | null, done) => {
        if (error === null) resolve(done);
        else reject(error);
      },
    );
    instance.on('response', (_client, _status, _bytes, responseTime) => times.push(responseTime));
  });
  times.sort((one, other) => one - other);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  return {
    requests: times.length,
    p50: at(0.5),
    p99: at(0.99),
    failures: result.non2xx + result.errors,
  };
}
