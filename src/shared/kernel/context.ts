import { AsyncLocalStorage } from 'node:async_hooks';

/** Where a report stands among those of its store: numbers count from 1 within an epoch, epochs from 1. */
export interface StreamPlace {
  readonly epoch: number;
  readonly sequence: number;
}

/**
 * What of its tenant a caller may touch. The platform keeps to it below the handlers (persistence/table.ts,
 * `VisibleRows`; http/own-location.ts), so that none of them can forget it.
 */
export interface Reach {
  /** Only what was made for this client, where rows are a client's; null: for whichever. */
  readonly clientId: string | null;
  /** Only this location; null: all of them. */
  readonly locationId: string | null;
}

/** Who asks, and under which name the request is found again in logs and events. */
export interface Context {
  /** The retail chain. Nothing ever crosses tenants. */
  readonly tenantId: string;
  /** The caller within the tenant; idempotency keys are its own. */
  readonly clientId: string;
  /** 1..128 of `[A-Za-z0-9._:-]`. */
  readonly correlationId: string;
  /** The W3C trace context of the request, when it sent a valid one. */
  readonly traceparent: string | null;
  /** From where the request came, an IPv4 or IPv6 address; null or absent: nobody can tell, or a job of the server's own. */
  readonly address?: string | null;
  /** The key that the caller sent; null or absent: nobody was asked for one, or a job of the server's own. */
  readonly keyId?: string | null;
  /** Null or absent: the whole tenant. */
  readonly reach?: Reach | null;
  /** The location whose store reports what happened there; null or absent: the centre decided it. */
  readonly origin?: string | null;
  /** Which of the store's reports it is; absent where `origin` is. */
  readonly originPlace?: StreamPlace | null;
  /** The event that is being reacted to; what is recorded meanwhile names it as its cause. */
  readonly causationId?: string | null;
}

const storage = new AsyncLocalStorage<Context>();

/** Runs `work` and everything that it awaits in `context`. */
export function runInContext<T>(context: Context, work: () => T): T {
  return storage.run(context, work);
}

/**
 * The context of the running request or job.
 * @throws Error when there is none: code that reaches the database without knowing its tenant is a bug.
 */
export function currentContext(): Context {
  const context = storage.getStore();
  if (context === undefined) {
    throw new Error('No context: wrap the call in runInContext, so that its tenant is known');
  }
  return context;
}

/** The context when there is one; for logs, which also speak outside of requests. */
export function contextOrNone(): Context | undefined {
  return storage.getStore();
}
