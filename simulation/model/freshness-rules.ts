import type { FreshnessPolicy, LocationFreshnessView } from '../../src/modules/inventory/contract.ts';
import type { Instant } from '../../src/shared/kernel/clock.ts';
import type { RequestOf } from './requests.ts';
import { freshnessAt, Refused, type Told, UNTOLD, type Work } from './world.ts';

/* How fresh a location is (docs/decisions/0023): what was told of it last. Who grows stale does so by the clock alone. */

export function report({ world, at }: Work, { locationId, report: told }: RequestOf<'report'>): LocationFreshnessView {
  if (!world.locations.has(locationId)) throw new Refused('NOT_FOUND');
  const before = world.told.get(locationId) ?? UNTOLD;
  const { contactAt, pushed, restarted, policy = policyOf(before) } = told;
  const contacts = [contactAt, pushed === undefined ? undefined : at]
    .filter((one) => one !== undefined)
    .map((one) => Math.min(one, at));
  const startsAnew = restarted === true && before.lastSequence !== null;
  const now: Told = {
    ...policy,
    lastSequence: pushed?.lastSequence ?? (startsAnew ? 0 : before.lastSequence),
    asOf: pushed?.receivedAt ?? before.asOf,
    heardAt: latest([...contacts, ...pastOnly(before.heardAt, at, contacts)]),
  };
  world.told.set(locationId, now);
  return { locationId, ...freshnessAt(world, locationId, at), lastContactAt: now.heardAt, ...policyOf(now) };
}

/** A contact that is still to come was noted by a clock that has been set back: any other is better. */
function pastOnly(heardAt: Instant | null, at: Instant, others: readonly Instant[]): Instant[] {
  return heardAt === null || (heardAt > at && others.length > 0) ? [] : [heardAt];
}

function latest(instants: readonly Instant[]): Instant | null {
  return instants.length === 0 ? null : Math.max(...instants);
}

function policyOf(told: FreshnessPolicy): FreshnessPolicy {
  const { staleAfterSeconds, silentAfterSeconds, staleCautionPercent, silentCautionPercent } = told;
  return { staleAfterSeconds, silentAfterSeconds, staleCautionPercent, silentCautionPercent };
}
