import { Injectable } from '@nestjs/common';
import { toIsoInstant } from '../../../shared/kernel/clock.ts';
import { Ids } from '../../../shared/kernel/ids.ts';
import { LineSplitter } from '../../../shared/rows/lines.ts';
import { AgentSettings } from '../agent-settings.ts';
import type { PushOutcome } from '../agent-metrics.ts';
import type { ChangeEvent } from '../domain/central-change.ts';
import type { SnapshotHold, SnapshotLine } from '../domain/shelf-item.ts';
import type { CentralStream } from '../domain/stream.ts';
import type { OutgoingEvent } from '../storage/till-event.repository.ts';
import { answerOf, CentreAway, CentreRefused, type Members, membersOf } from './centre-answer.ts';

/** What became of an event that was sent. */
export interface EventResult {
  readonly id: string;
  readonly outcome: PushOutcome;
  readonly code?: string | undefined;
}

export interface PushAnswer {
  readonly results: readonly EventResult[];
  readonly nextSequence: number;
  /** Numbers that the centre lacks although it has later ones; both ends belong to it. */
  readonly missing: readonly (readonly [from: number, to: number])[];
}

export interface FeedAnswer {
  readonly changes: readonly ChangeEvent[];
  readonly cursor: string;
}

/** `epoch` and `nextSequence` say what of this store's own is in it; null: the centre does not tell. */
export interface SnapshotHead {
  readonly cursor: string;
  readonly epoch: number | null;
  readonly nextSequence: number | null;
}

/** Longest line of a snapshot: an item with some ten thousand holds. */
const LINE_BYTES_MAX = 4 * 1024 * 1024;
/** The version of every type of event that is sent. */
const EVENT_VERSION = 1;

/** The centre, as far as a store talks to it (docs/sync-protocol.md). One call each, no retries: those are circuit.ts. */
@Injectable()
export class Centre {
  private readonly store: string;

  constructor(
    private readonly settings: AgentSettings,
    private readonly ids: Ids,
  ) {
    this.store = `${settings.centralUrl}/v1/sync/stores/${encodeURIComponent(settings.locationId)}`;
  }

  /** What the centre knows of this store's stream: nothing, too, when it does not know the location; opening one tells. */
  async stream(signal: AbortSignal): Promise<CentralStream> {
    const { epoch, nextSequence } = await this.ask('GET', '', signal).catch((error: unknown): Members => {
      if (error instanceof CentreRefused && error.status === 404) return {};
      throw error;
    });
    // Epochs count from 1.
    return typeof epoch === 'number' && epoch > 0
      ? { epoch, nextSequence: whole(nextSequence, 'nextSequence') }
      : { epoch: null, nextSequence: 1 };
  }

  /**
   * Opens a new epoch.
   * @param key the same for every attempt at one opening: a repeat is answered with the epoch of the first
   */
  async openStream(key: string, signal: AbortSignal): Promise<number> {
    const { epoch } = await this.ask('POST', '/streams', signal, '{}', { 'idempotency-key': key });
    return whole(epoch, 'epoch');
  }

  /** @param events JSON texts, as `eventText` writes them */
  async push(epoch: number, events: readonly string[], signal: AbortSignal): Promise<PushAnswer> {
    const body = `{"epoch":${epoch},"events":[${events.join(',')}]}`;
    const answer = await this.ask('POST', '/events', signal, body);
    return {
      nextSequence: whole(answer['nextSequence'], 'nextSequence'),
      results: list(answer['results'], 'results').map((result) => result as EventResult),
      missing: list(answer['missing'] ?? [], 'missing').map((range) => range as [number, number]),
    };
  }

  /** @param waitSeconds how long the centre may wait for a change */
  async changes(after: string, waitSeconds: number, signal: AbortSignal): Promise<FeedAnswer> {
    const answer = await this.ask(
      'GET',
      `/changes?after=${encodeURIComponent(after)}&waitSeconds=${waitSeconds}`,
      signal,
    );
    const { cursor } = answer;
    if (typeof cursor !== 'string') throw new CentreAway('The feed was answered without a cursor');
    return { cursor, changes: list(answer['changes'], 'changes').map((change) => change as ChangeEvent) };
  }

