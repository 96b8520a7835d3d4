import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CORRELATION_HEADER } from './correlation-id.ts';
import { PROBLEM_CONTENT_TYPE, toProblem } from './problem.ts';

/** Answers everything that is thrown on the way of a request with a problem document (RFC 9457). */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Problem');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), this.logger);
  }
}

/** Also for errors that Fastify raises before a request has a route, so before Nest sees it. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const { status, headers, body } = toProblem(error, pathOf(request.url), request.id);
  logProblem(error, status, logger);
  if (reply.sent || reply.raw.headersSent) {
    // A status has gone out already; breaking the connection is the only way left to say that the answer is not whole.
    reply.raw.destroy();
    return;
  }
  if (status === 413 && reply.hasHeader('connection')) {
    // Fastify closes here, and the reset that follows can overtake the answer while the client is still writing.
    // Kept open, Node discards what arrives until the request's time is over.
    reply.removeHeader('connection');
  }
  reply
    .code(status)
    .headers(headers)
    .header(CORRELATION_HEADER, request.id)
    .header('content-type', PROBLEM_CONTENT_TYPE)
    .header('cache-control', 'no-store');
  reply.removeHeader('etag').removeHeader('location').removeHeader('content-length');
  reply.send(body);
}

/** What an operator has to know of: our mistakes, and why something that we need was not there. */
export function logProblem(error: unknown, status: number, logger: Logger): void {
  if (status === 500) {
    logger.error(error instanceof Error ? error : new Error('Something that is no Error was thrown', { cause: error }));
  } else if (status === 503 && error instanceof Error && error.cause !== undefined) {
    logger.warn(error);
  }
}

/** The path without its query, which may hold what does not belong into an error document. */
export function pathOf(url: string): string {
  const queryStart = url.indexOf('?');
  return queryStart === -1 ? url : url.slice(0, queryStart);
}
