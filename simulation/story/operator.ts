import { DiscardDeadLetter, ReplayDeadLetter } from '../../src/modules/sync/contract.ts';
import type { Chance } from '../chance.ts';
import type { DatabaseFile } from '../world/database.ts';
import { TENANT } from '../world/server.ts';
import type { Telling } from './telling.ts';

export interface Letter {
  readonly id: string;
  readonly eventId: string;
  readonly consumer: string;
  readonly locationId: string | null;
  readonly code: string;
  readonly status: string;
}

const LETTERS = `SELECT id AS "id", event_id AS "eventId", consumer AS "consumer", location_id AS "locationId",
    code AS "code", status AS "status" FROM dead_letters WHERE tenant_id = :tenant ORDER BY id`;

/** Nothing can be made of these but to give them up. */
const HOPELESS = new Set(['VALIDATION_FAILED', 'UNKNOWN_TYPE']);

/** Looks after dead letters. */
export class Operator {
  constructor(
    private readonly telling: Telling,
    private readonly database: DatabaseFile,
  ) {}

  get openLetters(): Letter[] {
    return this.database.rows<Letter>(TENANT, LETTERS).filter(({ status }) => status === 'DEAD');
  }

  async close(chance: Chance, which: number, how: 'replay' | 'discard'): Promise<void> {
    const letters = this.openLetters.filter(({ code }) => how === 'replay' || HOPELESS.has(code));
    const letter = letters[which % Math.max(1, letters.length)];
    if (letter === undefined) return;
    this.telling.coverage.count(`operator: ${how}`);
    await this.send(chance, letter, how);
  }

  /** @returns undefined when nobody answered */
  send(chance: Chance, { id, consumer, code }: Letter, how: 'replay' | 'discard'): Promise<unknown> {
    return this.telling.network.send(chance, async (server) => {
      const name = this.telling.nextName('operator');
      const command =
        how === 'replay' ? new ReplayDeadLetter(id) : new DiscardDeadLetter(id, 'Nothing can be made of it');
      const called = await server.command(name, command);
      this.telling.note(`${name} ${how} ${consumer} ${code} ${id} -> ${JSON.stringify(called)}`);
      return called;
    });
  }
}
