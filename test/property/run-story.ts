import { TOLD_BY_THE_MODEL } from '../../simulation/model/told-events.ts';
import { isDeepStrictEqual } from 'node:util';
import {
  GetAvailability,
  GetSkuStock,
  GetStockItem,
  GetTransfer,
  ListStock,
  ListTransfers,
} from '../../src/modules/inventory/contract.ts';
import { GetReservation, ListReservations } from '../../src/modules/reservation/contract.ts';
import { type Instant, toIsoInstant } from '../../src/shared/kernel/clock.ts';
import type { Shortage } from '../../src/modules/inventory/domain/inventory.errors.ts';
import { auditTenant } from '../../simulation/model/audit.ts';
import { castSending } from '../../simulation/model/cast.ts';
import { Disagreement, explain, type LoggedEvent, type Seen, show } from '../../simulation/model/explain.ts';
import type { Request, Sent } from '../../simulation/model/requests.ts';
import type { ShopUnderTest } from './shop-under-test.ts';
import { LOCATIONS, SKUS } from '../../simulation/model/asks.ts';
import type { FaultName, Step, Story } from './stories.ts';
import {
  balancesOf,
  emptyWorld,
  type Item,
  itemAt,
  keptBack,
  viewItem,
  viewReservation,
  type World,
} from '../../simulation/model/world.ts';
import type { Visits } from './visits.ts';

const OPENING_TIME = Date.parse('2026-03-01T10:00:00.000Z');
const PAGE_MAX = 200;

const LOG = `SELECT position AS "position", type AS "type", version AS "version", subject AS "subject",
    subject_version AS "subjectVersion", location_id AS "locationId", payload AS "payload",
    occurred_at AS "occurredAt", correlation_id AS "correlationId"
  FROM outbox_events WHERE tenant_id = :tenant AND position > :after AND ${TOLD_BY_THE_MODEL} ORDER BY position`;

let tenants = 0;

/**
 * Lives a story in a tenant of its own, once in the application and once in the model.
 * @throws Error that tells the whole story where they disagree
 */
export async function runStory(shop: ShopUnderTest, story: Story, visits: Visits): Promise<void> {
  tenants += 1;
  const telling = new Telling(shop, `tenant-${tenants}`, visits);
  try {
    await telling.open(story);
    for (const step of story.steps) await telling.goOn(step);
    await telling.end();
  } catch (error) {
    const told = `after:\n${telling.transcript.join('\n')}`;
    if (error instanceof Disagreement) throw new Disagreement(`${error.message}\n${told}`);
    throw new Error(`${String(error)}\n${told}`, { cause: error });
  }
}

class Telling {
  readonly transcript: string[] = [];
  private world: World = emptyWorld();
  private position = 0;
  private requests = 0;
  private readonly keyedBefore: Sent[] = [];

  constructor(
    private readonly shop: ShopUnderTest,
    private readonly tenantId: string,
    private readonly visits: Visits,
  ) {}

  async open({ locations, products, opening, carts }: Story): Promise<void> {
    this.setClock(OPENING_TIME);
    const none = { ifMatch: null };
    const catalogue = [
      ...LOCATIONS.map((locationId, n) => ({ kind: 'putLocation' as const, locationId, ...found(locations[n]) })),
      ...SKUS.map((sku, n) => ({ kind: 'putProduct' as const, sku, ...found(products[n]) })),
    ];
    const goods = SKUS.flatMap((sku) => LOCATIONS.map((locationId) => ({ sku, locationId }))).flatMap((place, n) => {
      const quantity = found(opening[n]);
      return quantity > 0 ? [{ kind: 'move' as const, ...place, type: 'RECEIPT' as const, quantity, ...none }] : [];
    });
    const made = carts.map(({ lines, ttlSeconds }) => ({ kind: 'create' as const, lines, ttlSeconds, cartId: null }));
    await this.sendNew(catalogue);
    await this.sendNew(goods);
    for (const [n, cart] of made.entries()) {
      const before = this.world.reservations.size;
      await this.sendNew([cart]);
      const id = [...this.world.reservations.keys()].at(before);
      if (id !== undefined && carts[n]?.isPaid === true) {
        await this.sendNew([{ kind: 'confirm', id, orderId: 'O1', ...none }]);
      }
    }
  }

