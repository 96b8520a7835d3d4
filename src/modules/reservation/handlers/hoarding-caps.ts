import { Injectable } from '@nestjs/common';
import type { Instant } from '../../../shared/kernel/clock.ts';
import { currentContext } from '../../../shared/kernel/context.ts';
import { type HoardingCap, Metrics } from '../../../shared/operations/metrics.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { Settings } from '../../../shared/settings.ts';
import type { WantedLine } from '../contract.ts';
import type { Reservation } from '../domain/reservation.ts';
import { CapReached } from '../domain/reservation.errors.ts';
import { tallyOf } from '../storage/client-tallies.ts';

/** When a client at one of its caps may ask again: holds end all the time, and nobody can tell which is next. */
const RETRY_SECONDS = 30;

/**
 * What a storefront may hold at a time (docs/decisions/0032). Nobody else has caps. They are looked at inside the unit of
 * work, on the rows of the batch, so creations that come together cannot pass one.
 */
@Injectable()
export class HoardingCaps {
  constructor(
    private readonly settings: Settings,
    private readonly metrics: Metrics,
  ) {}

  /** Whether what the caller makes is counted for its caps. */
  get apply(): boolean {
    return cappedClient() !== null;
  }

  /**
   * @param own the reservation that gets these lines; null: a new one. What it has already is its own to keep: only more
   * is refused
   * @returns why the caller may not hold these lines; null: it may
   */
  refusalOf(tx: Transaction, lines: readonly WantedLine[], own: Reservation | null): CapReached | null {
    const clientId = cappedClient();
    if (clientId === null) return null;
    const tally = tallyOf(tx, clientId);
    const { storefrontReservationsMax, storefrontUnitsMax, storefrontCartUnitsMax } = this.settings;
    const ownUnits = own?.heldUnits ?? 0;
    const wanted = lines.reduce((sum, { quantity }) => sum + quantity, 0);
    // What was made before there were caps is in no tally.
    const others = own?.state.tallied === true ? tally.units - ownUnits : tally.units;
    const isMore = wanted > ownUnits;
    return (
      (own === null
        ? this.check(tx, 'reservations-of-client', storefrontReservationsMax, tally.reservations, 1)
        : null) ??
      (isMore ? this.check(tx, 'units-of-cart', storefrontCartUnitsMax, 0, wanted) : null) ??
      (isMore ? this.check(tx, 'units-of-client', storefrontUnitsMax, others, wanted) : null)
    );
  }

  /** @throws CapReached when the reservation was renewed as often as a storefront may */
  assertRenewable(tx: Transaction, { state: { renewals, expiresAt } }: Reservation, at: Instant): void {
    if (cappedClient() === null) return;
    const untilOverSeconds = Math.ceil((expiresAt - at) / 1000);
    const refusal = this.check(tx, 'renewals', this.settings.storefrontRenewalsMax, renewals, 1, untilOverSeconds);
    if (refusal !== null) throw refusal;
  }

  /** @param max 0: no cap */
  private check(
    tx: Transaction,
    cap: HoardingCap,
    max: number,
    taken: number,
    wanted: number,
    retryAfterSeconds = RETRY_SECONDS,
  ): CapReached | null {
    if (max === 0 || taken + wanted <= max) return null;
    tx.onSettled((status) => {
      if (status === 'refused') this.metrics.countCapped(cap);
    });
    return new CapReached(cap, max, Math.max(0, max - taken), retryAfterSeconds);
  }
}

/** @returns the client whose caps hold for the caller; null: it has none */
function cappedClient(): string | null {
  return currentContext().reach?.clientId ?? null;
}
