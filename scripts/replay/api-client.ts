import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { KeyNeeded } from '../api-key.ts';

/** What the server said in the end, after all retries. */
export type Answer =
  | { readonly ok: true; readonly status: number; readonly body: unknown }
  | { readonly ok: false; readonly status: number; readonly code: string; readonly detail: string };

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body?: unknown;
  /** Makes a repeat harmless; every POST of the replay carries one. */
  readonly idempotencyKey?: string;
  readonly correlationId?: string;
}

/** Everything that a test replaces; the defaults are the real world. */
export interface ApiClientParts {
  readonly fetch: typeof globalThis.fetch;
  readonly wait: (ms: number) => Promise<void>;
  /** 0..1, for the jitter. */
  readonly random: () => number;
  /** Sent with every request, e.g. who asks. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Attempts of one request, the first included: with the waits below a server may be away for ten seconds, a restart. */
export const ATTEMPTS_MAX = 10;
/** The first wait is at most this long; each next one may be twice as long, up to WAIT_MAX_MS. */
export const WAIT_FIRST_MS = 100;
export const WAIT_MAX_MS = 5_000;
/** A server that asks for more patience than this is not waited for longer. */
export const RETRY_AFTER_MAX_SECONDS = 30;
/** An answer that takes longer is given up and asked for again. */
const ANSWER_MAX_MS = 30_000;

/** The code in the report for a request that never got an answer. */
export const NO_ANSWER = 'NO_ANSWER';

/**
 * Speaks to the server through its public HTTP API and nothing else. Overload (429, 503), a concurrent repeat of the
 * same key and a broken connection are met with patience: each request is safe to repeat, by its key or by its nature.
 */
export class ApiClient {
  /** Requests sent, repeats included. */
  requests = 0;
  /** Requests sent again because the one before was put off or lost. */
  retries = 0;

  constructor(
    private readonly url: string,
    private readonly parts: ApiClientParts = worldWithKey(null),
  ) {}

  /**
   * The outcome is in the answer, whatever server or network do, with one exception.
   * @throws KeyNeeded when the server does not know who asks: every other answer would be the same
   */
  async send(request: ApiRequest): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      const { answer, retryAfterSeconds } = await this.attempt(request);
      if (!answer.ok && answer.status === 401) throw new KeyNeeded(answer.code, answer.detail);
      if (answer.ok || attempt === ATTEMPTS_MAX || !isWorthARetry(answer)) return answer;
      this.retries += 1;
      await this.parts.wait(waitMs(attempt, retryAfterSeconds, this.parts.random()));
    }
  }

  private async attempt(request: ApiRequest): Promise<{ answer: Answer; retryAfterSeconds: number | null }> {
    this.requests += 1;
    try {
      const response = await this.parts.fetch(`${this.url}${request.path}`, {
        method: request.method,
        headers: { ...headersOf(request), ...this.parts.headers },
        signal: AbortSignal.timeout(ANSWER_MAX_MS),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      const answer = toAnswer(response.status, await response.text());
      return { answer, retryAfterSeconds: secondsOf(response.headers.get('retry-after')) };
    } catch (error) {
      return { answer: { ok: false, status: 0, code: NO_ANSWER, detail: reasonOf(error) }, retryAfterSeconds: null };
    }
  }
}

/**
 * Exponential with full jitter, so that callers who were turned away together do not come back together; what the
 * server asks for comes on top.
 */
export function waitMs(attempt: number, retryAfterSeconds: number | null, random: number): number {
  const ownMs = Math.min(WAIT_MAX_MS, WAIT_FIRST_MS * 2 ** (attempt - 1)) * random;
  return Math.min(retryAfterSeconds ?? 0, RETRY_AFTER_MAX_SECONDS) * 1000 + ownMs;
}

/** The real world, with a key that is sent with every request; null: none. */
export function worldWithKey(apiKey: string | null): ApiClientParts {
  return {
    fetch: globalThis.fetch,
    wait: (ms) => setTimeout(ms),
    random: Math.random,
    headers: apiKey === null ? {} : { 'x-api-key': apiKey },
  };
}

/** A run's name when the caller gives none. */
export function newRunId(): string {
  return randomUUID().slice(0, 8);
}

function isWorthARetry({ status, code }: { status: number; code: string }): boolean {
  return status === 0 || status === 429 || status === 503 || status === 408 || code === 'IDEMPOTENCY_KEY_IN_FLIGHT';
}

function headersOf({ body, idempotencyKey, correlationId }: ApiRequest): Record<string, string> {
  return {
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    ...(correlationId === undefined ? {} : { 'x-correlation-id': correlationId }),
  };
}

function toAnswer(status: number, text: string): Answer {
  const body = parsed(text);
  if (status >= 200 && status < 300) return { ok: true, status, body };
  const { code, detail } = (body ?? {}) as { code?: unknown; detail?: unknown };
  return {
    ok: false,
    status,
    code: typeof code === 'string' ? code : `HTTP_${status}`,
    detail: typeof detail === 'string' ? detail : text.slice(0, 200),
  };
}

/** A proxy in between may answer with HTML: then the status alone speaks. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function secondsOf(header: string | null): number | null {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) : null;
}

/** `fetch failed` hides the reason in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
