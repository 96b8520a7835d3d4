import {
  EndParkedEvents,
  type IncomingEvent,
  OpenStoreStream,
  type PushedEvents,
  PushStoreEvents,
} from '../../src/modules/sync/contract.ts';
import { toIncomingEvent } from '../../src/modules/sync/incoming-event.ts';
import { toIsoInstant } from '../../src/shared/kernel/clock.ts';
import type { Chance } from '../chance.ts';
import type { Coverage } from '../coverage.ts';
import type { Network } from './network.ts';
import type { Deed, Recorded } from './story.ts';
import type { Telling } from './telling.ts';

/** What a store has recorded, in its order. It never changes. */
export interface TillEvent {
  readonly id: string;
  readonly type: string;
  readonly occurredAt: string;
  readonly data: Readonly<Record<string, unknown>>;
}

type How = Extract<Deed, { deed: 'store pushes' }>['how'];

/** Events of one call. */
const PUSHED_MAX = 6;

/** A store with an agent that tells the centre what happened at its tills, over a bad network. */
export class Store {
  readonly events: TillEvent[] = [];
  /** What was told under a number of an epoch, by `epoch sequence`. */
  readonly told = new Map<string, TillEvent>();
  /** Of the newest epoch that it was given; 0: none yet. */
  private epoch = 0;
  /** It was told that there is a newer one. */
  private isOutdated = false;
  /** Events before it were acknowledged in earlier epochs; number 1 of this epoch is the one behind them. */
  private base = 0;
  private acknowledged = 0;
  private cursor = 0;

  constructor(
    readonly locationId: string,
    private readonly telling: Telling,
    private readonly network: Network,
    private readonly coverage: Coverage,
  ) {}

  get isUpToDate(): boolean {
    return this.acknowledged === this.events.length;
  }

  record(what: Recorded): void {
    this.coverage.count(`store recorded: ${what.type}`);
    const id = `${this.locationId}-${this.events.length + 1}`;
    this.events.push({ id, ...this.contentOf(what), occurredAt: toIsoInstant(this.telling.now) });
    this.telling.note(`${this.locationId} records ${JSON.stringify(this.events.at(-1))}`);
  }

  /** From now on its counts know what the centre has changed up to here. */
  follow(): void {
    this.cursor = this.telling.head;
  }

  async beginEpoch(chance: Chance): Promise<void> {
    const before = Math.max(0, this.acknowledged - (chance.happens(0.5) ? chance.whole(0, 3) : 0));
    const opened = await this.network.send(chance, (server) =>
      server.command(this.telling.nextName('open'), new OpenStoreStream(this.locationId)),
    );
    if (opened?.kind !== 'answer' || opened.answer.epoch <= this.epoch) return;
    this.coverage.count('store began an epoch');
    this.epoch = opened.answer.epoch;
    this.isOutdated = false;
    this.base = before;
    this.acknowledged = before;
    await this.network.send(chance, (server) =>
      server.command(this.telling.nextName('end'), new EndParkedEvents(this.locationId)),
    );
  }

  async push(chance: Chance, how: How): Promise<void> {
    if (this.epoch === 0 || this.isOutdated) await this.beginEpoch(chance);
    const { epoch } = this;
    if (epoch === 0) return;
    if (how === 'as an older agent') {
      await this.pushOutdated(chance);
      return;
    }
    const last = how === 'all of it' ? this.events.length : this.acknowledged + PUSHED_MAX;
    const pending = this.numbered(this.acknowledged, Math.min(last, this.events.length));
    const skipped = how === 'disorder' ? chance.whole(1, 3) : 0;
    const events = pending.slice(skipped);
    if (how === 'contradiction') events.push(...this.contradictions(chance));
    await this.tell(chance, epoch, events);
    if (how === 'disorder' && chance.happens(0.5)) {
      await this.tell(chance, epoch, pending.slice(0, skipped));
    }
  }

  private async tell(chance: Chance, epoch: number, events: readonly IncomingEvent[]): Promise<void> {
    if (events.length === 0) return;
    const pushed = await this.network.send(chance, async (server) => {
      const name = this.telling.nextName('push');
      const called = await server.command(name, new PushStoreEvents(this.locationId, epoch, events));
      const said = called.kind === 'answer' ? called.answer : called.kind === 'refusal' ? called.error.code : 'lost';
      const numbers = events.map(({ id, sequence }) => `${id}#${sequence}`).join();
      this.telling.note(`${name} ${this.locationId} epoch ${epoch}: ${numbers} -> ${JSON.stringify(said)}`);
      if (called.kind === 'refusal') this.coverage.count(`push refused: ${called.error.code}`);
      return called;
    });
    if (epoch !== this.epoch) return;
    if (pushed?.kind === 'refusal' && pushed.error.code === 'STALE_EPOCH') this.isOutdated = true;
    if (pushed?.kind !== 'answer') return;
    this.note(pushed.answer);
  }

  private note({ results, nextSequence }: PushedEvents): void {
    this.acknowledged = Math.max(this.acknowledged, Math.min(this.base + nextSequence - 1, this.events.length));
    for (const { outcome, code } of results) this.coverage.count(`pushed: ${code ?? outcome}`);
  }

  /** @param from number of the first event, counted from 0 */
  private numbered(from: number, to: number): IncomingEvent[] {
    return this.events.slice(from, to).map((event, index) => {
      const sequence = from + index + 1 - this.base;
      this.told.set(`${this.epoch} ${sequence}`, event);
      return incoming(event, sequence);
    });
  }

  /** An event under its id, and another one under its number, that say what they did not say before. */
  private contradictions(chance: Chance): IncomingEvent[] {
    const known = this.events.slice(this.base, this.acknowledged);
    if (known.length === 0) return [];
    const index = chance.whole(0, known.length - 1);
    const event = known[index];
    if (event === undefined) return [];
    const changed = { ...event, type: 'receipt', data: { sku: 'A', quantity: 77 } };
    const renamed = { ...changed, id: `${event.id}-renamed` };
    return [changed, renamed].map((one) => incoming(one, index + 1));
  }

  /** A copy of the agent that does not know that it was replaced. */
  private pushOutdated(chance: Chance): Promise<void> {
    if (this.epoch === 1) return Promise.resolve();
    const event = { id: `${this.locationId}-ghost`, type: 'receipt', data: { sku: 'A', quantity: 88 } };
    return this.tell(chance, this.epoch - 1, [
      incoming({ ...event, occurredAt: toIsoInstant(this.telling.now) }, 9_999),
    ]);
  }

  private contentOf(what: Recorded): Pick<TillEvent, 'type' | 'data'> {
    switch (what.type) {
      case 'count': {
        const { type, sku, counted } = what;
        return { type, data: { sku, counted, cursor: String(this.cursor) } };
      }
      case 'pickup':
        return {
          type: what.type,
          data: { reservationId: this.telling.reservationToPickUp(what.reservation, this.locationId) },
        };
      case 'nonsense':
        return { type: 'sale', data: { sku: 'A', quantity: 'many' } };
      case 'sale':
      case 'return':
      case 'receipt':
      case 'write-off':
      case 'adjustment': {
        const { type, ...data } = what;
        return { type, data };
      }
    }
  }
}

function incoming({ id, type, occurredAt, data }: TillEvent, sequence: number): IncomingEvent {
  return toIncomingEvent({ id, sequence, type, version: 1, occurredAt, data });
}
