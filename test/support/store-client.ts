import type { OutgoingHttpHeaders } from 'node:http';
import { type Answer, type Api, RawBody } from './http.ts';
import { bodyOf } from './shop.ts';

export interface SentEvent {
  readonly id: string;
  readonly sequence: number;
  readonly type: unknown;
  readonly version: unknown;
  readonly occurredAt: unknown;
  readonly data: unknown;
}

export interface Pushed {
  readonly results: readonly {
    readonly id: string;
    readonly sequence: number;
    readonly outcome: string;
    readonly code?: string;
    readonly flags?: readonly string[];
  }[];
  readonly nextSequence: number;
  readonly missing: readonly (readonly [number, number])[];
}

export interface Reconciliation {
  readonly id: string;
  readonly applied: boolean;
  readonly differences: readonly {
    readonly sku: string;
    readonly store: number;
    readonly central: number;
    readonly difference: number;
    readonly movements: readonly { readonly type: string; readonly delta: number }[];
    readonly code?: string;
  }[];
  readonly differencesTotal: number;
  readonly drift: number;
}

let made = 0;

/** A store's agent as the centre sees it: it sends what it is told to. */
export class StoreClient {
  private constructor(
    private readonly api: Api,
    readonly locationId: string,
    readonly epoch: number,
    private readonly now: () => string,
  ) {}

  static async open(api: Api, locationId: string, now = () => new Date().toISOString()): Promise<StoreClient> {
    const opened = await api.post<{ epoch: number; nextSequence: number }>(`/v1/sync/stores/${locationId}/streams`);
    const { epoch } = bodyOf(opened, 201);
    return new StoreClient(api, locationId, epoch, now);
  }

  /** Goes on in an epoch that was opened before. */
  static resume(api: Api, locationId: string, epoch: number): StoreClient {
    return new StoreClient(api, locationId, epoch, () => new Date().toISOString());
  }

  /** An event under an id that no other has. */
  event(sequence: number, type: unknown, data: unknown): SentEvent {
    made += 1;
    return { id: `e-${process.pid}-${made}`, sequence, type, version: 1, occurredAt: this.now(), data };
  }

  /** Having seen all that the centre has changed so far. */
  async cursor(): Promise<string> {
    for (let after = '0'; ;) {
      const path = `/v1/sync/stores/${this.locationId}/changes?limit=1000&after=${after}`;
      const { changes, cursor } = bodyOf(await this.api.get<{ changes: unknown[]; cursor: string }>(path));
      if (changes.length === 0) return cursor;
      after = cursor;
    }
  }

  async push(events: readonly object[]): Promise<Pushed> {
    return bodyOf(await this.send({ epoch: this.epoch, events }));
  }

  async reconcile(
    place: { sequence: number; cursor: string },
    balances: readonly object[],
    apply = false,
  ): Promise<Reconciliation> {
    const lines = [{ epoch: this.epoch, ...place }, ...balances].map((line) => `${JSON.stringify(line)}\n`);
    return bodyOf(await this.tryReconcile(lines.join(''), apply));
  }

  tryReconcile(
    lines: string | Buffer,
    apply = false,
    headers: OutgoingHttpHeaders = {},
  ): Promise<Answer<Reconciliation>> {
    const path = `/v1/sync/stores/${this.locationId}/reconciliations?apply=${apply}`;
    return this.api.post<Reconciliation>(path, new RawBody(lines, 'application/x-ndjson'), { key: null, headers });
  }

  send(body: unknown, headers: OutgoingHttpHeaders = {}): Promise<Answer<Pushed>> {
    return this.api.post<Pushed>(`/v1/sync/stores/${this.locationId}/events`, body, { key: null, headers });
  }
}
