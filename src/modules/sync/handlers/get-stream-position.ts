import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Reader } from '../../../shared/persistence/reader.ts';
import { GetStreamPosition, type OpenedStream } from '../contract.ts';

const POSITION = `SELECT epoch AS "epoch", next_sequence AS "nextSequence" FROM store_streams
  WHERE tenant_id = :tenant AND location_id = :locationId`;

@QueryHandler(GetStreamPosition)
export class GetStreamPositionHandler implements IQueryHandler<GetStreamPosition> {
  constructor(private readonly reader: Reader) {}

  async execute({ locationId }: GetStreamPosition): Promise<OpenedStream> {
    const [stream] = await this.reader.select<OpenedStream>(POSITION, { locationId });
    return stream ?? { epoch: 0, nextSequence: 1 };
  }
}
