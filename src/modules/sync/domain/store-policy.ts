import { Aggregate } from '../../../shared/kernel/aggregate.ts';
import type { Instant } from '../../../shared/kernel/clock.ts';
import type { StorePolicyView } from '../contract.ts';

type WantedPolicy = Omit<StorePolicyView, 'locationId' | 'version' | 'updatedAt'>;

export interface StorePolicyState extends WantedPolicy {
  readonly locationId: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly version: number;
}

/** How long a store may be out of hearing, and what of its stock is kept back then: what was ordered last. */
export class StorePolicy extends Aggregate<StorePolicyState> {
  static of(state: StorePolicyState): StorePolicy {
    return new StorePolicy(state);
  }

  static create(locationId: string, wanted: WantedPolicy, at: Instant): StorePolicy {
    return new StorePolicy({ locationId, ...wanted, createdAt: at, updatedAt: at, version: 1 });
  }

  /**
   * Replaces what was ordered.
   * @returns false when it is the same as before: nothing changed, not even the version
   */
  put(wanted: WantedPolicy, at: Instant): boolean {
    const present = this.state;
    const same =
      wanted.staleAfterSeconds === present.staleAfterSeconds &&
      wanted.silentAfterSeconds === present.silentAfterSeconds &&
      wanted.staleCautionPercent === present.staleCautionPercent &&
      wanted.silentCautionPercent === present.silentCautionPercent;
    if (!same) this.change({ ...wanted, updatedAt: at });
    return !same;
  }
}
