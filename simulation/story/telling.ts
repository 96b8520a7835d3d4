import { createHash } from 'node:crypto';
import type { Instant } from '../../src/shared/kernel/clock.ts';
import { toIsoInstant } from '../../src/shared/kernel/clock.ts';
import type { StoredEvent } from '../../src/shared/outbox/stored-event.ts';
import { Chance } from '../chance.ts';
import { Coverage } from '../coverage.ts';
import { LOCATIONS, SKUS } from '../model/asks.ts';
import type { Request } from '../model/requests.ts';
import type { World } from '../model/world.ts';
import type { DatabaseFolder } from '../world/database.ts';
import type { Handling } from '../world/notes.ts';
import { checkNotes } from './check-notes.ts';
import { checkStores } from './check-stores.ts';
import { Clients } from './clients.ts';
import { converge } from './converge.ts';
import { Network } from './network.ts';
import { Operator } from './operator.ts';
import { OutsideShop } from './outside-shop.ts';
import { aboutReservation } from './draw-ask.ts';
import { readReservation, readSomething } from './read.ts';
import { Record } from './record.ts';
import { Stage } from './stage.ts';
import { Store } from './stores.ts';
import type { Deed, Step, Story } from './story.ts';

/** Steps between two audits of everything; what a step has changed is looked at after each. */
const STEPS_PER_AUDIT = 8;
/** Of the messages that are held up, how many arrive in a step. */
const ARRIVALS = 0.4;

/** How a story ended. */
export interface Told {
  readonly transcript: readonly string[];
  /** Of what was done and of all that is stored in the end: the same for the same story. */
  readonly hash: string;
  readonly coverage: Coverage;
  /** What broke; null: nothing did. */
  readonly failure: Error | null;
}

/** Lives a story: once in the servers, once in the model. */
export async function tell(story: Story, folder: DatabaseFolder): Promise<Told> {
  const database = folder.fresh();
  const coverage = new Coverage();
  const telling = new Telling(story, database, coverage);
  let failure: Error | null = null;
  try {
    await telling.play();
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  } finally {
    telling.stage.close();
  }
  const hash = createHash('sha256');
  telling.transcript.forEach((line) => hash.update(line));
  for (const table of database.contents()) hash.update(table);
  database.remove();
  return { transcript: telling.transcript, hash: hash.digest('hex'), coverage, failure };
}

export class Telling {
  readonly transcript: string[] = [];
  readonly stage: Stage;
  readonly record: Record;
  readonly network: Network;
  readonly clients: Clients;
  readonly stores: readonly Store[];
  readonly shop: OutsideShop;
  readonly operator: Operator;
  /** Nothing goes wrong any more. */
  isCalm = false;
  private names = 0;
  private readonly handled = new Map<string, number>();

  constructor(
    private readonly story: Story,
    database: ConstructorParameters<typeof Stage>[0],
    readonly coverage: Coverage,
  ) {
    const { climate, seed } = story;
    const chance = new Chance(seed ^ 0x5eed);
    this.stage = new Stage(database, climate, chance.seed(), coverage, (event) => this.handlingOf(event));
    this.record = new Record(database, climate.isolation);
    this.network = new Network(this.stage, climate.network, coverage);
    this.clients = new Clients(this, this.network, coverage);
    this.stores = LOCATIONS.slice(0, 2).map((id) => new Store(id, this, this.network, coverage));
    this.shop = new OutsideShop(chance.seed(), this, this.network, coverage);
    this.operator = new Operator(this, database);
  }

  get now(): Instant {
    return this.stage.time.now();
  }

  get head(): number {
    return this.record.head;
  }

  get database(): DatabaseFileOfStage {
    return this.stage.database;
  }

  note(line: string): void {
    this.transcript.push(line);
  }

  nextName(kind: string): string {
    this.names += 1;
    return `${kind}-${this.names}`;
  }

  async play(): Promise<void> {
    await this.stage.open();
    await this.open();
    for (const [index, step] of this.story.steps.entries()) {
      this.note(`-- step ${index + 1}: ${step.step}`);
      await this.goOn(step);
      if (index % STEPS_PER_AUDIT === 0) await this.record.audit();
    }
    this.note('-- faults end');
    await converge(this, new Chance(this.story.seed ^ 0xca1f));
  }

