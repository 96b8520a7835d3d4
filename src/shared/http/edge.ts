import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { DomainError } from '../kernel/domain-error.ts';
import { runInContext } from '../kernel/context.ts';
import type { Settings } from '../settings.ts';
import { contextOf, CORRELATION_HEADER } from './correlation-id.ts';
import { HttpError, ValidationFailed } from './http-error.ts';
import { acceptsJson, announcesBody, isJsonBody } from './media-types.ts';
import { fromStatus } from './problem.ts';
import { refusalOfStream, STREAMED_TYPES, streamedTypesOf } from './streamed-body.ts';
import { hasEmptyParameter, type RouteTable } from './route-table.ts';

/** Everything else here comes after it: from now on the request has its context and its answer its correlation id. */
export function registerContext(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header(CORRELATION_HEADER, request.id).header('x-content-type-options', 'nosniff');
    runInContext(contextOf(request), done);
  });
}

/**
 * Refuses what can be refused by the head of a request, before anything of its body is read.
 * @param isDraining true once the process is stopping: each answer then tells its client to come back on a new connection
 */
export function registerEdge(
  fastify: FastifyInstance,
  routes: RouteTable,
  settings: Settings,
  isDraining: () => boolean,
): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const refusal = refusalOfHead(request, routes, settings);
    if (refusal === null) done();
    else done(refusal);
  });
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    if (isDraining()) {
      reply.header('connection', 'close');
    }
    done(null, payload);
  });
  // The bytes are read as JSON only after the check for the Idempotency-Key, because its refusal comes first.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: settings.bodyBytesMax }, (_request, body, done) => {
    done(null, body);
  });
  // Of these types are only bodies of routes that stream them: others were refused by their head. Not read here.
  fastify.addContentTypeParser([...STREAMED_TYPES], (_request, _payload, done) => {
    done(null);
  });
  fastify.decorateRequest('jsonBody', undefined);
}

/** In the order of DESIGN section 4. */
function refusalOfHead(request: FastifyRequest, routes: RouteTable, settings: Settings): DomainError | null {
  const { headers, url } = request;
  if (headers.host === undefined && request.raw.httpVersion === '1.1') {
    // Node would answer this by itself, and without a problem document.
    return new ValidationFailed([{ field: 'Host', message: 'is required (RFC 9112, section 3.2)' }]);
  }
  if (url.length > settings.urlBytesMax) return fromStatus(414);
  if (headerBytes(request.raw.rawHeaders) > settings.headerBytesMax) return fromStatus(431);
  if (request.is404 || hasEmptyParameter(request.params)) return pathOrMethod(request, routes);
  const streamedTypes = streamedTypesOf(request);
  const refusal = streamedTypes === undefined ? refusalOfJsonBody(request) : refusalOfStream(headers, streamedTypes);
  if (refusal !== null) return refusal;
  return answersJson(url) && !acceptsJson(headers.accept, streamedTypes) ? fromStatus(406) : null;
}

function refusalOfJsonBody({ headers, method }: FastifyRequest): DomainError | null {
  if (!announcesBody(headers)) {
    // curl sends a form's type with an empty POST; without a body there is nothing to be wrong with it.
    delete headers['content-type'];
    return null;
  }
  return method === 'GET' || method === 'HEAD' || isJsonBody(headers) ? null : fromStatus(415);
}

function pathOrMethod(request: FastifyRequest, routes: RouteTable): DomainError {
  const methods = routes.methodsOf(request.url);
  if (methods.length === 0) return fromStatus(404);
  const allow = methods.join(', ');
  return new HttpError('METHOD_NOT_ALLOWED', `${request.method} is not for this path; ${allow} are`, {}, { allow });
}

/** Metrics and documentation have types of their own. */
function answersJson(url: string): boolean {
  return url.startsWith('/v1/') || url.startsWith('/health/');
}

/** What a name and its value take besides themselves: colon, space, line end. */
const BYTES_PER_HEADER_LINE = 4;

/** @param rawHeaders names and values in turn; each character was one byte */
function headerBytes(rawHeaders: readonly string[]): number {
  let bytes = (rawHeaders.length / 2) * BYTES_PER_HEADER_LINE;
  for (const part of rawHeaders) {
    bytes += part.length;
  }
  return bytes;
}
