import { request } from 'node:http';
import { Readable } from 'node:stream';
import type { Target } from '../load.ts';
import type { CountRow } from './count-rows.ts';

/** Rows that are written to the socket together. */
const ROWS_AT_A_TIME = 500;

export interface Uploaded {
  readonly rows: number;
  readonly applied: number;
  readonly seconds: number;
}

/**
 * Imports rows as NDJSON and reads the results meanwhile.
 * @param rows as many as are wanted; an endless source is ended by its maker
 * @throws Error when the answer is no whole one
 */
export function upload({ url, adminKey }: Target, key: string, rows: Iterable<CountRow>): Promise<Uploaded> {
  const startedAt = performance.now();
  const who = adminKey === undefined ? {} : { 'x-api-key': adminKey };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${url}/v1/stock/import`,
      { method: 'POST', headers: { ...who, 'content-type': 'application/x-ndjson', 'idempotency-key': key } },
      (incoming) => {
        let tail = '';
        incoming.setEncoding('latin1');
        incoming.on('data', (text: string) => {
          tail = (tail + text).slice(-500);
        });
        incoming.on('error', reject);
        incoming.on('end', () => {
          const last = tail.trimEnd().split('\n').at(-1) ?? '';
          const { summary } = (last.startsWith('{') ? JSON.parse(last) : {}) as {
            summary?: { rows: number; applied: number };
          };
          if (summary === undefined) reject(new Error(`The import broke off: ${incoming.statusCode} ${last}`));
          else resolve({ ...summary, seconds: (performance.now() - startedAt) / 1000 });
        });
      },
    );
    outgoing.on('error', reject);
    Readable.from(linesOf(rows)).pipe(outgoing);
  });
}

function* linesOf(rows: Iterable<CountRow>): Generator<string> {
  let lines: string[] = [];
  for (const row of rows) {
    lines.push(JSON.stringify(row));
    if (lines.length === ROWS_AT_A_TIME) {
      yield `${lines.join('\n')}\n`;
      lines = [];
    }
  }
  if (lines.length > 0) yield `${lines.join('\n')}\n`;
}
