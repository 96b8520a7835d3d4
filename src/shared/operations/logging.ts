import type { FastifyInstance } from 'fastify';
import type { Params } from 'nestjs-pino';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Settings } from '../settings.ts';
import { type Context, contextOrNone } from '../kernel/context.ts';
import { onRequestEnd, type RequestEnd } from './request-end.ts';

/** Lines are gathered to this size, or this long, before they are written: a write for each would cost every request. */
const GATHERED_CHARACTERS = 65_536;
const FLUSH_INTERVAL_MS = 250;
/** Lines are dropped past this when whoever reads our output is too slow: losing lines is better than losing memory. */
const BUFFER_BYTES_MAX = 16 * 1024 * 1024;
/** How much of an address a line shows. */
const URL_CHARACTERS_MAX = 500;
/** Causes of causes and gathered errors that a line shows. */
const ERROR_DEPTH_MAX = 4;

const SECRET_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'x-api-key', 'idempotency-key'];

/**
 * The log of the process: JSON lines to standard output, each with the correlation id, tenant and client of the request
 * that it belongs to. Values are JSON strings, so a caller cannot forge a line.
 *
 * Bodies and headers are not logged; should a line carry headers all the same, secret ones are blanked. Errors are
 * reduced to what says where and why, because drivers attach SQL and its parameters to theirs.
 */
export function createLog(settings: Settings, destination: DestinationStream = standardOutput()): Logger {
  return pino(
    {
      level: settings.logLevel,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      redact: SECRET_HEADERS.flatMap((name) => [`headers["${name}"]`, `req.headers["${name}"]`]),
      mixin: () => fieldsOf(contextOrNone()),
    },
    destination,
  );
}

/** The log of one app, for those who write lines of their own shape: `app.get(ProcessLog).pino`. */
export class ProcessLog {
  constructor(readonly pino: Logger) {}
}

/**
 * nestjs-pino for Nest's own lines and for `Logger` of @nestjs/common. Its middleware, which logs requests, is left
 * out: it would serialise every request and know no route; `registerRequestLog` does it instead.
 */
export function loggerParams(log: Logger): Params {
  return { pinoHttp: { logger: log, autoLogging: false }, forRoutes: [] };
}

/**
 * One line for each request: 5xx as error, health and metrics as debug, all else as info (a refusal is an outcome that
 * the rules foresee). See `onRequestEnd` for when to call it.
 */
export function registerRequestLog(fastify: FastifyInstance, log: Logger): void {
  onRequestEnd(fastify, (end) => {
    const level = levelOf(end);
    if (!log.isLevelEnabled(level)) return;
    log[level](
      {
        ...fieldsOf(end.context),
        method: end.request.method,
        route: end.route,
        url: withoutSecrets(end.request.url.slice(0, URL_CHARACTERS_MAX)),
        status: end.status,
        durationMs: Math.round(end.durationMs * 100) / 100,
      },
      'request',
    );
  });
}

/** Keys of ours and tokens, which somebody may have put into an address although they belong into a header. */
const SECRETS = /hf_[a-z]{1,16}_[A-Za-z0-9_-]{10,}|eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){0,4}/g;

function withoutSecrets(url: string): string {
  return url.includes('hf_') || url.includes('eyJ') ? url.replace(SECRETS, '[secret]') : url;
}

function levelOf({ status, route }: RequestEnd): 'error' | 'info' | 'debug' {
  if (status >= 500) return 'error';
  return route === '/metrics' || route.startsWith('/health/') ? 'debug' : 'info';
}

interface ContextFields {
  correlationId: string | undefined;
  tenant: string | undefined;
  client: string | undefined;
  /** The id of the key; the key itself is nowhere. */
  key: string | undefined;
}

/** Every name is there even without a context, so that a line's own fields win over those of the mixin. */
function fieldsOf(context: Context | undefined): ContextFields {
  return {
    correlationId: context?.correlationId,
    tenant: context?.tenantId,
    client: context?.clientId,
    key: context?.keyId ?? undefined,
  };
}

/** What an error shows in the log: no properties but these, as drivers attach statements, parameters and rows. */
interface ErrorDescription {
  readonly type: string;
  readonly message: string;
  readonly code?: unknown;
  readonly stack?: string;
  readonly cause?: ErrorDescription;
  readonly errors?: readonly ErrorDescription[];
}

function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  const deeper = depth < ERROR_DEPTH_MAX;
  return {
    type: error.constructor.name,
    message: error.message,
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
    stack: error.stack,
    cause: deeper && error.cause !== undefined ? describeError(error.cause, depth + 1) : undefined,
    errors:
      deeper && Array.isArray(errors)
        ? errors.slice(0, ERROR_DEPTH_MAX).map((one) => describeError(one, depth + 1))
        : undefined,
  };
}

/** One for the process, however many apps it holds. */
let output: GatheredLines | undefined;

function standardOutput(): DestinationStream {
  output ??= new GatheredLines(pino.destination({ dest: 1, sync: false, maxLength: BUFFER_BYTES_MAX }));
  return output;
}

/**
 * Hands lines on in large pieces, and what is left when the process ends. sonic-boom, to which it hands them, can gather by
 * itself, but measures all that it has with each line: 8 µs a line at 8 KiB, 3.4 µs here, of which pino's own part is 3.
 */
export class GatheredLines implements DestinationStream {
  private lines: string[] = [];
  private characters = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly destination: Destination) {
    // Before sonic-boom's own listeners, which close it.
    process.prependListener('beforeExit', () => {
      this.flush();
    });
    process.prependListener('exit', () => {
      this.flushSync();
    });
  }

  write(line: string): void {
    this.lines.push(line);
    this.characters += line.length;
    if (this.characters >= GATHERED_CHARACTERS) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), FLUSH_INTERVAL_MS).unref();
  }

  /** pino asks for it with a fatal line. */
  flushSync(): void {
    this.flush();
    this.destination.flushSync();
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.lines.length === 0) return;
    const text = this.lines.join('');
    this.lines = [];
    this.characters = 0;
    this.destination.write(text);
  }
}

type Destination = Pick<ReturnType<typeof pino.destination>, 'write' | 'flushSync'>;