  async goOn(step: Step): Promise<void> {
    const now = this.shop.clock.now();
    switch (step.step) {
      case 'ask': {
        const sent: Sent[] = [];
        for (const sending of step.together) {
          const one = castSending(sending, this.nextName(), this.world, now, this.keyedBefore);
          if (one.key !== null) this.keyedBefore.push(one);
          sent.push(one);
        }
        return this.send(sent, step.fault);
      }
      case 'wait':
        this.setClock(now + step.seconds * 1000);
        break;
      case 'wait until':
        this.setClock(this.endOf(step.end, step.offsetMs, now));
        break;
      case 'clock goes back':
        this.setClock(now - step.seconds * 1000);
        break;
    }
    await this.compareEverything();
  }

  async end(): Promise<void> {
    await this.compareEverything();
    for (const { sku, locationId } of this.world.items.values()) await this.compareItem(sku, locationId);
    await auditTenant(this.shop, this.tenantId);
  }

  private sendNew(requests: readonly Request[]): Promise<void> {
    const sent = requests.map((request) => ({ request, key: null, correlationId: this.nextName() }));
    return this.send(sent, 'none');
  }

  private async send(sent: readonly Sent[], fault: FaultName): Promise<void> {
    const at = this.shop.clock.now();
    const fails = fault === 'none' ? '' : ` (${fault})`;
    this.transcript.push(
      sent
        .map(({ correlationId, key, request }) => `${correlationId}${fails} ${key ?? ''} ${show(request)}`)
        .join('\n'),
    );
    const outcomes = await this.shop.sendTogether(this.tenantId, sent, fault);
    this.transcript.push(outcomes.map((outcome) => `    ${show(outcome)}`).join('\n'));
    const log = await this.newEvents();
    const seen: Seen[] = sent.map((one, n) => ({ sent: one, outcome: found(outcomes[n]) }));
    if (sent.length === 1) this.noteCaution(found(seen[0]), at);
    this.world = explain(this.world, seen, log, at, fault === 'answer lost');
    this.visits.note(seen, log, fault);
    await this.compareTouched(sent, log);
  }

  /** Units that would have been there, had the location been heard from. */
  private noteCaution({ outcome }: Seen, at: Instant): void {
    if (outcome.kind !== 'refusal' || !('shortages' in outcome.details)) return;
    const { shortages } = outcome.details as { shortages: readonly Shortage[] };
    for (const { sku, locationId, requested, available } of shortages) {
      if (locationId === null) continue;
      const kept = keptBack(this.world, itemAt(this.world, sku, locationId), at);
      if (available + kept >= requested) this.visits.count('refused out of caution');
    }
  }

  private async newEvents(): Promise<LoggedEvent[]> {
    const rows = await this.shop.select<LoggedEvent & { payload: string }>(this.tenantId, LOG, {
      after: this.position,
    });
    this.position = rows.at(-1)?.position ?? this.position;
    return rows.map(({ payload, ...event }) => ({ ...event, data: JSON.parse(payload) as LoggedEvent['data'] }));
  }

  private async compareTouched(sent: readonly Sent[], log: readonly LoggedEvent[]): Promise<void> {
    const skus = new Set<string>();
    const ids = new Set<string>();
    for (const { request } of sent) {
      if ('sku' in request) skus.add(request.sku);
      if ('lines' in request) request.lines.forEach(({ sku }) => skus.add(sku));
      if ('id' in request) ids.add(request.id);
    }
    for (const { subject } of log) {
      const [kind, name = ''] = subject.split('/');
      (kind === 'stock' ? skus : ids).add(name);
    }
    if (sent.some(({ request }) => request.kind === 'report')) SKUS.forEach((sku) => skus.add(sku));
    for (const sku of skus) await this.compareSku(sku);
    for (const id of ids) {
      await this.compareReservation(id);
      await this.compareTransfer(id);
    }
  }

