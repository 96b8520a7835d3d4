import type { Instant } from '../../../shared/kernel/clock.ts';
import { DEFAULT_FRESHNESS_POLICY, type LocationFreshnessView } from '../contract.ts';
import { freshnessAt, type KnownFreshness } from '../domain/location-freshness.ts';

export function toFreshnessView(locationId: string, known: KnownFreshness, at: Instant): LocationFreshnessView {
  const { staleAfterSeconds, silentAfterSeconds, staleCautionPercent, silentCautionPercent } =
    known ?? DEFAULT_FRESHNESS_POLICY;
  return {
    locationId,
    ...freshnessAt(known, at),
    lastContactAt: known?.lastContactAt ?? null,
    staleAfterSeconds,
    silentAfterSeconds,
    staleCautionPercent,
    silentCautionPercent,
  };
}
