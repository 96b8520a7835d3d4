import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Page } from '../../../shared/kernel/page.ts';
import { decodeCursor, encodeCursor } from '../../../shared/http/page-cursor.ts';
import { pageOf, Reader } from '../../../shared/persistence/reader.ts';
import { ListLocations, type LocationView } from '../contract.ts';
import { locationsTable } from '../storage/location.table.ts';

/** All locations, by id. */
@QueryHandler(ListLocations)
export class ListLocationsHandler implements IQueryHandler<ListLocations> {
  constructor(private readonly reader: Reader) {}

  async execute({ limit, cursor }: ListLocations): Promise<Page<LocationView>> {
    const rows = this.reader
      .rows(locationsTable, 'location')
      .orderBy('location.locationId')
      .limit(limit + 1);
    if (cursor !== null) {
      const [after] = decodeCursor(cursor, 'locations', {});
      rows.andWhere('location.locationId > :after', { after });
    }
    return pageOf(await this.reader.many(rows), limit, ({ locationId }) => encodeCursor('locations', {}, [locationId]));
  }
}
