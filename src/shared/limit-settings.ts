import { whole } from './setting-kinds.ts';

/** How often who may ask, and how much a storefront may hold (docs/decisions/0032); 0 is no limit. Part of `SETTINGS`. */
export const LIMIT_SETTINGS = {
  RATE_LIMIT_WINDOW_SECONDS: whole(10, 1, 3600, 's', 'The time in which the limits below count; 0 of one is no limit.'),
  RATE_LIMIT_STOREFRONT_READS: whole(5000, 0, 1_000_000_000, 'requests', 'Most reads of a `storefront` key.'),
  RATE_LIMIT_STOREFRONT_WRITES: whole(1000, 0, 1_000_000_000, 'requests', 'Most writes of a `storefront` key.'),
  RATE_LIMIT_STOREFRONT_BULK: whole(50, 0, 1_000_000_000, 'requests', 'Most bulk requests of a `storefront` key.'),
  RATE_LIMIT_STORE_READS: whole(2000, 0, 1_000_000_000, 'requests', 'Most reads of a `store` key.'),
  RATE_LIMIT_STORE_WRITES: whole(1000, 0, 1_000_000_000, 'requests', 'Most writes of a `store` key.'),
  RATE_LIMIT_STORE_BULK: whole(600, 0, 1_000_000_000, 'requests', 'Most bulk requests of a `store` key.'),
  RATE_LIMIT_OPERATOR_READS: whole(0, 0, 1_000_000_000, 'requests', 'Most reads of an `operator` key.'),
  RATE_LIMIT_OPERATOR_WRITES: whole(0, 0, 1_000_000_000, 'requests', 'Most writes of an `operator` key.'),
  RATE_LIMIT_OPERATOR_BULK: whole(0, 0, 1_000_000_000, 'requests', 'Most bulk requests of an `operator` key.'),
  RATE_LIMIT_PLATFORM_READS: whole(0, 0, 1_000_000_000, 'requests', 'Most reads of a `platform` key.'),
  RATE_LIMIT_PLATFORM_WRITES: whole(0, 0, 1_000_000_000, 'requests', 'Most writes of a `platform` key.'),
  RATE_LIMIT_PLATFORM_BULK: whole(0, 0, 1_000_000_000, 'requests', 'Most bulk requests of a `platform` key.'),
  RATE_LIMIT_AUDITOR_READS: whole(0, 0, 1_000_000_000, 'requests', 'Most reads of an `auditor` key.'),
  RATE_LIMIT_AUDITOR_WRITES: whole(0, 0, 1_000_000_000, 'requests', 'Most writes of an `auditor` key.'),
  RATE_LIMIT_AUDITOR_BULK: whole(0, 0, 1_000_000_000, 'requests', 'Most bulk requests of an `auditor` key.'),
  RATE_LIMIT_ADDRESS_READS: whole(
    20_000,
    0,
    1_000_000_000,
    'requests',
    'Most reads from one address, of all who have a limit or no key.',
  ),
  RATE_LIMIT_ADDRESS_WRITES: whole(
    4000,
    0,
    1_000_000_000,
    'requests',
    'Most writes from one address, of all who have a limit or no key.',
  ),
  RATE_LIMIT_ADDRESS_BULK: whole(
    2400,
    0,
    1_000_000_000,
    'requests',
    'Most bulk requests from one address, of all who have a limit or no key.',
  ),
  RATE_LIMIT_ADDRESS_GUESSES: whole(
    300,
    0,
    1_000_000_000,
    'credentials',
    'Most different wrong keys and tokens from one address.',
  ),
  RATE_LIMIT_COUNTERS_MAX: whole(
    100_000,
    1000,
    10_000_000,
    'counters',
    'Most keys, and most addresses, that are counted at a time.',
  ),
  STOREFRONT_RESERVATIONS_MAX: whole(
    20_000,
    0,
    100_000_000,
    'reservations',
    'Most ACTIVE reservations of a `storefront` client; 0: no cap, as below.',
  ),
  STOREFRONT_UNITS_MAX: whole(
    200_000,
    0,
    100_000_000_000,
    'units',
    'Most units that a `storefront` client holds at a time.',
  ),
  STOREFRONT_CART_UNITS_MAX: whole(1000, 0, 100_000_000, 'units', 'Most units of one reservation of a `storefront`.'),
  STOREFRONT_RENEWALS_MAX: whole(
    200,
    0,
    1_000_000,
    'renewals',
    'Most updates and refreshes of one reservation by a `storefront`.',
  ),
  CONNECTIONS_MAX: whole(10_000, 1, 1_000_000, 'connections', 'Most open connections; one more is closed at once.'),
  CONNECTIONS_PER_ADDRESS_MAX: whole(
    2000,
    1,
    1_000_000,
    'connections',
    'The same from one address; proxies of `TRUSTED_PROXIES` may have more.',
  ),
};

