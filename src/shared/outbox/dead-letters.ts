import { Injectable } from '@nestjs/common';
import { decodeCursor, encodeCursor } from '../http/page-cursor.ts';
import { Clock } from '../kernel/clock.ts';
import type { EntityKey } from '../kernel/entity-key.ts';
import type { DeadLetterStatus } from '../kernel/dead-letter-status.ts';
import { Ids } from '../kernel/ids.ts';
import type { Page } from '../kernel/page.ts';
import { pageOf, Reader } from '../persistence/reader.ts';
import type { Transaction } from '../persistence/transaction.ts';
import { DeadLetterNotFound } from './dead-letter.errors.ts';
import { type DeadLetterRow, deadLettersTable } from './dead-letter.table.ts';
import type { Failure } from './failure.ts';

/** What is known of an event when it dies; what is left out is null. */
export interface NewDeadLetter extends Pick<DeadLetterRow, 'eventId' | 'consumer' | 'type' | 'data' | 'origin'> {
  readonly locationId?: string | null;
  readonly orderId?: string | null;
  readonly sequence?: number | null;
  readonly waitsFor?: string | null;
  readonly failure: Failure;
  /** Default 1. */
  readonly attempts?: number;
}

export function deadLetterKey(id: string): EntityKey {
  return { table: deadLettersTable.name, values: [id] };
}

/** The open letters about an event of a consumer. */
export function openLettersKey(consumer: string, eventId: string): EntityKey {
  return { table: deadLettersTable.name, group: 'openOfEvent', values: [consumer, eventId] };
}

/** The one store of dead letters, whatever could not process them: reactions, store events, order events. */
@Injectable()
export class DeadLetters {
  constructor(
    private readonly reader: Reader,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  bury(tx: Transaction, { failure, attempts = 1, ...letter }: NewDeadLetter): DeadLetterRow {
    const row: DeadLetterRow = {
      locationId: null,
      orderId: null,
      sequence: null,
      waitsFor: null,
      ...letter,
      ...failure,
      id: this.ids.next(),
      attempts,
      status: 'DEAD',
      reason: null,
      createdAt: this.clock.now(),
      closedAt: null,
      version: 1,
    };
    tx.insert(deadLettersTable, row);
    return row;
  }

  /** @throws DeadLetterNotFound */
  async get(tx: Transaction, id: string): Promise<DeadLetterRow> {
    return (await tx.get(deadLettersTable, id)) ?? notFound(id);
  }

  /** Letters about this event that are still DEAD, oldest first; usually none or one. */
  async openOf(tx: Transaction, consumer: string, eventId: string): Promise<DeadLetterRow[]> {
    const letters = await tx.group(deadLettersTable, 'openOfEvent', consumer, eventId);
    return letters.filter(({ status }) => status === 'DEAD').sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Letters that are DEAD for want of this, oldest first. @param limit most of them, from 1 @param after only those behind this one */
  async waitingFor(
    tx: Transaction,
    waitsFor: string,
    limit: number,
    after: string | null = null,
  ): Promise<DeadLetterRow[]> {
    const found = await tx.select<{ id: string }>(WAITING, { waitsFor, limit, after: after ?? '' });
    await tx.load(found.map(({ id }) => deadLetterKey(id)));
    return found
      .map(({ id }) => tx.loaded(deadLettersTable, id))
      .filter((letter): letter is DeadLetterRow => letter?.status === 'DEAD');
  }

  /** One more attempt has failed, perhaps for another reason. */
  failedAgain(tx: Transaction, letter: DeadLetterRow, failure: Failure): DeadLetterRow {
    return this.replace(tx, letter, { ...failure, attempts: letter.attempts + 1 });
  }

  /** Does nothing to a letter that is closed already. */
  close(
    tx: Transaction,
    letter: DeadLetterRow,
    status: Exclude<DeadLetterStatus, 'DEAD'>,
    reason: string | null = null,
  ): DeadLetterRow {
    return letter.status === 'DEAD' ? this.replace(tx, letter, { status, reason, closedAt: this.clock.now() }) : letter;
  }

  /** As it is committed. @throws DeadLetterNotFound */
  async find(id: string): Promise<DeadLetterRow> {
    const letter = await this.reader.one(
      this.reader.rows(deadLettersTable, 'letter').andWhere('letter.id = :id', { id }),
    );
    return letter ?? notFound(id);
  }

  /** A page of what is committed, oldest first. */
  async list(status: DeadLetterStatus, limit: number, cursor: string | null): Promise<Page<DeadLetterRow>> {
    const filter = { status };
    const rows = this.reader
      .rows(deadLettersTable, 'letter')
      .andWhere('letter.status = :status', filter)
      .orderBy('letter.id')
      .limit(limit + 1);
    if (cursor !== null) {
      const [after] = decodeCursor(cursor, 'dead-letters', filter);
      rows.andWhere('letter.id > :after', { after });
    }
    return pageOf(await this.reader.many(rows), limit, ({ id }) => encodeCursor('dead-letters', filter, [id]));
  }

  /** How many letters of a consumer are DEAD, by location; a location without any is left out. */
  async openByLocation(consumer: string, locationIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (locationIds.length === 0) return new Map();
    const names = locationIds.map((_, index) => `:location${index}`).join(', ');
    const parameters = Object.fromEntries(locationIds.map((id, index) => [`location${index}`, id]));
    const rows = await this.reader.select<{ locationId: string; letters: number | string }>(
      `${OPEN_BY_LOCATION} AND tenant_id = :tenant AND location_id IN (${names}) GROUP BY location_id`,
      { ...parameters, consumer },
    );
    return new Map(rows.map(({ locationId, letters }) => [locationId, Number(letters)]));
  }

  /** The same for all locations of all tenants, for what an operator watches. */
  async openOfAllLocations(consumer: string): Promise<(readonly [locationId: string, letters: number])[]> {
    const rows = await this.reader.selectAcrossTenants<{ locationId: string | null; letters: number | string }>(
      `${OPEN_BY_LOCATION} GROUP BY location_id`,
      { consumer },
    );
    return rows.flatMap(({ locationId, letters }) =>
      locationId === null ? [] : [[locationId, Number(letters)] as const],
    );
  }

  private replace(tx: Transaction, letter: DeadLetterRow, next: Partial<DeadLetterRow>): DeadLetterRow {
    const row = { ...letter, ...next, version: letter.version + 1 };
    tx.replace(deadLettersTable, row);
    return row;
  }
}

const OPEN_BY_LOCATION = `SELECT location_id AS "locationId", COUNT(*) AS "letters" FROM dead_letters
  WHERE status = 'DEAD' AND consumer = :consumer`;

const WAITING = `SELECT id AS "id" FROM dead_letters
  WHERE tenant_id = :tenant AND status = 'DEAD' AND waits_for = :waitsFor AND id > :after
  ORDER BY id LIMIT :limit`;

function notFound(id: string): never {
  throw new DeadLetterNotFound(id);
}