  /**
   * The whole stock of the store, read while it is sent. The first thing it gives is the head.
   * @param moved called with each piece that arrives
   * @throws CentreAway when it is cut before its end
   */
  async *snapshot(signal: AbortSignal, moved: () => void): AsyncGenerator<SnapshotHead | readonly SnapshotLine[]> {
    const response = await this.fetch('GET', '/snapshot', signal);
    if (!response.ok || response.body === null) await answerOf(response);
    const splitter = new LineSplitter(LINE_BYTES_MAX);
    let head: SnapshotHead | undefined;
    try {
      for await (const bytes of response.body ?? []) {
        moved();
        const lines = splitter.push(Buffer.from(bytes as Uint8Array)).map(toMembers);
        if (head === undefined && lines.length > 0) {
          head = toHead(lines.shift());
          yield head;
        }
        if (lines.length > 0) yield lines.map(toSnapshotLine);
      }
    } catch (error) {
      throw error instanceof CentreAway ? error : new CentreAway('The snapshot was cut', error);
    }
    const rest = splitter.end().map(toMembers);
    if (head === undefined) yield toHead(rest.shift());
    if (rest.length > 0) yield rest.map(toSnapshotLine);
  }

  private async ask(
    method: string,
    path: string,
    signal: AbortSignal,
    body?: string,
    headers: Record<string, string> = {},
  ): Promise<Members> {
    return answerOf(await this.fetch(method, path, signal, body, headers));
  }

  private async fetch(
    method: string,
    path: string,
    signal: AbortSignal,
    body?: string,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const all: Record<string, string> = { 'x-correlation-id': this.ids.next(), ...headers };
    if (body !== undefined) all['content-type'] = 'application/json';
    if (this.settings.apiKey !== null) all['x-api-key'] = this.settings.apiKey;
    try {
      return await fetch(`${this.store}${path}`, {
        method,
        signal,
        redirect: 'error',
        headers: all,
        ...(body === undefined ? {} : { body }),
      });
    } catch (error) {
      throw new CentreAway('The centre gave no answer', error);
    }
  }
}

/** An event as it is sent. */
export function eventText({ id, position, type, data, occurredAt }: OutgoingEvent, base: number): string {
  return JSON.stringify({
    id,
    sequence: position - base,
    type,
    version: EVENT_VERSION,
    occurredAt: toIsoInstant(occurredAt),
    data,
  });
}

function toMembers(line: unknown): Members {
  if (typeof line !== 'string') throw new CentreAway('A line of the snapshot cannot be read');
  const members = membersOf(line);
  // The status has gone out already when something goes wrong, so the last line tells.
  if ('error' in members) throw new CentreAway('The centre broke the snapshot off');
  return members;
}

function toHead(members: Members | undefined): SnapshotHead {
  const { cursor, epoch, nextSequence } = members ?? {};
  if (typeof cursor !== 'string') throw new CentreAway('The snapshot has no cursor');
  return {
    cursor,
    // 0: the centre does not know of any.
    epoch: typeof epoch === 'number' && epoch > 0 ? epoch : null,
    nextSequence: typeof nextSequence === 'number' && epoch !== 0 ? nextSequence : null,
  };
}

function toSnapshotLine(members: Members): SnapshotLine {
  const { sku, onHand, safetyStock, version } = members;
  if (typeof sku !== 'string') throw new CentreAway('An item of the snapshot has no sku');
  return {
    sku,
    onHand: whole(onHand, 'onHand'),
    safetyStock: whole(safetyStock ?? 0, 'safetyStock'),
    version: whole(version, 'version'),
    holds: list(members['holds'] ?? [], 'holds').map((hold) => toHold(hold as Members)),
  };
}

function toHold({ holdId, units, state, expiresAt }: Members): SnapshotHold {
  return {
    holdId: String(holdId),
    units: whole(units, 'units'),
    state: state === 'COMMITTED' ? 'COMMITTED' : 'HELD',
    expiresAt: typeof expiresAt === 'string' ? Date.parse(expiresAt) : null,
  };
}

function whole(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new CentreAway(`The centre answered without a whole number ${name}`);
}

function list(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new CentreAway(`The centre answered without a list ${name}`);
}

export { CentreAway, CentreRefused };