  /** What nobody disturbs: done one after the other, and explained. */
  async calmly(chance: Chance, requests: readonly Request[]): Promise<void> {
    for (const request of requests) {
      await this.together(chance, [() => this.clients.send(chance, { request, key: this.nextName('key') })]);
    }
  }

  /** Begins all of it at the same moment, waits for the end of it, and compares. */
  async together(chance: Chance, deeds: readonly (() => Promise<unknown>)[]): Promise<void> {
    this.stage.turns.chance = new Chance(chance.seed());
    const ended = Promise.all(deeds.map((deed) => deed()));
    // A failure is told when everybody has come to rest, not while others are under way.
    ended.catch(() => undefined);
    await this.stage.rest();
    await ended;
    this.settle();
  }

  /** Compares what is there now with what the model says of it. */
  settle(): void {
    const { seen } = this.clients;
    if (seen.length === 0 && !this.database.hasChanged) return;
    this.clients.seen = [];
    const fresh = this.record.goOn(seen, this.now);
    for (const { type } of fresh) this.coverage.count(`event: ${type}`);
    checkNotes(this, 'so far');
    if (fresh.some(({ origin }) => origin !== null)) checkStores(this);
  }

  /** Time passes, and what was to happen meanwhile does. */
  pass(seconds: number): Promise<void> {
    return this.stage.time.pass(seconds * 1000, async () => {
      await this.stage.rest();
      this.settle();
    });
  }

  /** A reservation with units at the location, rather one that is paid. */
  reservationToPickUp(drawn: number, locationId: string): string {
    const here = this.castWorld().reservations;
    const at = [...here.values()].filter(({ lines }) =>
      lines.some(({ allocations }) => allocations.some((one) => one.locationId === locationId)),
    );
    const paid = at.filter(({ status }) => status === 'CONFIRMED');
    const among = drawn % 4 > 0 && paid.length > 0 ? paid : at;
    return among[drawn % Math.max(1, among.length)]?.id ?? 'no-such-reservation';
  }

  private async open(): Promise<void> {
    const chance = new Chance(this.story.seed ^ 0x0be2);
    const catalogue: Request[] = [
      ...LOCATIONS.map((locationId, n) => ({
        kind: 'putLocation' as const,
        locationId,
        priority: n % 2,
        sellsOnline: true,
      })),
      ...SKUS.map((sku) => ({
        kind: 'putProduct' as const,
        sku,
        lowStockThreshold: sku === 'A' ? 3 : null,
        active: true,
      })),
    ];
    const goods: Request[] = SKUS.flatMap((sku) => LOCATIONS.map((locationId) => ({ sku, locationId }))).flatMap(
      (place, n) => {
        const quantity = this.story.opening[n] ?? 0;
        return quantity > 0
          ? [{ kind: 'move' as const, ...place, type: 'RECEIPT' as const, quantity, ifMatch: null }]
          : [];
      },
    );
    this.network.isCalm = true;
    await this.calmly(chance, [...catalogue, ...goods]);
  }

  private async goOn(step: Step): Promise<void> {
    const chance = new Chance(step.seed);
    this.coverage.count(`step: ${step.step}`);
    switch (step.step) {
      case 'together': {
        const { faults } = this.stage;
        this.network.isCalm = step.isCalm;
        if (!step.isCalm) faults.strike(this.story.climate.faults, new Chance(chance.seed()), 1);
        const late = step.isCalm ? [] : [() => Promise.all(this.network.arrivals(chance, ARRIVALS))];
        await this.together(chance, [...step.deeds.map((deed) => () => this.act(deed)), ...late]);
        faults.rest();
        await this.read(step.deeds);
        return;
      }
      case 'wait':
        await this.pass(step.seconds);
        return;
      case 'wait until':
        await this.waitUntil(step, chance);
        return;
      case 'clock goes back':
        this.stage.time.set(this.now - step.seconds * 1000);
        this.note(`it is ${toIsoInstant(this.now)}`);
    }
  }

