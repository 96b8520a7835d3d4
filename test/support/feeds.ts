import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { RunningApp } from './start-app.ts';
import { bodyOf, type StockItem } from './shop.ts';
import type { Api } from './http.ts';
import { eventually } from './eventually.ts';

/** A change as the feeds tell it, as far as the suites look at it. */
export interface Change {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly subjectversion: number;
  readonly locationid?: string;
  readonly origin?: string;
  readonly data: {
    readonly sku: string;
    readonly locationId?: string;
    readonly holdId?: string;
    readonly units?: number;
    readonly from?: 'HELD' | 'COMMITTED';
    readonly expiresAt?: string;
    readonly movementType?: string;
    readonly reference?: string | null;
    readonly delta?: number;
    readonly safetyStock?: number;
    readonly stock: {
      readonly onHand: number;
      readonly held: number;
      readonly committed: number;
      readonly incoming: number;
      readonly safetyStock: number;
    };
  };
}

export interface Changes {
  readonly changes: readonly Change[];
  readonly cursor: string;
}

export function changesPath(locationId: string, query: Readonly<Record<string, string | number>> = {}): string {
  const parameters = Object.entries(query).map(([name, value]) => `${name}=${value}`);
  return `/v1/sync/stores/${locationId}/changes?${parameters.join('&')}`;
}

export async function changesOf(
  api: Api,
  locationId: string,
  query: Readonly<Record<string, string | number>> = {},
): Promise<Changes> {
  return bodyOf(await api.get<Changes>(changesPath(locationId, query)));
}

/** Everything behind a cursor, answer after answer. */
export async function allChangesOf(api: Api, locationId: string, after?: string, limit = 1000): Promise<Changes> {
  const all: Change[] = [];
  for (let cursor = after; ;) {
    const answer = await changesOf(api, locationId, { ...(cursor === undefined ? {} : { after: cursor }), limit });
    all.push(...answer.changes);
    if (answer.changes.length === 0) return { changes: all, cursor: answer.cursor };
    ({ cursor } = answer);
  }
}

/** One event of a stream, or what stood between two of them. */
export interface SentEvent {
  readonly id: string | null;
  readonly data: string | null;
  readonly comment: string | null;
  readonly retry: string | null;
}

function parseBlock(block: string): SentEvent {
  const lines = block.split('\n');
  const valueOf = (name: string): string | null => {
    const found = lines.find((line) => line.startsWith(`${name}:`));
    return found === undefined ? null : found.slice(name.length + 1).trimStart();
  };
  return { id: valueOf('id'), data: valueOf('data'), comment: valueOf(''), retry: valueOf('retry') };
}

/** Reads a stream of Server-Sent Events as a browser does. */
export class EventStreamClient {
  /** Everything that has arrived. */
  readonly blocks: SentEvent[] = [];
  private rest = '';
  private isOver = false;

  private constructor(readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      const parts = (this.rest + chunk).split('\n\n');
      this.rest = parts.pop() ?? '';
      this.blocks.push(...parts.map(parseBlock));
    });
    response.once('close', () => {
      this.isOver = true;
    });
    response.on('error', () => undefined);
  }

  /** @throws Error with the answer when it is no stream of events */
  static open(
    { url }: Pick<RunningApp, 'url'>,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<EventStreamClient> {
    return new Promise((resolve, reject) => {
      const request = get(`${url}${path}`, { headers: { accept: 'text/event-stream', ...headers }, agent: false });
      request.once('error', reject);
      request.once('response', (response) => {
        if (response.statusCode === 200) resolve(new EventStreamClient(response));
        else reject(new Error(`Status ${response.statusCode}`));
      });
    });
  }

  /** Whether the server has ended it, or the connection broke. */
  get ended(): boolean {
    return this.isOver;
  }

  /** From where it would go on. */
  get lastId(): string | null {
    return this.blocks.findLast(({ id }) => id !== null)?.id ?? null;
  }

  get events(): { id: string | null; data: unknown }[] {
    return this.blocks.flatMap(({ id, data }) => (data === null ? [] : [{ id, data: JSON.parse(data) as unknown }]));
  }

  /** Waits for so many events with data. */
  has(count: number): Promise<true> {
    return eventually(`${count} events of the stream, which has ${this.events.length}`, () =>
      Promise.resolve(this.blocks.filter(({ data }) => data !== null).length >= count),
    );
  }

  /** Waits until it has begun, so that what happens from now on is told. */
  opened(): Promise<true> {
    return eventually('the stream to begin', () => Promise.resolve(this.blocks.length > 0));
  }

  close(): void {
    this.response.destroy();
  }
}

/** A reader that asks and takes nothing of the answer. @returns what is to be destroyed in the end */
export function neverRead({ url }: Pick<RunningApp, 'url'>, path: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).pause();
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return socket;
}

/** A line of a snapshot behind its first. */
export interface SnapshotItem extends StockItem {
  readonly holds: readonly {
    readonly holdId: string;
    readonly units: number;
    readonly state: 'HELD' | 'COMMITTED';
    readonly expiresAt: string | null;
  }[];
}

export interface Snapshot {
  readonly start: { readonly cursor: string; readonly epoch: number; readonly nextSequence: number };
  readonly items: readonly SnapshotItem[];
}

export async function snapshotOf(api: Api, locationId: string): Promise<Snapshot> {
  const { status, text } = await api.get(`/v1/sync/stores/${locationId}/snapshot`);
  if (status !== 200) throw new Error(`Status ${status}: ${text}`);
  const [start, ...items] = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
  return { start, items } as Snapshot;
}
