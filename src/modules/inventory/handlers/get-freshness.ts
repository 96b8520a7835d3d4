import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { GetFreshness, type LocationFreshnessView } from '../contract.ts';
import { FreshnessReads } from './freshness-reads.ts';
import { toFreshnessView } from './freshness-view.ts';

/** How fresh locations are at this instant. */
@QueryHandler(GetFreshness)
export class GetFreshnessHandler implements IQueryHandler<GetFreshness> {
  constructor(
    private readonly freshness: FreshnessReads,
    private readonly clock: Clock,
  ) {}

  async execute({ locationIds }: GetFreshness): Promise<LocationFreshnessView[]> {
    const at = this.clock.now();
    const known = await this.freshness.of(locationIds);
    return locationIds.map((locationId) => toFreshnessView(locationId, known.get(locationId), at));
  }
}
