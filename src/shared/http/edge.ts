import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Admission } from '../access/gate.ts';
import type { DomainError } from '../kernel/domain-error.ts';
import { runInContext } from '../kernel/context.ts';
import type { Settings } from '../settings.ts';
import type { ClientAddresses } from './client-address.ts';
import { contextOf, CORRELATION_HEADER } from './correlation-id.ts';
import { takesGzip, unpack } from './gzip-body.ts';
import { HttpError, ValidationFailed } from './http-error.ts';
import { READS } from './http-methods.ts';
import { isApiRoute } from './api-routes.ts';
import { acceptsJson, announcesBody, isJsonBody } from './media-types.ts';
import { fromStatus } from './problem.ts';
import { faultOfHost, measureHeaders, waitsToBeAsked } from './request-head.ts';
import { hasEmptyParameter, type RouteTable } from './route-table.ts';
import { answeredTypesOf } from './answered-stream.ts';
import { securityHeaders } from './security-headers.ts';
import { refusalOfStream, STREAMED_TYPES, streamedTypesOf } from './streamed-body.ts';

/** Finds out who asks, and why they may not, if so. */
export type Admit = (request: FastifyRequest) => Admission | Promise<Admission>;

/** Everything else here comes after it: from now on the request has its context and its answer its correlation id. */
export function registerContext(fastify: FastifyInstance, addresses: ClientAddresses, admit: Admit): void {
  fastify.decorateRequest('clientAddress', null);
  fastify.decorateRequest('principal', null);
  fastify.decorateRequest('accessRefusal', null);
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header(CORRELATION_HEADER, request.id).headers(securityHeaders(request.url));
    request.clientAddress = addresses.of(request.raw);
    const enter = ({ caller, principal, refusal, limitHeaders }: Admission): void => {
      if (limitHeaders !== null) reply.headers(limitHeaders);
      request.principal = principal;
      request.accessRefusal = refusal;
      runInContext(contextOf(request, caller), done);
    };
    const admission = admit(request);
    if (admission instanceof Promise) admission.then(enter, done);
    else enter(admission);
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
  fastify.addHook('onRequest', (request, reply, done) => {
    const refusal = refusalOfHead(request, routes, settings);
    if (refusal !== null) {
      done(refusal);
      return;
    }
    if (waitsToBeAsked(request.raw)) {
      reply.raw.writeContinue();
    }
    done();
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (isDraining()) {
      reply.header('connection', 'close');
    }
    done(null, reply.statusCode === 304 ? nothingFor(request) : payload);
  });
  // The bytes are read as JSON only after the check for the Idempotency-Key, because its refusal comes first.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: settings.bodyBytesMax }, (request, body, done) => {
    unpack(request, body as Buffer, settings.bodyBytesMax, done);
  });
  // Of these types are only bodies of routes that stream them: others were refused by their head. Not read here.
  fastify.addContentTypeParser([...STREAMED_TYPES], (_request, _payload, done) => {
    done(null);
  });
  fastify.decorateRequest('jsonBody', undefined);
}

/**
 * Of an empty text Fastify would tell the length, 0, and a cache could take it for that of the body that it has. What
 * makes answers to HEAD out of those to GET measures everything but a stream.
 */
function nothingFor({ method }: FastifyRequest): Readable | null {
  return method === 'HEAD' ? Readable.from([]) : null;
}

/** In the order of DESIGN section 4. */
function refusalOfHead(request: FastifyRequest, routes: RouteTable, settings: Settings): DomainError | null {
  const { headers, url, accessRefusal } = request;
  if (accessRefusal !== null) return accessRefusal;
  const { bytes, hosts } = measureHeaders(request.raw.rawHeaders);
  if (url.length > settings.urlBytesMax) return fromStatus(414);
  if (bytes > settings.headerBytesMax) return fromStatus(431);
  const hostFault = faultOfHost(request.raw, hosts);
  if (hostFault !== null) return new ValidationFailed([{ field: 'Host', message: hostFault }]);
  if (request.is404 || hasEmptyParameter(request.params)) return pathOrMethod(request, routes);
  const streamedTypes = streamedTypesOf(request);
  const refusal = streamedTypes === undefined ? refusalOfJsonBody(request) : refusalOfStream(headers, streamedTypes);
  if (refusal !== null) return refusal;
  const types = [...(streamedTypes ?? []), ...answeredTypesOf(request)];
  if (answersJson(request.routeOptions.url ?? '') && !acceptsJson(headers.accept, types)) return fromStatus(406);
  // Told before the body is on its way; Fastify itself would look only once it reads it. That of a read is passed over.
  const isRead = READS.has(request.method);
  return !isRead && isJsonBody(headers, takesGzip(request)) && Number(headers['content-length']) > settings.bodyBytesMax
    ? fromStatus(413)
    : null;
}

function refusalOfJsonBody(request: FastifyRequest): DomainError | null {
  const { headers, method } = request;
  if (!announcesBody(headers)) {
    // curl sends a form's type with an empty POST; without a body there is nothing to be wrong with it.
    delete headers['content-type'];
    return null;
  }
  return READS.has(method) || isJsonBody(headers, takesGzip(request)) ? null : fromStatus(415);
}

function pathOrMethod(request: FastifyRequest, routes: RouteTable): DomainError {
  const methods = routes.methodsOf(request.url);
  if (methods.length === 0) return fromStatus(404);
  const allow = methods.join(', ');
  return new HttpError('METHOD_NOT_ALLOWED', `${request.method} is not for this path; ${allow} are`, {}, { allow });
}

/** Metrics and documentation have types of their own. */
function answersJson(route: string): boolean {
  return isApiRoute(route) || route.startsWith('/health');
}