  private async compareEverything(): Promise<void> {
    for (const sku of SKUS) await this.compareSku(sku);
    const at = this.shop.clock.now();
    const page = await this.shop.ask(this.tenantId, new ListReservations(NO_FILTER, PAGE_MAX, null));
    const kept = [...this.world.reservations.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
    this.same(
      'The list of reservations',
      kept.map((one) => viewReservation(one, at)),
      page.items,
    );
    const transfers = [...this.world.transfers.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
    const listed = await this.shop.ask(this.tenantId, new ListTransfers(NO_TRANSFER_FILTER, PAGE_MAX, null));
    this.same('The list of transfers', transfers, listed.items);
    await this.compareStates(at);
  }

  /** Lists know no hold that is over, but every location that has grown stale. */
  private async compareStates(at: Instant): Promise<void> {
    const free = (item: Item): number => balancesOf(this.world, item).available - keptBack(this.world, item, at);
    const isThere = {
      low: (item: Item) => item.lowStockThreshold !== null && free(item) <= item.lowStockThreshold,
      out: (item: Item) => free(item) <= 0,
    };
    const items = [...this.world.items.values()].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
    for (const state of ['low', 'out'] as const) {
      const listed = await this.shop.ask(
        this.tenantId,
        new ListStock({ skus: null, locationId: null, state }, PAGE_MAX, null),
      );
      const expected = items.filter(isThere[state]).map((item) => `${placeOf(item)} ${free(item)}`);
      const shown = listed.items.map((item) => `${placeOf(item)} ${item.available}`);
      this.same(`The list of what is ${state}`, expected, shown);
    }
  }

  private async compareSku(sku: string): Promise<void> {
    if (!this.world.products.has(sku)) return;
    const items = [...this.world.items.values()].filter((item) => item.sku === sku);
    const locations = items.map((item) => viewItem(this.world, item, this.shop.clock.now()));
    locations.forEach(({ freshness }) => this.visits.count(`stock that is ${freshness.status}`));
    locations.sort((a, b) => (a.locationId < b.locationId ? -1 : 1));
    const sum = (member: 'onHand' | 'held' | 'committed' | 'incoming' | 'available'): number =>
      locations.reduce((total, item) => total + item[member], 0);
    const totals = {
      onHand: sum('onHand'),
      held: sum('held'),
      committed: sum('committed'),
      incoming: sum('incoming'),
      available: sum('available'),
    };
    const shown = await this.shop.ask(this.tenantId, new GetSkuStock(sku));
    this.same(`The stock of ${sku}`, { sku, totals, locations }, shown);
    const [available] = await this.shop.ask(this.tenantId, new GetAvailability([sku], null));
    this.same(`The availability of ${sku}`, { sku, ...totals, known: true }, found(available));
  }

  private async compareItem(sku: string, locationId: string): Promise<void> {
    const item = found(this.world.items.get(`${sku} ${locationId}`));
    const shown = await this.shop.ask(this.tenantId, new GetStockItem(sku, locationId));
    this.same(`${sku} at ${locationId}`, viewItem(this.world, item, this.shop.clock.now()), shown);
  }

  private async compareReservation(id: string): Promise<void> {
    const kept = this.world.reservations.get(id);
    if (kept === undefined) return;
    const shown = await this.shop.ask(this.tenantId, new GetReservation(id));
    this.same(`Reservation ${id}`, viewReservation(kept, this.shop.clock.now()), shown);
  }

  private async compareTransfer(id: string): Promise<void> {
    const transfer = this.world.transfers.get(id);
    if (transfer === undefined) return;
    this.same(`Transfer ${id}`, transfer, await this.shop.ask(this.tenantId, new GetTransfer(id)));
  }

  private same(what: string, expected: object, shown: object): void {
    const [wanted, seen] = [expected, shown].map((value): unknown => JSON.parse(show(value)));
    if (!isDeepStrictEqual(wanted, seen)) {
      throw new Disagreement(`${what} has to read\n${show(wanted)}\nbut reads\n${show(seen)}`);
    }
  }

  /** The end of a reservation or of a key, of those that are still to come; now, when there are none. */
  private endOf(pick: number, offsetMs: number, now: Instant): Instant {
    const ends = [...this.world.reservations.values(), ...this.world.answers.values()]
      .map(({ expiresAt }) => expiresAt + offsetMs)
      .filter((end) => end > now)
      .sort((a, b) => a - b);
    // The nearest ends are the most interesting ones.
    return ends[pick % Math.min(4, ends.length || 1)] ?? now;
  }

  private setClock(to: Instant): void {
    this.shop.clock.set(toIsoInstant(to));
    this.transcript.push(`it is ${toIsoInstant(to)}`);
  }

  private nextName(): string {
    this.requests += 1;
    return `request-${this.requests}`;
  }
}

function placeOf({ sku, locationId }: { sku: string; locationId: string }): string {
  return `${sku} ${locationId}`;
}

const NO_TRANSFER_FILTER = { status: null, sku: null, fromLocationId: null, toLocationId: null };
const NO_FILTER = { status: null, cartId: null, orderId: null, locationId: null };

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('A story is complete');
  return value;
}
