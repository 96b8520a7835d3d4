import { Injectable } from '@nestjs/common';
import { Clock } from '../../../shared/kernel/clock.ts';
import { DeadLetters } from '../../../shared/outbox/dead-letters.ts';
import type { StoreView } from '../contract.ts';
import type { StoreStreamState } from '../domain/store-stream.ts';
import { STORE_EVENTS_CONSUMER } from './store-letters.ts';

/** Where stores stand, from their streams and from what could not be recorded. */
@Injectable()
export class StoreViews {
  constructor(
    private readonly clock: Clock,
    private readonly letters: DeadLetters,
  ) {}

  async of(streams: readonly StoreStreamState[]): Promise<StoreView[]> {
    const dead = await this.letters.openByLocation(
      STORE_EVENTS_CONSUMER,
      streams.map(({ locationId }) => locationId),
    );
    const now = this.clock.now();
    return streams.map(({ locationId, epoch, nextSequence, holes, parked, conflicts, lastContactAt }) => ({
      locationId,
      epoch,
      nextSequence,
      missing: holes,
      lagSeconds: Math.max(0, now - lastContactAt) / 1000,
      parked,
      dead: dead.get(locationId) ?? 0,
      conflicts,
      drift: 0,
    }));
  }
}
