import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from '@nestjs/cqrs';
import * as inventory from '../../src/modules/inventory/contract.ts';
import * as reservation from '../../src/modules/reservation/contract.ts';
import * as sync from '../../src/modules/sync/contract.ts';
import * as access from '../../src/shared/access/contract.ts';
import { counts, LONG } from '../support/counts.ts';
import { describeOnBothEngines, type Engine } from '../support/services.ts';
import { raced, type StatementFault, unusable, wrong } from '../support/statement-faults.ts';
import { ACCESS_CASES } from './sweep/access-cases.ts';
import { PURGE_CASES, RESERVATION_CASES } from './sweep/reservation-cases.ts';
import { STOCK_CASES } from './sweep/stock-cases.ts';
import { type Outcome, Sweep, type Undisturbed } from './sweep/sweep.ts';
import { SYNC_CASES } from './sweep/sync-cases.ts';
import type { UseCases } from './sweep/use-case.ts';

const CASES: UseCases = { ...STOCK_CASES, ...RESERVATION_CASES, ...SYNC_CASES, ...ACCESS_CASES, ...PURGE_CASES };
/** Far more statements than the longest use case has. */
const STATEMENTS_MAX = 2_000;
/** Places of the short run in a use case, for each kind of fault; the first has more. */
const PLACES = counts(1, STATEMENTS_MAX);

interface Kind {
  readonly name: string;
  readonly fault: (engine: Engine) => Omit<StatementFault, 'from'>;
  /** What may be answered besides a success. */
  readonly codes: readonly string[];
  /** Whether only COMMITs are struck. */
  readonly atCommit?: boolean;
}

const PUT_OFF = ['503 UNAVAILABLE', '503 BUSY', 'UNAVAILABLE', 'BUSY'];

const KINDS: readonly Kind[] = [
  {
    name: 'once, because the database cannot be used',
    fault: (engine) => ({ count: 1, answerLost: false, error: () => unusable(engine) }),
    codes: PUT_OFF,
  },
  {
    name: 'with all that follow, because the database cannot be used',
    fault: (engine) => ({ count: Infinity, answerLost: false, error: () => unusable(engine) }),
    codes: PUT_OFF,
  },
  {
    name: 'once, because it is wrong in itself',
    fault: () => ({ count: 1, answerLost: false, error: wrong }),
    codes: ['500 INTERNAL', 'INTERNAL', 'planted'],
  },
  {
    name: 'once, because another writer was faster',
    fault: (engine) => ({ count: 1, answerLost: false, error: () => raced(engine) }),
    codes: PUT_OFF,
  },
  {
    name: 'once, when it is a COMMIT that is not carried out',
    fault: (engine) => ({ count: 1, answerLost: false, error: () => unusable(engine) }),
    codes: PUT_OFF,
    atCommit: true,
  },
  {
    name: 'once, when it is a COMMIT whose answer alone is lost',
    fault: (engine) => ({ count: 1, answerLost: true, error: () => unusable(engine) }),
    codes: PUT_OFF,
    atCommit: true,
  },
];

/** Numbers of the statements that are struck; the short run takes some, other ones in each use case. */
function placesOf({ name, atCommit = false }: Kind, { statements }: Undisturbed, index: number): number[] {
  const all = statements.flatMap((sql, at) => (!atCommit || sql === 'COMMIT' ? [at + 1] : []));
  const places = name.startsWith('once, because the database') ? 2 * PLACES : PLACES;
  if (LONG || all.length <= places) return all;
  const first = (index * 7 + name.length) % all.length;
  const step = Math.floor(all.length / places);
  return Array.from({ length: places }, (_, at) => all[(first + at * step) % all.length] ?? 1);
}

/** The short run strikes each use case in every way on SQLite; on PostgreSQL in every second way, the next one in the others. */
function kindsFor(engine: Engine, index: number): readonly Kind[] {
  return LONG || engine === 'sqlite' ? KINDS : KINDS.filter((_, at) => at % 2 === index % 2);
}

/** Whatever a COMMIT fails with, nobody knows what became of it. */
function isAllowed(outcome: Outcome, { codes }: Kind, statement: string): boolean {
  if (outcome.kind === 'done') return true;
  return (statement === 'COMMIT' ? [...codes, ...PUT_OFF] : codes).includes(outcome.code);
}

describeOnBothEngines('A use case whose N-th statement fails', (engine) => {
  let sweep: Sweep;

  beforeAll(async () => {
    sweep = await Sweep.open(engine);
  });

  afterAll(() => sweep.close());

  describe.each(Object.entries(CASES).map(([name, useCase], index) => ({ name, useCase, index })))(
    '$name',
    ({ useCase, index }) => {
      it('is answered clearly, breaks no rule, and has its effect once when it is repeated', async () => {
        const undisturbed = await sweep.undisturbed(useCase);
        expect(undisturbed.statements.length).toBeGreaterThan(0);
        const found: string[] = [];
        for (const kind of kindsFor(engine, index)) {
          for (const from of placesOf(kind, undisturbed, index)) {
            const {
              at: statement,
              outcome,
              wrong: faults,
            } = await sweep.disturbed(useCase, undisturbed, {
              ...kind.fault(engine),
              from,
            });
            const at = `${kind.name}, statement ${from} (${statement.slice(0, 60)})`;
            if (!isAllowed(outcome, kind, statement))
              faults.push(`is answered ${outcome.kind === 'failed' ? outcome.code : ''}`);
            found.push(...faults.map((what) => `${at}: ${what}`));
          }
        }
        expect(found).toEqual([]);
      });
    },
  );

  it('is every command that a contract has', () => {
    const all = [inventory, reservation, sync, access].flatMap((contract) =>
      Object.values(contract as Record<string, unknown>)
        .filter(isCommand)
        .map(({ name }) => name),
    );
    expect(all.length).toBeGreaterThan(40);
    // Sent by a GET, the export, which streams what it reads: test/flow/access/tenant-data.spec.ts.
    expect(all.filter((name) => !sweep.commands.has(name))).toEqual(['NoteExport']);
  });
});

function isCommand(exported: unknown): exported is { readonly name: string } {
  return typeof exported === 'function' && exported.prototype instanceof Command;
}

describe('The sweep over statements that fail', () => {
  it('has every operation of the OpenAPI document that changes something', () => {
    const document = JSON.parse(readFileSync(join(__dirname, '..', '..', 'docs', 'openapi.json'), 'utf8')) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => ['post', 'put', 'delete', 'patch'].includes(method))
        .map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(operations.length).toBeGreaterThan(20);
    const swept = new Set(Object.keys(CASES).map((name) => name.split(',')[0]));
    expect(operations.filter((operation) => !swept.has(operation))).toEqual([]);
  });
});
