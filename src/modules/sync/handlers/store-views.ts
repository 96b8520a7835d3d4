import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';
import { DeadLetters } from '../../../shared/outbox/dead-letters.ts';
import { GetFreshness, type LocationFreshnessView } from '../../inventory/contract.ts';
import type { StoreView } from '../contract.ts';
import type { StoreStreamState } from '../domain/store-stream.ts';
import { STORE_EVENTS_CONSUMER } from './store-letters.ts';

/** Where stores stand, from their streams and from what could not be recorded. */
@Injectable()
export class StoreViews {
  constructor(
    private readonly clock: Clock,
    private readonly queries: QueryBus,
    private readonly letters: DeadLetters,
  ) {}

  async of(streams: readonly StoreStreamState[]): Promise<StoreView[]> {
    const locationIds = streams.map(({ locationId }) => locationId);
    const dead = await this.letters.openByLocation(STORE_EVENTS_CONSUMER, locationIds);
    const known = await this.queries.execute(new GetFreshness(locationIds));
    const now = this.clock.now();
    return streams.map(({ locationId, epoch, nextSequence, holes, parked, conflicts, drift }, index) => ({
      locationId,
      epoch,
      nextSequence,
      missing: holes,
      parked,
      dead: dead.get(locationId) ?? 0,
      conflicts,
      drift,
      ...heardAt(known[index], now),
    }));
  }

  /** A location whose agent has never opened a stream; it may have asked for changes all the same. */
  async ofUnopened(locationId: string): Promise<StoreView> {
    const [known] = await this.queries.execute(new GetFreshness([locationId]));
    const nothing = { epoch: 0, nextSequence: 1, missing: [], parked: 0, dead: 0, conflicts: 0, drift: 0 };
    return { locationId, ...nothing, ...heardAt(known, this.clock.now()) };
  }
}

function heardAt(known: LocationFreshnessView | undefined, now: Instant): Pick<StoreView, 'lagSeconds' | 'freshness'> {
  if (known === undefined) throw new Error('Bug: freshness is told of every location that is asked about');
  const { status, lastSequence, asOf, lagSeconds, lastContactAt } = known;
  return {
    lagSeconds: lastContactAt === null ? null : Math.max(0, now - lastContactAt) / 1000,
    freshness: { status, lastSequence, asOf, lagSeconds },
  };
}