  private async act(deed: Deed): Promise<void> {
    this.coverage.count(`deed: ${deed.deed}`);
    const chance = new Chance(deed.seed);
    const storeOf = (drawn: number): Store => this.stores[drawn % this.stores.length] as Store;
    switch (deed.deed) {
      case 'ask':
        return this.clients.ask(chance, deed.sending, this.castWorld());
      case 'ask again':
        return this.clients.askAgain(chance, deed.which);
      case 'sweep':
        await this.stage.turn();
        return this.stage.server(chance)?.sweep();
      case 'store records':
        storeOf(deed.store).record(deed.what);
        return;
      case 'store pushes':
        this.coverage.count(`store pushes ${deed.how}`);
        return storeOf(deed.store).push(chance, deed.how);
      case 'store follows the centre':
        storeOf(deed.store).follow();
        return;
      case 'store begins a new epoch':
        return storeOf(deed.store).beginEpoch(chance);
      case 'shop tells of an order':
        return this.shop.tell(chance, deed.order, deed.events);
      case 'operator closes a letter':
        return this.operator.close(chance, deed.letter, deed.how);
      case 'read':
    }
  }

  /** To the moment at which something ends, and then somebody asks for that very thing. */
  private async waitUntil({ end, offsetMs }: Extract<Step, { step: 'wait until' }>, chance: Chance): Promise<void> {
    const [at, id] = this.endOf(end);
    await this.pass(Math.max(0, at + offsetMs - this.now) / 1000);
    if (id === null) return;
    await readReservation(this, chance, id);
    const request = aboutReservation(chance, this.record.world, id);
    if (request === undefined) return;
    await this.together(chance, [() => this.clients.send(chance, { request, key: this.nextName('key') })]);
  }

  private async read(deeds: readonly Deed[]): Promise<void> {
    for (const deed of deeds) {
      if (deed.deed === 'read') await readSomething(this, new Chance(deed.seed), deed.what);
    }
  }

  /** The world as clients see it: what a shop holds for its orders is its own. */
  private castWorld(): World {
    const { world } = this.record;
    const own = new Set(
      this.record.log
        .filter(({ type, correlationId }) => type === 'reservation.created' && !correlationId.startsWith('message-'))
        .map(({ data }) => data['reservationId']),
    );
    return { ...world, reservations: new Map([...world.reservations].filter(([id]) => !own.has(id))) };
  }

  /**
   * The end of a reservation, with its id, or now and then of a key, of those that are still to come; now, when there are
   * none. The nearest ends are the most interesting ones.
   */
  private endOf(drawn: number): readonly [at: Instant, id: string | null] {
    const { answers } = this.record.world;
    const active = [...this.castWorld().reservations.values()].filter(({ status }) => status === 'ACTIVE');
    const ends =
      drawn % 5 > 0
        ? active.map(({ expiresAt, id }) => [expiresAt, id] as const)
        : [...answers.values()].map(({ expiresAt }) => [expiresAt, null] as const);
    const coming = ends.filter(([end]) => end > this.now).sort(([a], [b]) => a - b);
    return coming[drawn % Math.min(4, coming.length || 1)] ?? [this.now, null];
  }

  /** The same event fails the same way whenever it comes: by its id, and by how often it came. */
  private handlingOf({ eventId, subjectVersion }: StoredEvent): Handling {
    if (this.isCalm) return 'notes it';
    const chance = new Chance(Number.parseInt(eventId.slice(-8), 16) ^ subjectVersion);
    const times = (this.handled.get(eventId) ?? 0) + 1;
    this.handled.set(eventId, times);
    const { fails, 'fails for ever': forEver, 'is busy': busy } = this.story.climate.handlers;
    const lasts = chance.whole(1, 4);
    const handling = chance.happens(forEver)
      ? 'fails'
      : chance.happens(fails) && times <= lasts
        ? 'fails'
        : chance.happens(busy) && times <= lasts
          ? 'is busy'
          : 'notes it';
    this.coverage.count(`handler ${handling}`);
    return handling;
  }
}

type DatabaseFileOfStage = Stage['database'];
