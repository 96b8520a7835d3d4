import { createReadStream } from 'node:fs';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { KEY_HINT } from '../api-key.ts';
import type { Options } from './options.ts';

/** One line of the answer (docs/api.md): the outcome of a row, the summary, or why it broke off. */
export interface ResultLine {
  readonly row?: number;
  readonly outcome?: 'applied' | 'duplicate' | 'refused';
  readonly code?: string;
  readonly detail?: string;
  readonly summary?: Summary;
  readonly error?: { readonly code: string; readonly detail: string };
}

export interface Summary {
  readonly rows: number;
  readonly applied: number;
  readonly duplicate: number;
  readonly refused: number;
}

/** How one attempt ended. `retry`: the same again goes on where this one was cut. */
export type Attempt =
  | { readonly kind: 'whole'; readonly summary: Summary }
  | { readonly kind: 'retry' | 'refused'; readonly why: string; readonly retryAfterSeconds: number };

export interface Listener {
  /** Bytes of the file that have been read so far. */
  sent(bytes: number): void;
  line(line: ResultLine): void;
}

/** The server or the way to it is not well; it says nothing about the file. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const PASSING_CODES: ReadonlySet<string> = new Set(['BUSY', 'UNAVAILABLE', 'REQUEST_TIMEOUT', 'INTERNAL']);

/** Sends the file once and reads the results while it does. Never throws for what the server or the network does. */
export async function attempt(
  options: Options,
  key: string,
  apiKey: string | null,
  listener: Listener,
): Promise<Attempt> {
  const url = new URL(`${options.url}/v1/stock/import`);
  const headers: Record<string, string> = { 'content-type': options.mediaType, 'idempotency-key': key };
  if (options.isGzip || options.gzip) headers['content-encoding'] = 'gzip';
  if (apiKey !== null) headers['x-api-key'] = apiKey;
  const outgoing = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, { method: 'POST', headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
  });
  const file = createReadStream(options.file);
  let bytes = 0;
  file.on('data', (chunk) => listener.sent((bytes += chunk.length)));
  const sending = options.gzip ? pipeline(file, createGzip(), outgoing) : pipeline(file, outgoing);
  // A server that refuses may close before it has read everything; what counts is its answer.
  sending.catch(() => undefined);
  try {
    const incoming = await answered;
    return incoming.statusCode === 200 ? await readResults(incoming, listener) : await readProblem(incoming);
  } catch (error) {
    return { kind: 'retry', why: error instanceof Error ? error.message : String(error), retryAfterSeconds: 0 };
  } finally {
    file.destroy();
    outgoing.destroy();
  }
}

/** A whole answer ends in a summary; without one it was cut. */
async function readResults(incoming: IncomingMessage, listener: Listener): Promise<Attempt> {
  for await (const text of linesOf(incoming)) {
    const line = JSON.parse(text) as ResultLine;
    if (line.summary !== undefined) return { kind: 'whole', summary: line.summary };
    if (line.error !== undefined) {
      const { code, detail } = line.error;
      const kind = PASSING_CODES.has(code) ? 'retry' : 'refused';
      return { kind, why: `${code}: ${detail}`, retryAfterSeconds: 0 };
    }
    listener.line(line);
  }
  return { kind: 'retry', why: 'the answer was cut', retryAfterSeconds: 0 };
}

/** `readline` ends without an error where its input breaks off, so the missing summary has to tell. */
function linesOf(input: Readable): AsyncIterable<string> {
  const lines = createInterface({ input, crlfDelay: Infinity });
  // Both speak up when the connection goes, also after the summary, when nobody listens any more.
  [input, lines].forEach((one) => one.on('error', () => undefined));
  return lines;
}

async function readProblem(incoming: IncomingMessage): Promise<Attempt> {
  let text = '';
  incoming.setEncoding('utf8');
  for await (const part of incoming as AsyncIterable<string>) text += part;
  const status = incoming.statusCode ?? 0;
  const retryAfterSeconds = Number(incoming.headers['retry-after'] ?? 0) || 0;
  const why = status === 401 ? `${reasonIn(text, status)}; ${KEY_HINT}` : reasonIn(text, status);
  return { kind: PASSING_STATUSES.has(status) ? 'retry' : 'refused', why, retryAfterSeconds };
}

function reasonIn(text: string, status: number): string {
  try {
    const { code, detail } = JSON.parse(text) as { code?: string; detail?: string };
    if (code !== undefined) return `${code}: ${detail ?? ''}`;
  } catch {
    // A proxy's page, say; the status tells enough.
  }
  return `status ${status}`;
}
