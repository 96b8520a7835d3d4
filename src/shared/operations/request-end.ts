import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Context, contextOrNone } from '../kernel/context.ts';

/** Requests that no route answers (404, 405) share this label: paths are made up by callers without end. */
export const UNMATCHED_ROUTE = 'unmatched';

/** The caller hung up before there was an answer; nginx logs this status for it, as HTTP has none. */
export const CALLER_GONE = 499;

/** A request that is over. */
export interface RequestEnd {
  readonly request: FastifyRequest;
  /** The pattern, e.g. `/v1/stock/:sku`. */
  readonly route: string;
  /** The answered status, or `CALLER_GONE`. */
  readonly status: number;
  /** From the arrival of the request's head until the answer was handed to the socket. */
  readonly durationMs: number;
  readonly context: Context | undefined;
}

type Observer = (end: RequestEnd) => void;

/** By app: all of them hear of a request through one listener. */
const observersOf = new WeakMap<FastifyInstance, Observer[]>();

/**
 * Calls `observe` once for each request, answered or given up by its caller. Hooks run in the order in which they were
 * added: this one comes after the hook that sets the context and before any that answers by itself (404, 405).
 */
export function onRequestEnd(fastify: FastifyInstance, observe: Observer): void {
  const known = observersOf.get(fastify);
  if (known !== undefined) {
    known.push(observe);
    return;
  }
  const observers = [observe];
  observersOf.set(fastify, observers);
  fastify.addHook('onRequest', (request, reply, done) => {
    const startMs = performance.now();
    // Taken now: whatever runs when the answer is out is not reliably in the context of its own request.
    const context = contextOrNone();
    // Fastify's onResponse is not called when the caller hangs up; 'close' always comes.
    reply.raw.once('close', () => {
      const end: RequestEnd = {
        request,
        route: request.routeOptions.url ?? UNMATCHED_ROUTE,
        status: reply.raw.writableEnded ? reply.raw.statusCode : CALLER_GONE,
        durationMs: performance.now() - startMs,
        context,
      };
      for (const one of observers) one(end);
    });
    done();
  });
}
