import { type IQueryHandler, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { Reader } from '../../../shared/persistence/reader.ts';
import { DEFAULT_FRESHNESS_POLICY, GetLocation } from '../../inventory/contract.ts';
import { GetStorePolicy, type StorePolicyView } from '../contract.ts';
import { storePoliciesTable } from '../storage/store-policy.table.ts';
import { toStorePolicyView } from './store-policy-view.ts';

/** What was ordered for a store, or what holds without an order. */
@QueryHandler(GetStorePolicy)
export class GetStorePolicyHandler implements IQueryHandler<GetStorePolicy> {
  constructor(
    private readonly reader: Reader,
    private readonly queries: QueryBus,
  ) {}

  /** @throws LocationNotFound */
  async execute({ locationId }: GetStorePolicy): Promise<StorePolicyView> {
    const rows = this.reader
      .rows(storePoliciesTable, 'policy')
      .andWhere('policy.locationId = :locationId', { locationId });
    const stored = await this.reader.one(rows);
    if (stored !== undefined) return toStorePolicyView(stored);
    await this.queries.execute(new GetLocation(locationId));
    return { locationId, ...DEFAULT_FRESHNESS_POLICY, version: 0, updatedAt: null };
  }
}
