import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Reader } from '../../../shared/persistence/reader.ts';
import { GetLocation, type LocationView } from '../contract.ts';
import { LocationNotFound } from '../domain/inventory.errors.ts';
import { locationsTable } from '../storage/location.table.ts';

@QueryHandler(GetLocation)
export class GetLocationHandler implements IQueryHandler<GetLocation> {
  constructor(private readonly reader: Reader) {}

  async execute({ locationId }: GetLocation): Promise<LocationView> {
    const row = await this.reader.one(
      this.reader.rows(locationsTable, 'location').andWhere('location.locationId = :locationId', { locationId }),
    );
    if (row === undefined) {
      throw new LocationNotFound(locationId);
    }
    return row;
  }
}
