import { type IQueryHandler, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { Reader } from '../../../shared/persistence/reader.ts';
import { GetLocation } from '../../inventory/contract.ts';
import { GetStore, type StoreView } from '../contract.ts';
import { storeStreamsTable } from '../storage/store-stream.table.ts';
import { StoreViews } from './store-views.ts';

@QueryHandler(GetStore)
export class GetStoreHandler implements IQueryHandler<GetStore> {
  constructor(
    private readonly queries: QueryBus,
    private readonly reader: Reader,
    private readonly views: StoreViews,
  ) {}

  /** @throws LocationNotFound */
  async execute({ locationId }: GetStore): Promise<StoreView> {
    const stream = await this.reader.one(
      this.reader.rows(storeStreamsTable, 'stream').andWhere('stream.locationId = :locationId', { locationId }),
    );
    if (stream === undefined) {
      await this.queries.execute(new GetLocation(locationId));
      return this.views.ofUnopened(locationId);
    }
    const [view] = await this.views.of([stream]);
    return view ?? this.views.ofUnopened(locationId);
  }
}
