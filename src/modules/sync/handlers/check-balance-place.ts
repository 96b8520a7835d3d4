import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Reader } from '../../../shared/persistence/reader.ts';
import { CheckBalancePlace } from '../contract.ts';
import { EpochNeverGiven } from '../domain/store-stream.errors.ts';
import { StoreStream } from '../domain/store-stream.ts';
import { FeedLog } from '../feeds/feed-log.ts';
import { KnownLocations } from '../feeds/known-locations.ts';
import { storeStreamsTable } from '../storage/store-stream.table.ts';

@QueryHandler(CheckBalancePlace)
export class CheckBalancePlaceHandler implements IQueryHandler<CheckBalancePlace> {
  constructor(
    private readonly reader: Reader,
    private readonly locations: KnownLocations,
    private readonly log: FeedLog,
  ) {}

  /** @throws LocationNotFound, CursorGone, EpochNeverGiven, StaleEpoch, SequenceAhead */
  async execute({ locationId, place }: CheckBalancePlace): Promise<void> {
    await this.locations.assertKnown(locationId);
    await this.log.assertKnown(Number(place.cursor));
    const row = await this.reader.one(
      this.reader.rows(storeStreamsTable, 'stream').andWhere('stream.locationId = :locationId', { locationId }),
    );
    if (row === undefined) throw new EpochNeverGiven();
    const stream = StoreStream.of(row);
    stream.assertEpoch(place.epoch);
    stream.assertReached(place.sequence);
  }
}
