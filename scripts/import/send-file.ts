import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { attempt, type ResultLine, type Summary } from './attempt.ts';
import type { Options } from './options.ts';

/** Everything that a test replaces. */
export interface Parts {
  readonly wait: (ms: number) => Promise<void>;
  /** 0..1, for the jitter. */
  readonly random: () => number;
  readonly say: (line: string) => void;
  /** Follows the bytes of the file, 0..total; called again from 0 when an attempt begins anew. */
  readonly progress: (bytes: number, total: number) => void;
  /** Null: none. */
  readonly apiKey: string | null;
}

/** Attempts that answer no row in a row before it is given up: with the waits below about a minute. */
const FRUITLESS_ATTEMPTS_MAX = 10;
/** The first wait is at most this long; each next one may be twice as long, up to WAIT_MAX_MS. */
const WAIT_FIRST_MS = 250;
const WAIT_MAX_MS = 15_000;
/** Refused rows that are shown to a person; the report has them all. */
const SHOWN_REFUSALS_MAX = 20;

/**
 * Sends the file until every row has its answer: a cut import is sent again under the same key, and the server skips
 * what is done.
 * @returns true when every row is applied, now or before
 * @throws Error when the file cannot be read
 */
export async function sendFile(options: Options, parts: Parts): Promise<boolean> {
  const total = (await stat(options.file)).size;
  const key = options.key ?? (await keyOf(options.file));
  parts.say(`Key ${key}: the same command again goes on where this one ends`);
  for (let fruitless = 0, applied = 0; ;) {
    const rows = new RowReport(options.report);
    const outcome = await attempt(options, key, parts.apiKey, {
      sent: (bytes) => parts.progress(bytes, total),
      line: (line) => rows.take(line),
    });
    await rows.close();
    if (outcome.kind === 'whole') {
      rows.refusals.forEach(parts.say);
      parts.say(inWords(outcome.summary, applied));
      return outcome.summary.refused === 0;
    }
    applied += rows.applied;
    fruitless = rows.applied > 0 ? 0 : fruitless + 1;
    if (outcome.kind === 'refused' || fruitless === FRUITLESS_ATTEMPTS_MAX) {
      parts.say(`Given up after row ${rows.last}: ${outcome.why}`);
      return false;
    }
    parts.say(`Cut after row ${rows.last} (${outcome.why}); going on`);
    const most = Math.min(WAIT_FIRST_MS * 2 ** fruitless, WAIT_MAX_MS);
    await parts.wait(Math.max(outcome.retryAfterSeconds * 1000, parts.random() * most));
  }
}

/** @param earlier rows that attempts before this one have applied: for the last one they are duplicates */
function inWords({ rows, applied, duplicate, refused }: Summary, earlier: number): string {
  const now = applied + Math.min(earlier, duplicate);
  return `${rows} rows: ${now} applied, ${rows - now - refused} done before, ${refused} refused`;
}

/** The same content has the same key, whatever the file is called. */
async function keyOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return `import-${hash.digest('base64url')}`;
}

/** What one attempt said of its rows. */
class RowReport {
  applied = 0;
  last = 0;
  /** The first ones, for a person. */
  readonly refusals: string[] = [];
  private readonly file: WriteStream | null;

  constructor(path: string | null) {
    this.file = path === null ? null : createWriteStream(path);
  }

  take(line: ResultLine): void {
    const { row = 0, outcome, code = '', detail = '' } = line;
    this.last = row;
    if (outcome === 'applied') this.applied += 1;
    if (outcome !== 'refused') return;
    this.file?.write(`${JSON.stringify(line)}\n`);
    if (this.refusals.length < SHOWN_REFUSALS_MAX) this.refusals.push(`row ${row}: ${code}: ${detail}`);
  }

  close(): Promise<void> {
    const { file } = this;
    return file === null
      ? Promise.resolve()
      : new Promise((resolve, reject) => {
          file.on('error', reject);
          file.end(resolve);
        });
  }
}
