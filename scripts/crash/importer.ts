import type { Random } from '../random.ts';
import { Client } from './client.ts';
import { IMPORTED_SKUS, literal } from './shop.ts';
import type { Journal, Task } from './task.ts';
import type { Received } from './wire.ts';

interface ResultLine {
  readonly row?: number;
  readonly outcome?: 'applied' | 'duplicate' | 'refused';
  readonly summary?: object;
}

/** Rows of one piece of the server are 100: most imports are several commits. */
const ROWS_MAX = 700;

/** Imports movements. Each row names itself, so that it is found once in the ledger. */
export class Importer extends Client {
  /** What the rows that were done have named themselves. */
  readonly references = new Set<string>();
  private made = 0;

  constructor(
    private readonly name: string,
    private readonly random: Random,
    journal: Journal,
  ) {
    super(journal);
  }

  protected next(): Task {
    this.made += 1;
    const key = `i-${this.name}-${this.made}`;
    const references = Array.from({ length: this.random.whole(20, ROWS_MAX) }, (_, row) => `${key}-${row + 1}`);
    const rows = references.map((reference) => ({
      sku: this.random.pick(IMPORTED_SKUS),
      locationId: this.random.pick(['W1', 'W2']),
      type: this.random.pick(['RECEIPT', 'RETURN']),
      quantity: this.random.whole(1, 9),
      reference,
    }));
    return {
      kind: 'import',
      request: {
        method: 'POST',
        path: '/v1/stock/import',
        body: rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
        contentType: 'application/x-ndjson',
        key,
      },
      whole: rows.length,
      effects: async (snapshot) =>
        (await snapshot.rows(`SELECT reference FROM movements WHERE reference LIKE ${literal(`${key}-%`)}`)).length,
      brokeOff: ({ status, text }) => status === 200 && !text.includes('"summary"'),
      toldEffects: (partial) => told(partial, 'applied') + told(partial, 'duplicate'),
      learn: () => {
        references.forEach((reference) => this.references.add(reference));
      },
      answerIsKept: false,
      wrongRepeat: (before, again) => {
        const [applied, duplicate] = [told(again, 'applied'), told(again, 'duplicate')];
        const isRight = duplicate === before && applied === rows.length - before;
        return isRight
          ? []
          : [`had ${before} of ${rows.length} rows done, and now ${applied} are applied, ${duplicate} not`];
      },
    };
  }
}

/** Rows that an answer tells of, whole lines only. */
function told({ text }: Received, outcome: ResultLine['outcome']): number {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '' && (JSON.parse(line) as ResultLine).outcome === outcome).length;
}
