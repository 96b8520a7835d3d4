import type { Answer, ApiClient } from '../replay/api-client.ts';
import { textTable } from '../replay/text-table.ts';
import type { Options } from './options.ts';

/** The part of a dead letter that the lines show. */
interface DeadLetter {
  readonly id: string;
  readonly createdAt: string;
  readonly consumer: string;
  readonly locationId: string | null;
  readonly orderId: string | null;
  readonly sequence: number | null;
  readonly type: string | null;
  readonly code: string;
  readonly detail: string;
  readonly attempts: number;
  readonly status: string;
}

interface Page {
  readonly items: readonly DeadLetter[];
  readonly nextCursor: string | null;
}

interface Rehearsal {
  readonly before: unknown;
  readonly after: unknown;
  readonly failure: { readonly code: string; readonly detail: string } | null;
}

const PATH = '/v1/dead-letters';

/** The server said no, or nothing. */
export class CallFailed extends Error {}

/**
 * Does what the options say.
 * @returns whether everything went well: false when a replay failed, or would fail
 * @throws CallFailed
 */
export async function runDeadLetters(
  options: Options,
  client: ApiClient,
  print: (text: string) => void,
): Promise<boolean> {
  switch (options.verb) {
    case 'list':
      print(tableOf(await listAll(client, options.status)));
      return true;
    case 'discard': {
      const path = `${PATH}/${encodeURIComponent(options.id ?? '')}/discard`;
      const body = { reason: options.reason };
      const letter = bodyOf(await client.send({ method: 'POST', path, body })) as DeadLetter;
      print(lineOf(letter));
      return letter.status === 'DISCARDED';
    }
    case 'replay':
      return replayAll(options, client, print);
  }
}

async function replayAll(options: Options, client: ApiClient, print: (text: string) => void): Promise<boolean> {
  const ids = options.id === null ? (await listAll(client, 'DEAD')).map(({ id }) => id) : [options.id];
  let allWell = true;
  for (const id of ids) {
    const path = `${PATH}/${encodeURIComponent(id)}/replay`;
    if (options.dryRun) {
      const rehearsal = bodyOf(await client.send({ method: 'POST', path: `${path}?dryRun=true` })) as Rehearsal;
      print(JSON.stringify({ id, ...rehearsal }, null, 2));
      allWell &&= rehearsal.failure === null;
    } else {
      const letter = bodyOf(await client.send({ method: 'POST', path })) as DeadLetter;
      print(lineOf(letter));
      allWell &&= letter.status === 'REPLAYED';
    }
  }
  if (ids.length === 0) print('No event waits.');
  return allWell;
}

async function listAll(client: ApiClient, status: string): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const page = bodyOf(
      await client.send({ method: 'GET', path: `${PATH}?status=${status}&limit=200${more}` }),
    ) as Page;
    letters.push(...page.items);
    cursor = page.nextCursor;
  }
  return letters;
}

function bodyOf(answer: Answer): unknown {
  if (!answer.ok) throw new CallFailed(`${answer.code} (${answer.status}): ${answer.detail}`);
  return answer.body;
}

const HEADER = ['id', 'died', 'consumer', 'about', 'type', 'attempts', 'status', 'code: detail'];

function tableOf(letters: readonly DeadLetter[]): string {
  if (letters.length === 0) return 'None.';
  return textTable(HEADER, letters.map(cellsOf));
}

function lineOf(letter: DeadLetter): string {
  return cellsOf(letter).join('  ');
}

function cellsOf(letter: DeadLetter): string[] {
  const { id, createdAt, consumer, locationId, orderId, sequence, type, attempts, status, code, detail } = letter;
  const about = [orderId, locationId, sequence === null ? null : `#${sequence}`].filter((part) => part !== null);
  return [id, createdAt, consumer, about.join(' '), type ?? '-', String(attempts), status, `${code}: ${detail}`];
}
