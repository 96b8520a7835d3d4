import { Agent, request } from 'node:http';

/** What goes to the server. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  /** JSON, unless `contentType` says otherwise. */
  readonly body?: string;
  readonly contentType?: string;
  readonly key?: string;
  /** By the shop's staff, whoever's line it is: what a storefront may not do. */
  readonly byStaff?: boolean;
}

/** What came back, perhaps cut off. */
export interface Received {
  readonly status: number;
  readonly text: string;
  readonly etag: string | null;
  /** It is the answer that was stored under the key. */
  readonly replayed: boolean;
  /** False: the connection broke before its end. */
  readonly whole: boolean;
}

/** Longer than any deadline of the server. */
const ANSWER_MAX_MS = 60_000;

/** A caller's line to one server. It repeats nothing by itself. */
export class Wire {
  private readonly agent = new Agent({ keepAlive: true });

  constructor(
    private readonly url: string,
    private readonly apiKey: string,
    private readonly staffKey = apiKey,
  ) {}

  /** @returns null when no status line came */
  send({
    method,
    path,
    body,
    contentType = 'application/json',
    key,
    byStaff = false,
  }: Request): Promise<Received | null> {
    return new Promise((resolve) => {
      const headers: Record<string, string | number> = {
        'x-api-key': byStaff ? this.staffKey : this.apiKey,
      };
      if (body !== undefined) {
        headers['content-type'] = contentType;
        headers['content-length'] = Buffer.byteLength(body);
      }
      if (key !== undefined) headers['idempotency-key'] = key;
      const outgoing = request(`${this.url}${path}`, { method, headers, agent: this.agent, timeout: ANSWER_MAX_MS });
      outgoing.on('timeout', () => outgoing.destroy());
      outgoing.on('error', () => {
        resolve(null);
      });
      outgoing.on('response', (incoming) => {
        const parts: Buffer[] = [];
        incoming.on('data', (part: Buffer) => parts.push(part));
        incoming.on('error', () => undefined);
        incoming.on('close', () => {
          resolve({
            status: incoming.statusCode ?? 0,
            text: Buffer.concat(parts).toString('utf8'),
            etag: incoming.headers.etag ?? null,
            replayed: incoming.headers['idempotency-replayed'] === 'true',
            whole: incoming.complete,
          });
        });
      });
      outgoing.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

export function isSuccess({ status, whole }: Received): boolean {
  return whole && status >= 200 && status < 300;
}

/** Whether the server has said that it could not do it now: then it may be asked again, under the same key. */
export function isPutOff({ status }: Received): boolean {
  return status === 503 || status === 429;
}
