import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { currentContext } from '../../../shared/kernel/context.ts';
import { GetLocation } from '../../inventory/contract.ts';

/** More than any chain has; past it they are asked for each time. */
const REMEMBERED_MAX = 10_000;

/** Whether there is such a location. One that was there once is remembered: no call removes any. */
@Injectable()
export class KnownLocations {
  private readonly known = new Set<string>();

  constructor(private readonly queries: QueryBus) {}

  /** @throws LocationNotFound */
  async assertKnown(locationId: string): Promise<void> {
    const name = `${currentContext().tenantId} ${locationId}`;
    if (this.known.has(name)) return;
    await this.queries.execute(new GetLocation(locationId));
    if (this.known.size < REMEMBERED_MAX) this.known.add(name);
  }
}
