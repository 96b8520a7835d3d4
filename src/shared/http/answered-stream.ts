import type { FastifyRequest } from 'fastify';
import type { Exchange } from './exchange.ts';
import type { FieldError } from './http-error.ts';
import { routeConfig } from './route-config.ts';

/** A header that a route reads, and what it has to look like where it is sent. */
export interface HeaderRule {
  /** As it is written in documents: `Last-Event-ID`. */
  readonly name: string;
  readonly isRight: (value: string) => boolean;
  /** What it has to be, to be read after the header's name. */
  readonly what: string;
}

interface AnsweredStream {
  /** Media types of the answer. */
  readonly types: readonly string[];
  readonly headers?: readonly HeaderRule[];
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What is answered as a stream that is no JSON document; undefined where the answer is one. */
    answeredStream?: AnsweredStream;
  }
}

/** The route answers with a stream of these media types, which `Accept` may ask for. */
export function AnswersStream(stream: AnsweredStream): MethodDecorator {
  return routeConfig({ answeredStream: stream });
}

/** @returns media types besides JSON that the route answers with */
export function answeredTypesOf(request: FastifyRequest): readonly string[] {
  return request.routeOptions.config.answeredStream?.types ?? [];
}

/** Adds what is wrong with the headers that the route reads. */
export function checkHeaders(request: FastifyRequest, errors: FieldError[]): void {
  for (const { name, isRight, what } of request.routeOptions.config.answeredStream?.headers ?? []) {
    const value = request.headers[name.toLowerCase()];
    if (value !== undefined && !(typeof value === 'string' && isRight(value)))
      errors.push({ field: name, message: what });
  }
}

/**
 * Lets an answer take its time: a connection on which nothing moves is otherwise taken for dead.
 * @param onClose called once the answer has gone out, or its caller has gone
 * @returns sets a limit again, in milliseconds: for the end of an answer that nobody may read any more
 */
export function allowSilence({ request, reply }: Exchange, onClose: () => void): (ms: number) => void {
  const { socket } = request.raw;
  const usualMs = socket.timeout ?? 0;
  let ownMs = 0;
  socket.setTimeout(0);
  reply.raw.once('close', () => {
    onClose();
    // Where idle connections have a limit, Node has set that by now, and will set the usual one for the next request.
    if (socket.timeout === ownMs) socket.setTimeout(usualMs);
  });
  return (ms) => {
    if (reply.raw.closed || reply.raw.writableFinished) return;
    ownMs = ms;
    socket.setTimeout(ms);
  };
}
