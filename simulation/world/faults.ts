import { StaleVersion } from '../../src/shared/persistence/engine/engine.ts';
import type { Chance } from '../chance.ts';
import type { Coverage } from '../coverage.ts';

/** What can go wrong at a statement, by its name in the report. */
export const STATEMENT_FAULTS = [
  'database locked at begin',
  'database locked at commit',
  'disk full',
  'statement wrong',
  'rows stale',
  'commit lost',
  'answer of commit lost',
  'consumer has its turn elsewhere',
  'server killed',
  'server killed after commit',
] as const;
export type StatementFault = (typeof STATEMENT_FAULTS)[number];

/** Where a transaction is. */
export type Statement = 'begin' | 'read' | 'lock' | 'write' | 'events' | 'commit' | 'committed';

const WHERE: Readonly<Record<StatementFault, readonly Statement[]>> = {
  'database locked at begin': ['begin'],
  'database locked at commit': ['commit'],
  'disk full': ['begin', 'read', 'lock', 'write', 'events', 'commit'],
  'statement wrong': ['read', 'write', 'events'],
  'rows stale': ['write', 'events'],
  'commit lost': ['commit'],
  'answer of commit lost': ['committed'],
  'consumer has its turn elsewhere': ['lock'],
  'server killed': ['begin', 'read', 'lock', 'write', 'events', 'commit'],
  'server killed after commit': ['committed'],
};

/** How often each strikes where it can, from 0 to 1. */
export type FaultShares = Readonly<Record<StatementFault, number>>;

export const NO_FAULTS: FaultShares = Object.fromEntries(STATEMENT_FAULTS.map((fault) => [fault, 0])) as FaultShares;

/** A statement that is wrong in itself, whatever the database. */
export class WrongStatement extends Error {}

/** As if another server had been faster. */
export class SimulatedStale extends StaleVersion {}

/** Decides for each statement whether something goes wrong with it. */
export class Faults {
  shares: FaultShares = NO_FAULTS;
  chance: Chance;
  private killsLeft = 0;

  constructor(
    chance: Chance,
    private readonly coverage: Coverage,
  ) {
    this.chance = chance;
  }

  /** For one step. @param kills most servers that may be killed in it */
  strike(shares: FaultShares, chance: Chance, kills: number): void {
    this.shares = shares;
    this.chance = chance;
    this.killsLeft = kills;
  }

  rest(): void {
    this.shares = NO_FAULTS;
  }

  /** What nobody has planned. */
  met(name: string): void {
    this.coverage.count(name);
  }

  at(statement: Statement): StatementFault | undefined {
    for (const fault of STATEMENT_FAULTS) {
      const share = this.shares[fault];
      if (share === 0 || !WHERE[fault].includes(statement) || !this.chance.happens(share)) continue;
      if (fault.startsWith('server killed')) {
        if (this.killsLeft === 0) continue;
        this.killsLeft -= 1;
      }
      this.coverage.count(`fault: ${fault}`);
      return fault;
    }
    return undefined;
  }
}

/** What the database says of it. */
export function errorOf(fault: StatementFault): Error {
  switch (fault) {
    case 'database locked at begin':
    case 'database locked at commit':
      return sqliteError('SQLITE_BUSY');
    case 'disk full':
      return sqliteError('SQLITE_FULL');
    case 'rows stale':
      return new SimulatedStale('some table', 1, 0);
    case 'commit lost':
    case 'answer of commit lost':
      return sqliteError('SQLITE_IOERR');
    case 'statement wrong':
    case 'consumer has its turn elsewhere':
    case 'server killed':
    case 'server killed after commit':
      return new WrongStatement(fault);
  }
}

function sqliteError(code: string): Error {
  return Object.assign(new Error(`Simulated: ${code}`), { code });
}
