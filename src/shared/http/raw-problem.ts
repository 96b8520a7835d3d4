import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { DomainError } from '../kernel/domain-error.ts';
import { correlationIdOf, newCorrelationId } from './correlation-id.ts';
import { HttpError } from './http-error.ts';
import { pathOf } from './problem.filter.ts';
import { fromStatus, PROBLEM_CONTENT_TYPE, toProblem } from './problem.ts';
import { originForm } from './request-head.ts';
import { securityHeaders } from './security-headers.ts';
import { isStreaming } from './streamed-body.ts';

/** What Node reports when it cannot make a request of what came over a connection. */
type ClientError = Error & { readonly code?: string; readonly rawPacket?: unknown };

/** Where Node remembers the answer that a connection is waiting for; there is no public way to ask. */
interface AnsweringSocket {
  readonly _httpMessage?: ServerResponse | null;
}

/** How long a client may take to read the answer and to close. */
const LINGER_MS = 1_000;

const REQUEST_TIMED_OUT = 'ERR_HTTP_REQUEST_TIMEOUT';

const REQUEST_LINE_START = /^[A-Z-]{1,20} /;

/**
 * Answers on the bare connection what never became a request: a broken request line, too many header bytes, a request
 * that was not complete in time. The connection is closed, because nobody knows where the next request would begin.
 * Requests before it on the same connection get their answers first.
 * @param urlBytesMax tells an endless URL (414) from endless headers (431) where the first bytes still show it
 */
export function answerClientError(error: ClientError, socket: Duplex, urlBytesMax: number): void {
  if (error.code === REQUEST_TIMED_OUT && isStreaming(socket)) {
    return; // Only silence ends a streamed body, and whoever reads it listens for that.
  }
  if (socket.writableEnded) {
    return; // It has its answer; this is only more of what could not be read.
  }
  const { _httpMessage: answer } = socket as AnsweringSocket;
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  if (answer?.req.complete === true) {
    // What is broken came behind a request that is whole and may be carried out; a problem now would pass for its answer.
    answer.once('finish', () => {
      answerClientError(error, socket, urlBytesMax);
    });
    return;
  }
  if (answer?.headersSent === true) {
    // In the middle of an answer that another one would spoil.
    socket.destroy();
    return;
  }
  const refusal = toEdgeError(error, urlBytesMax);
  if (answer?.req === undefined) {
    writeRawProblem(socket, refusal, '*', newCorrelationId());
  } else {
    writeRawProblem(socket, refusal, pathOf(originForm(answer.req.url ?? '')), correlationIdOf(answer.req));
  }
}

/** CONNECT asks for a tunnel; Node hands the bare connection over. */
export function answerConnect(request: IncomingMessage, socket: Duplex): void {
  const error = new HttpError('METHOD_NOT_ALLOWED', 'This server is no proxy', {}, { allow: '' });
  writeRawProblem(socket, error, '*', correlationIdOf(request));
}

function toEdgeError(error: ClientError, urlBytesMax: number): DomainError {
  if (error.code === REQUEST_TIMED_OUT) return fromStatus(408);
  if (error.code !== 'HPE_HEADER_OVERFLOW') return fromStatus(400);
  return hasEndlessUrl(error.rawPacket, urlBytesMax) ? fromStatus(414) : fromStatus(431);
}

function hasEndlessUrl(packet: unknown, urlBytesMax: number): boolean {
  if (!Buffer.isBuffer(packet) || !REQUEST_LINE_START.test(packet.toString('latin1', 0, 24))) return false;
  const lineEnd = packet.indexOf('\r\n');
  return (lineEnd === -1 ? packet.length : lineEnd) > urlBytesMax;
}

function writeRawProblem(socket: Duplex, error: DomainError, instance: string, correlationId: string): void {
  const { status, headers, body } = toProblem(error, instance, correlationId);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Content-Type: ${PROBLEM_CONTENT_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Correlation-Id: ${correlationId}`,
    ...Object.entries(securityHeaders('')).map(([name, value]) => `${name}: ${value}`),
    `Date: ${new Date().toUTCString()}`,
    'Connection: close',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  // Closing with unread bytes resets the connection, and a reset can overtake the answer; so the client closes first.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
