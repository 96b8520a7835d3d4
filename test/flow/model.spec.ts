import { counts } from '../support/counts.ts';
import type { Answer } from '../support/http.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type ModelLine, type ModelReservation, ModelShop, type Verdict } from '../support/model-shop.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { type Reservation, useShop } from '../support/shop.ts';

const STEPS = counts(150, 5_000);
const LIFETIME_SECONDS = 600;

describeOnBothEngines(`Random requests against a plain model, TEST_SEED=${SEED}`, (engine) => {
  const shop = useShop(engine, { HOLD_LIFETIME_MAX_SECONDS: String(LIFETIME_SECONDS), HOLD_TTL_SECONDS: '120' });
  const model = new ModelShop(LIFETIME_SECONDS * 1000);
  const random = new Random(SEED);
  const skus: string[] = [];
  const places: string[] = [];

  beforeAll(async () => {
    for (let i = 0; i < 2; i++) places.push(await shop.location());
    for (let i = 0; i < 3; i++) skus.push(await shop.product());
  });

  function someLines(): ModelLine[] {
    const spots = skus.flatMap((sku) => places.map((locationId) => ({ sku, locationId })));
    return Array.from({ length: random.whole(1, 3) }, () => {
      const [spot] = spots.splice(random.whole(0, spots.length - 1), 1);
      if (spot === undefined) throw new Error('There are more lines than spots');
      return { ...spot, quantity: random.whole(1, 5) };
    });
  }

  const someTtl = (): number | null => (random.chance(50) ? null : random.whole(1, 700));

  async function movement(now: number): Promise<[string, Answer, Verdict]> {
    const [sku, place, units] = [random.pick(skus), random.pick(places), random.whole(1, 6)];
    const kind = random.pick(['RECEIPT', 'RECEIPT', 'RETURN', 'SALE', 'WRITE_OFF', 'ADJUSTMENT', 'COUNT', 'POLICY']);
    const what = `${kind} ${units} ${sku}@${place}`;
    if (kind === 'COUNT') {
      return [what, await shop.tryCount(sku, place, units), model.count(sku, place, units)];
    }
    if (kind === 'POLICY') {
      const answer = await shop.api.put(`/v1/stock/${sku}/${place}/policy`, { safetyStock: units - 1 });
      return [what, answer, model.setSafetyStock(sku, place, units - 1)];
    }
    const delta = kind === 'RECEIPT' || kind === 'RETURN' ? units : -units;
    const answer = await shop.tryMove(sku, place, kind, kind === 'ADJUSTMENT' ? delta : units);
    return [what, answer, model.move(sku, place, delta, now)];
  }

  async function creation(now: number): Promise<[string, Answer, Verdict]> {
    const [lines, ttlSeconds] = [someLines(), someTtl()];
    const cartId = random.chance(50) ? 'cart-1' : null;
    const verdict = model.reserve(lines, cartId, now);
    const answer = await shop.tryReserve(lines, { ttlSeconds, cartId });
    if (answer.status === 201) model.made(answer.body.id, lines, cartId, ttlSeconds ?? 120, now);
    return [`reserve ${JSON.stringify({ lines, ttlSeconds, cartId })}`, answer, verdict];
  }

  async function change(one: ModelReservation, now: number): Promise<[string, Answer, Verdict]> {
    const verb = random.pick([
      'update',
      'update',
      'refresh',
      'confirm',
      'confirm',
      'cancel',
      'fulfil',
      'fulfil',
    ] as const);
    const ttlSeconds = someTtl();
    switch (verb) {
      case 'update': {
        const lines = someLines();
        return [
          `update ${JSON.stringify(lines)}`,
          await shop.tryUpdate(one.id, lines, { ttlSeconds }),
          model.update(one, lines, ttlSeconds, now),
        ];
      }
      case 'refresh':
        return ['refresh', await shop.tryTo('refresh', one.id, { ttlSeconds }), model.refresh(one, ttlSeconds, now)];
      case 'confirm': {
        const orderId = random.pick(['order-1', 'order-2']);
        return [
          `confirm ${orderId}`,
          await shop.tryTo('confirm', one.id, { orderId }),
          model.confirm(one, orderId, now),
        ];
      }
      case 'cancel':
        return ['cancel', await shop.tryTo('cancel', one.id), model.cancel(one, now)];
      case 'fulfil': {
        const locationId = random.chance(50) ? null : random.pick(places);
        return [
          `fulfil ${locationId}`,
          await shop.tryTo('fulfil', one.id, { locationId }),
          model.fulfil(one, locationId, now),
        ];
      }
    }
  }

  function step(now: number): Promise<[string, Answer, Verdict]> {
    const latest = [...model.reservations.values()].slice(-6);
    if (random.chance(25)) return movement(now);
    return latest.length === 0 || random.chance(35) ? creation(now) : change(random.pick(latest), now);
  }

  /** Time stands, passes, or jumps to the very edge of a hold. */
  function passTime(): void {
    const active = [...model.reservations.values()].filter((one) => one.status === 'ACTIVE');
    if (active.length > 0 && random.chance(15)) {
      const edge = random.pick(active).expiresAt + random.whole(-1, 1);
      if (edge >= shop.clock.now()) shop.clock.set(new Date(edge).toISOString());
    } else if (random.chance(40)) shop.clock.advanceSeconds(random.whole(0, 30));
  }

  it("gives the model's answer at every step, and shows the model's balances", async () => {
    const seen: Record<string, number> = {};
    for (let i = 0; i < STEPS; i++) {
      passTime();
      const now = shop.clock.now();
      const [what, answer, verdict] = await step(now);
      const { code } = answer.body as { code?: string };
      const trace = `step ${i} ${what}`;
      expect([trace, answer.status, code]).toEqual([trace, verdict.status, verdict.code]);
      seen[code ?? answer.status] = (seen[code ?? answer.status] ?? 0) + 1;
      for (const sku of skus) {
        for (const place of places) {
          expect([trace, await shop.stock(sku, place)]).toMatchObject([trace, model.balances(sku, place, now)]);
        }
      }
    }
    // Every kind of answer has come up, or the run has tested less than it says.
    expect(Object.keys(seen)).toEqual(
      expect.arrayContaining(['200', '201', 'INSUFFICIENT_STOCK', 'RESERVATION_EXPIRED', 'RESERVATION_NOT_ACTIVE']),
    );
    for (const one of model.reservations.values()) {
      const status = model.isOver(one, shop.clock.now()) ? 'EXPIRED' : one.status;
      const shown: Reservation = await shop.reservation(one.id);
      expect(shown).toMatchObject({
        id: one.id,
        status,
        expiresAt: new Date(one.expiresAt).toISOString(),
        orderId: one.orderId,
      });
    }
  });

  it('keeps what it keeps explained once every hold is swept or over', async () => {
    const broken = await brokenInvariants(shop.api, { commandsOnly: false });
    // Reading a due reservation says EXPIRED while the list of stock may still count it, as the contract allows.
    expect(broken.filter((line) => !line.includes(' held '))).toEqual([]);
  });
});
