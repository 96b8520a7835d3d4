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
      return { ...NEVER_HEARD_OF, locationId };
    }
    const [view] = await this.views.of([stream]);
    return view ?? { ...NEVER_HEARD_OF, locationId };
  }
}

/** A location whose agent has never opened a stream. */
const NEVER_HEARD_OF = {
  epoch: 0,
  nextSequence: 1,
  missing: [],
  lagSeconds: null,
  parked: 0,
  dead: 0,
  conflicts: 0,
  drift: 0,
} as const;
