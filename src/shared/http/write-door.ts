import { Injectable } from '@nestjs/common';
import { type Command, CommandBus } from '@nestjs/cqrs';
import { Clock } from '../kernel/clock.ts';
import { currentContext } from '../kernel/context.ts';
import type { EntityKey, Keyed } from '../kernel/entity-key.ts';
import type { Transaction } from '../persistence/transaction.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import { Settings } from '../settings.ts';
import { renderTag, type Tag } from './etag.ts';
import { type Exchange, JSON_TYPE } from './exchange.ts';
import { fingerprintOf, IdempotencyKeyReused, idempotencyKeyOf } from './idempotency-key.ts';
import { type IdempotencyKeyRow, idempotencyKeysTable, type StoredHeaders } from './idempotency-key.table.ts';

/** What a command's result looks like over HTTP. */
export interface Answer {
  /** 200..299; refusals are thrown. */
  readonly status: number;
  /** Becomes JSON once; a replay sends the same text. */
  readonly body: object;
  readonly etag?: Tag;
  /** The path of what was made. */
  readonly location?: string;
}

/** An answer in the form in which it is sent and stored. */
interface SealedAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: StoredHeaders;
}

const MS_PER_HOUR = 3_600_000;

/**
 * The way of every change from HTTP to the command that makes it. Under an Idempotency-Key the change and its answer are
 * one commit, so a key is known if and only if its change was made; a concurrent repeat waits for the same row.
 */
@Injectable()
export class WriteDoor {
  private readonly keyLifetimeMs: number;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commandBus: CommandBus,
    private readonly clock: Clock,
    settings: Settings,
  ) {
    this.keyLifetimeMs = settings.idempotencyKeyHours * MS_PER_HOUR;
  }

  /**
   * Runs the command, or finds its answer under the request's key, and prepares the reply.
   * @param toAnswer pure; runs inside the work, so it may run twice
   * @returns the JSON text that the handler has to return
   * @throws IdempotencyKeyReused, and whatever the command refuses with
   */
  async write<R>(exchange: Exchange, command: Command<R> & Keyed, toAnswer: (result: R) => Answer): Promise<string> {
    const key = idempotencyKeyOf(exchange.request);
    const { answer, replayed } =
      key === null
        ? { answer: seal(toAnswer(await this.commandBus.execute(command))), replayed: false }
        : await this.writeUnder(key, fingerprintOf(exchange.request), command, toAnswer);
    exchange.reply.code(answer.status).header('content-type', JSON_TYPE).headers(answer.headers);
    if (replayed) {
      exchange.reply.header('idempotency-replayed', 'true');
    }
    return answer.body;
  }

  /**
   * Notes that the request's key belongs to this route, for a request whose commands remember by themselves what they
   * have done under it (docs/decisions/0015). Another route then refuses the key, and this one a key of another; coming
   * again, with whatever body, is welcome and keeps the key for longer.
   * @returns the key
   * @throws IdempotencyKeyReused
   */
  async claim({ request }: Exchange): Promise<string> {
    const key = idempotencyKeyOf(request) ?? '';
    const fingerprint = fingerprintOf(request);
    const { clientId } = currentContext();
    const keys: EntityKey[] = [{ table: idempotencyKeysTable.name, values: [clientId, key] }];
    await this.unitOfWork.run({ keys, requestKey: `${clientId} ${key}` }, async (tx: Transaction) => {
      const at = this.clock.now();
      const stored = await tx.get(idempotencyKeysTable, clientId, key);
      const alive = stored !== undefined && at < stored.expiresAt ? stored : undefined;
      if (alive !== undefined && alive.fingerprint !== fingerprint) {
        throw new IdempotencyKeyReused();
      }
      await tx.put(idempotencyKeysTable, {
        clientId,
        key,
        fingerprint,
        // Never replayed: only this route has the fingerprint, and it looks for rows instead.
        status: 200,
        body: '',
        headers: {},
        createdAt: alive?.createdAt ?? at,
        expiresAt: at + this.keyLifetimeMs,
        version: (stored?.version ?? 0) + 1,
      });
    });
    return key;
  }

  private writeUnder<R>(
    key: string,
    fingerprint: string,
    command: Command<R> & Keyed,
    toAnswer: (result: R) => Answer,
  ): Promise<{ answer: SealedAnswer; replayed: boolean }> {
    const { clientId } = currentContext();
    const keys: EntityKey[] = [...command.keys, { table: idempotencyKeysTable.name, values: [clientId, key] }];
    return this.unitOfWork.run({ keys, requestKey: `${clientId} ${key}` }, async (tx: Transaction) => {
      const at = this.clock.now();
      const stored = await tx.get(idempotencyKeysTable, clientId, key);
      if (stored !== undefined && at < stored.expiresAt) {
        if (stored.fingerprint !== fingerprint) {
          throw new IdempotencyKeyReused();
        }
        return { answer: stored, replayed: true };
      }
      const answer = seal(toAnswer(await this.commandBus.execute(command)));
      const row: IdempotencyKeyRow = {
        clientId,
        key,
        fingerprint,
        ...answer,
        createdAt: at,
        expiresAt: at + this.keyLifetimeMs,
        version: (stored?.version ?? 0) + 1,
      };
      await tx.put(idempotencyKeysTable, row);
      return { answer, replayed: false };
    });
  }
}

function seal({ status, body, etag, location }: Answer): SealedAnswer {
  const bodyText = JSON.stringify(body);
  const headers: Record<string, string> = {};
  if (etag !== undefined) headers.etag = renderTag(etag, bodyText);
  if (location !== undefined) headers.location = location;
  return { status, body: bodyText, headers };
}
