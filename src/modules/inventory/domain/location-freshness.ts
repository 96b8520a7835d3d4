import { Aggregate } from '../../../shared/kernel/aggregate.ts';
import type { Instant } from '../../../shared/kernel/clock.ts';
import {
  DEFAULT_FRESHNESS_POLICY,
  type FreshnessPolicy,
  type FreshnessStatus,
  type FreshnessView,
} from '../contract.ts';

const MS_PER_SECOND = 1000;

export interface LocationFreshnessState extends FreshnessPolicy {
  readonly locationId: string;
  /** The last number of what it pushed that is part of its stock; null: it never pushed. */
  readonly lastSequence: number | null;
  /** When the centre received the newest of what was pushed; null while nothing was. */
  readonly asOf: Instant | null;
  /** When the centre last heard from it; known of whatever has pushed. */
  readonly lastContactAt: Instant | null;
  readonly version: number;
}

/**
 * How much the centre knows of a location whose stock is kept elsewhere. What it means is decided by the clock of whoever
 * asks: nothing is stored when a location grows stale or silent, and nothing when it comes back
 * (docs/decisions/0023-caution-by-the-clock.md).
 */
export class LocationFreshness extends Aggregate<LocationFreshnessState> {
  static of(state: LocationFreshnessState): LocationFreshness {
    return new LocationFreshness(state);
  }

  /** A known location that nothing was ever heard from. */
  static unheard(locationId: string): LocationFreshness {
    const never = { lastSequence: null, asOf: null, lastContactAt: null, version: 0 };
    return new LocationFreshness({ locationId, ...never, ...DEFAULT_FRESHNESS_POLICY });
  }

  /**
   * The location was heard from. Contacts may be told late or by servers whose clocks differ, so an earlier one changes
   * nothing. But a last contact that is still to come was noted by a clock that has been set back meanwhile: it gives way,
   * or the location would count as heard from until then.
   * @param contactAt when; what is after `at` counts as `at`
   * @param at now
   */
  hear(contactAt: Instant, at: Instant): void {
    const { lastContactAt } = this.state;
    const heardAt = Math.min(contactAt, at);
    if (lastContactAt === null || lastContactAt > at || lastContactAt < heardAt)
      this.change({ lastContactAt: heardAt });
  }

  /**
   * What the location pushed is part of its stock, through the number `lastSequence` (0 or more).
   * @param receivedAt of its newest event; null: it only repeated itself
   */
  receive(lastSequence: number, receivedAt: Instant | null): void {
    if (!Number.isSafeInteger(lastSequence) || lastSequence < 0) throw new Error(`Bug: ${lastSequence} is no sequence`);
    if (receivedAt !== null) this.change({ lastSequence, asOf: receivedAt });
    else if (lastSequence !== this.state.lastSequence) this.change({ lastSequence });
  }

  /** The location counts from 1 again. One that never pushed has nothing to begin anew. */
  restart(): void {
    if ((this.state.lastSequence ?? 0) > 0) this.change({ lastSequence: 0 });
  }

  /** Takes over how carefully its stock is to be sold; no change when it is the same as before. */
  follow(policy: FreshnessPolicy): void {
    const { staleAfterSeconds, silentAfterSeconds, staleCautionPercent, silentCautionPercent } = policy;
    const present = this.state;
    const same =
      staleAfterSeconds === present.staleAfterSeconds &&
      silentAfterSeconds === present.silentAfterSeconds &&
      staleCautionPercent === present.staleCautionPercent &&
      silentCautionPercent === present.silentCautionPercent;
    if (!same) this.change({ staleAfterSeconds, silentAfterSeconds, staleCautionPercent, silentCautionPercent });
  }
}

/** What is known of a location: its row, or undefined when there is none. */
export type KnownFreshness = Omit<LocationFreshnessState, 'locationId' | 'version'> | undefined;

const DIRECT: FreshnessView = { status: 'DIRECT', lastSequence: null, asOf: null, lagSeconds: null };

/** How fresh it is at the instant `at`. */
export function freshnessAt(known: KnownFreshness, at: Instant): FreshnessView {
  const ageMs = ageAt(known, at);
  if (known === undefined || ageMs === null) return DIRECT;
  const { lastSequence, asOf } = known;
  return { status: statusOf(known, ageMs), lastSequence, asOf, lagSeconds: Math.floor(ageMs / MS_PER_SECOND) };
}

/** The share of on-hand, in percent, that commands leave alone at the instant `at`: 0 to 100. */
export function cautionPercentAt(known: KnownFreshness, at: Instant): number {
  const ageMs = ageAt(known, at);
  if (known === undefined || ageMs === null) return 0;
  const status = statusOf(known, ageMs);
  return status === 'SILENT' ? known.silentCautionPercent : status === 'STALE' ? known.staleCautionPercent : 0;
}

/** That share in whole units, rounded up: of all numbers here exact, as products of whole numbers below 2^53 are. */
export function cautionUnits(onHand: number, percent: number): number {
  return Math.floor((Math.max(0, onHand) * percent + 99) / 100);
}

/** @returns null when it never pushed; never negative, although a clock may have jumped back */
function ageAt(known: KnownFreshness, at: Instant): number | null {
  if (known === undefined || known.lastSequence === null || known.lastContactAt === null) return null;
  return Math.max(0, at - known.lastContactAt);
}

function statusOf({ staleAfterSeconds, silentAfterSeconds }: FreshnessPolicy, ageMs: number): FreshnessStatus {
  if (ageMs >= silentAfterSeconds * MS_PER_SECOND) return 'SILENT';
  return ageMs >= staleAfterSeconds * MS_PER_SECOND ? 'STALE' : 'LIVE';
}
