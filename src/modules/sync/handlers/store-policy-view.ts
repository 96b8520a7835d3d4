import type { StorePolicyView } from '../contract.ts';
import type { StorePolicyState } from '../domain/store-policy.ts';

export function toStorePolicyView(state: StorePolicyState): StorePolicyView {
  const { locationId, staleAfterSeconds, silentAfterSeconds, staleCautionPercent, silentCautionPercent } = state;
  const { version, updatedAt } = state;
  return {
    locationId,
    staleAfterSeconds,
    silentAfterSeconds,
    staleCautionPercent,
    silentCautionPercent,
    version,
    updatedAt,
  };
}
