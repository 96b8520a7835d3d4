import { Injectable } from '@nestjs/common';
import type { Instant } from '../../../shared/kernel/clock.ts';
import { Reader } from '../../../shared/persistence/reader.ts';
import { cautionPercentAt, type KnownFreshness } from '../domain/location-freshness.ts';
import { FRESHNESS_COLUMNS, namesOf } from './stock-reads.ts';

const ROWS = `SELECT f.location_id AS "locationId", ${FRESHNESS_COLUMNS}
  FROM json_each(:locations) AS wanted
  JOIN location_freshness f ON f.tenant_id = :tenant AND f.location_id = wanted.key`;

/** Mostly none: while they are heard from, no location keeps anything back. */
const LATE = `SELECT f.location_id AS "locationId", ${FRESHNESS_COLUMNS} FROM location_freshness f
  WHERE f.tenant_id = :tenant AND f.last_sequence IS NOT NULL
    AND (f.stale_caution_percent > 0 OR f.silent_caution_percent > 0)
    AND :at - f.last_contact_at >= f.stale_after_seconds * 1000`;

type Located = NonNullable<KnownFreshness> & { readonly locationId: string };

/** What reads have to know of locations besides the rows that they are about. */
@Injectable()
export class FreshnessReads {
  constructor(private readonly reader: Reader) {}

  /** What is known of those of the locations that were ever heard from. */
  async of(locationIds: Iterable<string>): Promise<ReadonlyMap<string, NonNullable<KnownFreshness>>> {
    const wanted = new Set(locationIds);
    if (wanted.size === 0) return new Map();
    const rows = await this.reader.select<Located>(ROWS, { locations: namesOf(wanted) });
    return new Map(rows.map((row) => [row.locationId, row]));
  }

  /** The locations where commands leave a share of on-hand alone at `at`, by its percent. */
  async cautious(at: Instant): Promise<ReadonlyMap<number, readonly string[]>> {
    const cautious = new Map<number, string[]>();
    for (const row of await this.reader.select<Located>(LATE, { at })) {
      const percent = cautionPercentAt(row, at);
      if (percent > 0) cautious.set(percent, [...(cautious.get(percent) ?? []), row.locationId]);
    }
    return cautious;
  }
}
