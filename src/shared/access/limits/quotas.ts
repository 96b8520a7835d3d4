import type { Settings } from '../../settings.ts';
import type { KeyRole } from '../roles.ts';
import type { CostClass } from './cost.ts';
import type { Quota } from './counters.ts';

type QuotasByCost = Readonly<Record<CostClass, Quota | null>>;

/** Who may ask how often; null: as often as they like. */
export interface Quotas {
  readonly ofRole: Readonly<Record<KeyRole, QuotasByCost>>;
  /** Of everybody behind one address who has a limit, together. */
  readonly ofAddress: QuotasByCost;
  /** Different wrong credentials from one address. */
  readonly guesses: Quota | null;
}

export function quotasOf(settings: Settings): Quotas {
  const windowMs = settings.rateLimitWindowSeconds * 1000;
  const quota = (name: string, requests: number): Quota | null =>
    requests === 0 ? null : { name, requests, windowMs };
  const byCost = (suffix: string, reads: number, writes: number, bulk: number): QuotasByCost => ({
    reads: quota(`reads${suffix}`, reads),
    writes: quota(`writes${suffix}`, writes),
    bulk: quota(`bulk${suffix}`, bulk),
  });
  const operator = byCost(
    '',
    settings.rateLimitOperatorReads,
    settings.rateLimitOperatorWrites,
    settings.rateLimitOperatorBulk,
  );
  return {
    ofRole: {
      operator,
      // The first key of a database is both; what it does all day is an operator's.
      admin: operator,
      platform: byCost(
        '',
        settings.rateLimitPlatformReads,
        settings.rateLimitPlatformWrites,
        settings.rateLimitPlatformBulk,
      ),
      auditor: byCost(
        '',
        settings.rateLimitAuditorReads,
        settings.rateLimitAuditorWrites,
        settings.rateLimitAuditorBulk,
      ),
      storefront: byCost(
        '',
        settings.rateLimitStorefrontReads,
        settings.rateLimitStorefrontWrites,
        settings.rateLimitStorefrontBulk,
      ),
      store: byCost('', settings.rateLimitStoreReads, settings.rateLimitStoreWrites, settings.rateLimitStoreBulk),
    },
    ofAddress: byCost(
      '-of-address',
      settings.rateLimitAddressReads,
      settings.rateLimitAddressWrites,
      settings.rateLimitAddressBulk,
    ),
    guesses: quota('guesses-of-address', settings.rateLimitAddressGuesses),
  };
}