/** The values of `LIMIT_SETTINGS`. */
export class LimitSettings {
  readonly rateLimitWindowSeconds: number;
  readonly rateLimitStorefrontReads: number;
  readonly rateLimitStorefrontWrites: number;
  readonly rateLimitStorefrontBulk: number;
  readonly rateLimitStoreReads: number;
  readonly rateLimitStoreWrites: number;
  readonly rateLimitStoreBulk: number;
  readonly rateLimitOperatorReads: number;
  readonly rateLimitOperatorWrites: number;
  readonly rateLimitOperatorBulk: number;
  readonly rateLimitPlatformReads: number;
  readonly rateLimitPlatformWrites: number;
  readonly rateLimitPlatformBulk: number;
  readonly rateLimitAuditorReads: number;
  readonly rateLimitAuditorWrites: number;
  readonly rateLimitAuditorBulk: number;
  readonly rateLimitAddressReads: number;
  readonly rateLimitAddressWrites: number;
  readonly rateLimitAddressBulk: number;
  readonly rateLimitAddressGuesses: number;
  readonly rateLimitCountersMax: number;
  readonly storefrontReservationsMax: number;
  readonly storefrontUnitsMax: number;
  readonly storefrontCartUnitsMax: number;
  readonly storefrontRenewalsMax: number;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;

  constructor(values: Readonly<Record<keyof typeof LIMIT_SETTINGS, number>>) {
    this.rateLimitWindowSeconds = values.RATE_LIMIT_WINDOW_SECONDS;
    this.rateLimitStorefrontReads = values.RATE_LIMIT_STOREFRONT_READS;
    this.rateLimitStorefrontWrites = values.RATE_LIMIT_STOREFRONT_WRITES;
    this.rateLimitStorefrontBulk = values.RATE_LIMIT_STOREFRONT_BULK;
    this.rateLimitStoreReads = values.RATE_LIMIT_STORE_READS;
    this.rateLimitStoreWrites = values.RATE_LIMIT_STORE_WRITES;
    this.rateLimitStoreBulk = values.RATE_LIMIT_STORE_BULK;
    this.rateLimitOperatorReads = values.RATE_LIMIT_OPERATOR_READS;
    this.rateLimitOperatorWrites = values.RATE_LIMIT_OPERATOR_WRITES;
    this.rateLimitOperatorBulk = values.RATE_LIMIT_OPERATOR_BULK;
    this.rateLimitPlatformReads = values.RATE_LIMIT_PLATFORM_READS;
    this.rateLimitPlatformWrites = values.RATE_LIMIT_PLATFORM_WRITES;
    this.rateLimitPlatformBulk = values.RATE_LIMIT_PLATFORM_BULK;
    this.rateLimitAuditorReads = values.RATE_LIMIT_AUDITOR_READS;
    this.rateLimitAuditorWrites = values.RATE_LIMIT_AUDITOR_WRITES;
    this.rateLimitAuditorBulk = values.RATE_LIMIT_AUDITOR_BULK;
    this.rateLimitAddressReads = values.RATE_LIMIT_ADDRESS_READS;
    this.rateLimitAddressWrites = values.RATE_LIMIT_ADDRESS_WRITES;
    this.rateLimitAddressBulk = values.RATE_LIMIT_ADDRESS_BULK;
    this.rateLimitAddressGuesses = values.RATE_LIMIT_ADDRESS_GUESSES;
    this.rateLimitCountersMax = values.RATE_LIMIT_COUNTERS_MAX;
    this.storefrontReservationsMax = values.STOREFRONT_RESERVATIONS_MAX;
    this.storefrontUnitsMax = values.STOREFRONT_UNITS_MAX;
    this.storefrontCartUnitsMax = values.STOREFRONT_CART_UNITS_MAX;
    this.storefrontRenewalsMax = values.STOREFRONT_RENEWALS_MAX;
    this.connectionsMax = values.CONNECTIONS_MAX;
    this.connectionsPerAddressMax = values.CONNECTIONS_PER_ADDRESS_MAX;
  }
}
