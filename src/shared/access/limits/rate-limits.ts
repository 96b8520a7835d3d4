import { Injectable } from '@nestjs/common';
import { networkOf } from '../../http/client-address.ts';
import { DomainError } from '../../kernel/domain-error.ts';
import { Metrics, type RateLimitScope } from '../../operations/metrics.ts';
import { Settings } from '../../settings.ts';
import type { KeyRole } from '../roles.ts';
import { type CostClass } from './cost.ts';
import { Counters, type Quota, type Standing } from './counters.ts';
import { quotasOf } from './quotas.ts';
import { RecentTexts } from './recent-texts.ts';

/** What the limits say of a request. */
export interface Spent {
  /** For the answer, whatever it will be; null: nobody counts this caller. */
  readonly headers: Readonly<Record<string, string>> | null;
  readonly refusal: RateLimited | null;
}

/** The caller has asked more often than it may. */
export class RateLimited extends DomainError {
  readonly code = 'RATE_LIMITED';
  readonly kind = 'limited';

  constructor(
    { name, requests, windowMs }: Quota,
    readonly retryAfterSeconds: number,
  ) {
    const windowSeconds = windowMs / 1000;
    super(`No more than ${requests} ${name} in ${windowSeconds} s; come back in ${retryAfterSeconds} s`, {
      limit: name,
      max: requests,
      remaining: 0,
      windowSeconds,
    });
  }
}

const FREE: Spent = { headers: null, refusal: null };

/** Credentials that were good lately, and wrong ones that were seen lately: about 1 MB each. */
const CREDENTIALS_REMEMBERED_MAX = 10_000;

/**
 * How often who may ask (docs/decisions/0032). A caller is counted by its key, or by its address where there is none, and
 * by its address besides. Who has no limit is not counted at all.
 *
 * In the path of every request: while the counters answer at once, it makes no promise.
 */
@Injectable()
export class RateLimits {
  private readonly quotas;
  private readonly goodLately = new RecentTexts(CREDENTIALS_REMEMBERED_MAX);
  private readonly wrongLately = new RecentTexts(CREDENTIALS_REMEMBERED_MAX);

  constructor(
    settings: Settings,
    private readonly counters: Counters,
    private readonly metrics: Metrics,
  ) {
    this.quotas = quotasOf(settings);
  }

  /** @param keyId null: nobody was asked for a key, and the address stands for it */
  spend(role: KeyRole, keyId: string | null, address: string | null, cost: CostClass): Spent | Promise<Spent> {
    const quota = this.quotas.ofRole[role][cost];
    if (quota === null) return FREE;
    const network = networkOf(address ?? '');
    const own =
      keyId === null ? this.counters.take('addresses', network, quota, 1) : this.counters.take('keys', keyId, quota, 1);
    return whenKnown(own, (standing) => {
      if (!standing.admitted) return this.refuse(quota, standing, 'key', cost);
      const ofAddress = this.quotas.ofAddress[cost];
      if (ofAddress === null) return admit(quota, standing);
      return whenKnown(this.counters.take('addresses', network, ofAddress, 1), (other) => {
        if (!other.admitted) return this.refuse(ofAddress, other, 'address', cost);
        return other.remaining < standing.remaining ? admit(ofAddress, other) : admit(quota, standing);
      });
    });
  }

  /** A request without a good credential is counted by its address alone. */
  spendOfStranger(address: string | null, cost: CostClass): Spent | Promise<Spent> {
    const quota = this.quotas.ofAddress[cost];
    if (quota === null) return FREE;
    return whenKnown(this.counters.take('addresses', networkOf(address ?? ''), quota, 1), (standing) =>
      standing.admitted ? admit(quota, standing) : this.refuse(quota, standing, 'address', cost),
    );
  }

  /**
   * Whether an address has guessed so often that its credentials are not even looked up. One that was good lately is:
   * whoever shares an address with somebody who guesses must not be shut out by it.
   * @param credential its hash
   */
  spendNothingOfGuesses(address: string | null, credential: string): Spent | Promise<Spent> {
    const { guesses } = this.quotas;
    if (guesses === null || this.goodLately.has(credential)) return FREE;
    return whenKnown(this.counters.take('addresses', networkOf(address ?? ''), guesses, 0), (standing) =>
      standing.admitted ? FREE : this.refuse(guesses, standing, 'guesses'),
    );
  }

  noteGood(credential: string): void {
    this.goodLately.add(credential);
  }

  /** A credential was wrong. Sending the same wrong one again is no guess: a client that was not told of a new key does. */
  noteWrong(address: string | null, credential: string): Spent | Promise<Spent> {
    const { guesses } = this.quotas;
    const network = networkOf(address ?? '');
    const guess = `${network} ${credential}`;
    if (guesses === null || this.wrongLately.has(guess)) return FREE;
    this.wrongLately.add(guess);
    return whenKnown(this.counters.take('addresses', network, guesses, 1), (standing) =>
      standing.admitted ? FREE : this.refuse(guesses, standing, 'guesses'),
    );
  }

  private refuse(quota: Quota, standing: Standing, scope: RateLimitScope, cost?: CostClass): Spent {
    this.metrics.countRateLimited(scope, cost ?? 'any');
    return { headers: headersOf(quota, standing), refusal: new RateLimited(quota, secondsOf(standing)) };
  }
}

function admit(quota: Quota, standing: Standing): Spent {
  return { headers: headersOf(quota, standing), refusal: null };
}

/** Draft-ietf-httpapi-ratelimit-headers, as structured fields: the policy that will be reached first, and how far it is. */
function headersOf({ name, requests, windowMs }: Quota, standing: Standing): Record<string, string> {
  return {
    'ratelimit-policy': `"${name}";q=${requests};w=${windowMs / 1000}`,
    ratelimit: `"${name}";r=${standing.remaining};t=${secondsOf(standing)}`,
  };
}

function secondsOf({ resetMs }: Standing): number {
  return Math.max(1, Math.ceil(resetMs / 1000));
}

/** Goes on at once where there is nothing to wait for. */
export function whenKnown<A, B>(value: A | Promise<A>, next: (value: A) => B | Promise<B>): B | Promise<B> {
  return value instanceof Promise ? value.then(next) : next(value);
}
