import { parseArgs } from 'node:util';
import { UsageError } from '../run-main.ts';

export const USAGE = `usage: npm run import -- <file> [options]

Sends counts or movements to a running server and follows them row by row. The file is CSV (.csv) or NDJSON (.ndjson,
.jsonl), also compressed (.gz). A row that cannot be applied spoils no other. An import that was cut goes on where it was
when the same command is given again: the key is made from the file's content.

  --url <url>        the server                                   (http://127.0.0.1:3000)
  --key <key>        the Idempotency-Key                          (made from the content)
  --gzip             compresses a plain file on the way
  --report <file>    takes every refused row, a JSON line each    (the first 20 are shown)
  --help

HOLDFAST_API_KEY is sent as X-Api-Key; the key of the first start is in data/admin.key.
Exit codes: 0 every row is applied, 1 rows were refused or it did not finish, 2 wrong arguments.`;

export interface Options {
  readonly file: string;
  readonly mediaType: 'text/csv' | 'application/x-ndjson';
  /** The file is compressed as it is. */
  readonly isGzip: boolean;
  /** Compress it on the way. */
  readonly gzip: boolean;
  readonly url: string;
  /** Null: made from the content. */
  readonly key: string | null;
  readonly report: string | null;
}

const MEDIA_TYPES: Readonly<Record<string, Options['mediaType']>> = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  jsonl: 'application/x-ndjson',
};

/** @throws UsageError, and what node:util throws for unknown options */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:3000' },
      key: { type: 'string' },
      gzip: { type: 'boolean', default: false },
      report: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new UsageError('name one file');
  const [, ending = '', compressed] = /\.([a-z]+)(\.gz)?$/i.exec(file) ?? [];
  const mediaType = MEDIA_TYPES[ending.toLowerCase()];
  if (mediaType === undefined)
    throw new UsageError(`${file} ends in neither .csv, .ndjson nor .jsonl (with or without .gz)`);
  if (!/^https?:\/\//.test(values.url)) throw new UsageError(`--url takes an http address, not "${values.url}"`);
  if (values.key !== undefined && !/^[\x20-\x7e]{1,255}$/.test(values.key)) {
    throw new UsageError('--key takes 1 to 255 printable ASCII characters');
  }
  const isGzip = compressed !== undefined;
  if (isGzip && values.gzip) throw new UsageError('--gzip is for plain files; this one is compressed');
  const url = values.url.replace(/\/+$/, '');
  return { file, mediaType, isGzip, gzip: values.gzip, url, key: values.key ?? null, report: values.report ?? null };
}
