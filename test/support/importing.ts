import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { type Answer, freshKey, type Problem, RawBody } from './http.ts';
import type { ShopClient } from './shop.ts';

export const IMPORT_PATH = '/v1/stock/import';
export const NDJSON = 'application/x-ndjson';

export interface ResultLine {
  readonly row: number;
  readonly outcome: 'applied' | 'duplicate' | 'refused';
  readonly code?: string;
  readonly detail?: string;
  readonly [more: string]: unknown;
}

export interface Summary {
  readonly rows: number;
  readonly applied: number;
  readonly duplicate: number;
  readonly refused: number;
}

/** The lines of an answer. */
export interface Results {
  readonly rows: readonly ResultLine[];
  /** Of a whole answer only. */
  readonly summary: Summary | undefined;
  /** Why it broke off. */
  readonly error: Problem | undefined;
}

interface Line {
  readonly row?: number;
  readonly summary?: Summary;
  readonly error?: Problem;
}

export function resultsIn(text: string): Results {
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  const last = lines.at(-1);
  return {
    rows: lines.filter((line): line is ResultLine => line.row !== undefined),
    summary: last?.summary,
    error: last?.error,
  };
}

/** Each row as `applied`, `duplicate` or the code that it was refused with. */
export function outcomesOf({ rows }: Results): string[] {
  return rows.map(({ outcome, code }) => code ?? outcome);
}

export function ndjson(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

export interface ImportOptions {
  readonly key?: string | null;
  readonly type?: string;
  readonly gzip?: boolean;
  readonly headers?: Record<string, string>;
}

/** Sends a whole body and gives the answer back, whatever it is. */
export function tryImport(
  shop: ShopClient,
  body: string | Buffer,
  { key = freshKey(), type = NDJSON, gzip = false, headers = {} }: ImportOptions = {},
): Promise<Answer> {
  const bytes = gzip ? gzipSync(body) : body;
  return shop.api.post(IMPORT_PATH, new RawBody(bytes, type), {
    key,
    headers: { ...(gzip ? { 'content-encoding': 'gzip' } : {}), ...headers },
  });
}

/** @throws Error when it is not answered 200 */
export async function importRows(
  shop: ShopClient,
  body: string | Buffer | readonly unknown[],
  options: ImportOptions = {},
): Promise<Results> {
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : ndjson(body);
  const answer = await tryImport(shop, text, options);
  if (answer.status !== 200) throw new Error(`Status ${answer.status}: ${answer.text.slice(0, 600)}`);
  return resultsIn(answer.text);
}

/** An import that is sent piece by piece, and whose results are looked at meanwhile. */
export class SlowImport {
  private text = '';
  private listeners: (() => void)[] = [];
  private answer: IncomingMessage | undefined;
  private over = false;

  private constructor(private readonly outgoing: ClientRequest) {
    outgoing.on('response', (incoming) => {
      this.answer = incoming;
      incoming.setEncoding('utf8');
      incoming.on('data', (part: string) => {
        this.text += part;
        this.wake();
      });
      incoming.on('close', () => {
        this.over = true;
        this.wake();
      });
      incoming.on('error', () => undefined);
      this.wake();
    });
    outgoing.on('error', () => {
      this.over = true;
      this.wake();
    });
  }

  static open(url: string, key: string, headers: Record<string, string> = {}): SlowImport {
    const { hostname, port } = new URL(url);
    const outgoing = request({
      hostname,
      port,
      method: 'POST',
      path: IMPORT_PATH,
      headers: { 'content-type': NDJSON, 'idempotency-key': key, ...headers },
    });
    return new SlowImport(outgoing);
  }

  get results(): Results {
    // The last line may have arrived in part.
    return resultsIn(this.text.slice(0, this.text.lastIndexOf('\n') + 1));
  }

  get status(): number | undefined {
    return this.answer?.statusCode;
  }

  get waitingBytes(): number {
    return this.outgoing.writableLength;
  }

  write(body: string | Buffer): boolean {
    return this.outgoing.write(body);
  }

  end(): void {
    this.outgoing.end();
  }

  /** Stops reading; what the server sends waits in the buffers of the connection. */
  pause(): void {
    this.answer?.pause();
  }

  goOn(): void {
    this.answer?.resume();
  }

  /** As when the cable is pulled. */
  cut(): void {
    this.outgoing.destroy();
  }

  /** Waits until the results satisfy the test. @throws Error when the answer is over before */
  async until(test: (results: Results) => boolean): Promise<Results> {
    while (!test(this.results)) {
      if (this.over) throw new Error(`The answer ended before: ${this.text.slice(-300)}`);
      await this.news();
    }
    return this.results;
  }

  /** All results, once the answer is over. */
  async done(): Promise<Results> {
    while (!this.over) await this.news();
    return this.results;
  }

  private news(): Promise<void> {
    return new Promise((resolve) => this.listeners.push(resolve));
  }

  private wake(): void {
    for (const listener of this.listeners.splice(0)) listener();
  }
}
