import { Aggregate } from '../../../shared/kernel/aggregate.ts';
import type { Instant } from '../../../shared/kernel/clock.ts';
import type { EventDefinition } from '../../../shared/kernel/domain-event.ts';
import { LocationChanged, LocationCreated, type LocationKind } from '../contract.ts';

/** What a caller may say about a location. */
export interface LocationContent {
  readonly name: string;
  readonly kind: LocationKind;
  /** 0..1000; sourcing takes lower ones first. */
  readonly priority: number;
  /** False: sourcing passes the location by; lines that ask for it are served. */
  readonly sellsOnline: boolean;
}

export interface LocationState extends LocationContent {
  readonly locationId: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly version: number;
}

/** A place that has stock. */
export class Location extends Aggregate<LocationState> {
  static of(state: LocationState): Location {
    return new Location(state);
  }

  static create(locationId: string, { name, kind, priority, sellsOnline }: LocationContent, at: Instant): Location {
    const content = { locationId, name, kind, priority, sellsOnline };
    const location = new Location({ ...content, createdAt: at, updatedAt: at, version: 1 });
    location.tell(LocationCreated, at);
    return location;
  }

  /**
   * Replaces the content.
   * @returns false when it is the same as before: nothing changed, not even the version
   */
  put({ name, kind, priority, sellsOnline }: LocationContent, at: Instant): boolean {
    const present = this.state;
    const same =
      name === present.name &&
      kind === present.kind &&
      priority === present.priority &&
      sellsOnline === present.sellsOnline;
    if (same) return false;
    this.change({ name, kind, priority, sellsOnline, updatedAt: at });
    this.tell(LocationChanged, at);
    return true;
  }

  private tell({ type, version }: EventDefinition, occurredAt: Instant): void {
    const { locationId, name, kind, priority, sellsOnline, version: subjectVersion } = this.state;
    const data = { locationId, name, kind, priority, sellsOnline };
    this.record({ type, version, subject: `location/${locationId}`, subjectVersion, locationId, data, occurredAt });
  }
}
