import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Context } from '../kernel/context.ts';
import { UuidV7Ids } from '../kernel/ids.ts';
import type { Caller } from './caller.ts';

export const CORRELATION_HEADER = 'x-correlation-id';

/** Requests are named before anything is injected, and their names need no test clock. */
const ids = new UuidV7Ids();

export function newCorrelationId(): string {
  return ids.next();
}

const CORRELATION_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/**
 * Version, trace id, parent id and flags of the W3C trace context; ids of zeros only and version `ff` are invalid.
 * Versions after 00 may append to it.
 */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;
const TRACEPARENT_LENGTH = 55;

/** Of requests that came without one. */
const made = new WeakMap<IncomingMessage, string>();

/** @returns the caller's correlation id when it is a good one, else a new one (UUIDv7), the same for the same request */
export function correlationIdOf(request: IncomingMessage): string {
  const given = request.headers[CORRELATION_HEADER];
  if (typeof given === 'string' && CORRELATION_ID.test(given)) return given;
  let id = made.get(request);
  if (id === undefined) {
    id = newCorrelationId();
    made.set(request, id);
  }
  return id;
}

/** @returns the caller's trace context without what later versions may append, or null when it is not a valid one */
export function traceparentOf(headers: IncomingHttpHeaders): string | null {
  const given = headers.traceparent;
  if (typeof given !== 'string' || !TRACEPARENT.test(given)) return null;
  if (given.startsWith('00-') && given.length !== TRACEPARENT_LENGTH) return null;
  return given.slice(0, TRACEPARENT_LENGTH);
}

/** What everything that the request causes will know about it. Fastify's request id is the correlation id. */
export function contextOf(request: FastifyRequest, { tenantId, clientId, keyId, reach }: Caller): Context {
  const { id, clientAddress: address, headers } = request;
  return { tenantId, clientId, keyId, address, reach, correlationId: id, traceparent: traceparentOf(headers) };
}
