import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type Duplex, finished, PassThrough, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { HttpError } from './http-error.ts';
import { isInUtf8 } from './media-types.ts';
import { routeConfig } from './route-config.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Media types of a body that is read while it arrives; undefined where a body is JSON and read whole. */
    streamedTypes?: readonly string[];
  }
}

/** One JSON value a line; the first is the name that is used most, and the one of our answers. */
export const NDJSON_TYPES: readonly string[] = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];
export const CSV_TYPE = 'text/csv';
export const STREAMED_TYPES: readonly string[] = [...NDJSON_TYPES, CSV_TYPE];

/**
 * The route reads rows while they arrive, as NDJSON or CSV, plain or compressed with gzip. Neither BODY_BYTES_MAX nor
 * REQUEST_TIMEOUT_MS limits such a body: its handler limits what it holds of it and how long it waits for more.
 */
export function StreamedBody(types = STREAMED_TYPES): MethodDecorator {
  return routeConfig({ streamedTypes: types });
}

export function streamedTypesOf(request: FastifyRequest): readonly string[] | undefined {
  return request.routeOptions.config.streamedTypes;
}

/** @returns the media type without its parameters, in lower case */
export function mediaTypeOf(headers: IncomingHttpHeaders): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** @returns why the body is of no use to a route that streams it, or null */
export function refusalOfStream(headers: IncomingHttpHeaders, types: readonly string[]): HttpError | null {
  const fits =
    types.includes(mediaTypeOf(headers)) &&
    isInUtf8(headers['content-type'] ?? '') &&
    ['identity', 'gzip', 'x-gzip'].includes(encodingOf(headers));
  return fits
    ? null
    : new HttpError(
        'UNSUPPORTED_MEDIA_TYPE',
        `Send the body as ${types.join(' or ')} in UTF-8, as it is or with Content-Encoding: gzip`,
      );
}

/** Connections on which a streamed body is under way. */
const streaming = new WeakSet<Duplex>();

/** Whether the time of a request says nothing here: a large body takes its time. */
export function isStreaming(socket: Duplex): boolean {
  return streaming.has(socket);
}

/** The body, decompressed. Destroying it leaves the connection alone, which the answer still needs. */
export function openStream(message: IncomingMessage): Readable {
  const { socket } = message;
  streaming.add(socket);
  const body = encodingOf(message.headers) === 'identity' ? new PassThrough() : createGunzip();
  message.pipe(body);
  finished(message, { writable: false }, (error) => {
    streaming.delete(socket);
    if (error) body.destroy(error);
  });
  return body;
}

/** How long the rest of a body that is of no use may go on arriving, in milliseconds. */
const REST_MAX_MS = 5_000;

/**
 * Takes the rest of a body in and throws it away, for a while: closing the connection under a client that still writes
 * would reset it, and the reset can overtake the answer.
 */
export function discardRest(message: IncomingMessage): void {
  if (message.complete) return;
  // A stream that it still leads to pauses it for good once that stream has closed.
  message.unpipe();
  message.resume();
  const lastResort = setTimeout(() => message.socket.destroy(), REST_MAX_MS);
  lastResort.unref();
  finished(message, { writable: false }, () => {
    clearTimeout(lastResort);
  });
}

function encodingOf(headers: IncomingHttpHeaders): string {
  return headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
}
