import { Injectable } from '@nestjs/common';
import { type CryptoKey, errors, jwtVerify, SignJWT } from 'jose';
import { Clock, type Instant } from '../kernel/clock.ts';
import { Ids } from '../kernel/ids.ts';
import { Settings } from '../settings.ts';
import { CLOCK_TOLERANCE_SECONDS, SigningKeys, TOKEN_ALGORITHM } from './signing-keys.ts';

/** What a token says. What its key may do is not in it: that is read with each request, so that it is never old. */
export interface TokenClaims {
  readonly tokenId: string;
  readonly tenantId: string;
  readonly keyId: string;
  readonly notBefore: Instant;
  readonly expiresAt: Instant;
}

/** Ours alone: a token of another service that happens to be signed alike is none of ours. */
const ISSUER = 'holdfast';
const AUDIENCE = 'holdfast-api';
/** RFC 9068, section 2.1: so that no other kind of token passes for one. */
const TYPE = 'at+jwt';

const MS_PER_SECOND = 1_000;
const TOLERANCE_MS = CLOCK_TOLERANCE_SECONDS * MS_PER_SECOND;

/** Tokens whose signature was found right before: checking it takes 200 µs, which is as much as a whole reservation. */
const VERIFIED_TOKENS_MAX = 10_000;

export interface IssuedToken {
  readonly tokenId: string;
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly expiresAt: Instant;
}

/** Short-lived tokens (JWT, RFC 7519), made for a key and used instead of it. */
@Injectable()
export class AccessTokens {
  private readonly verified = new Map<string, TokenClaims>();

  constructor(
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly settings: Settings,
  ) {}

  /**
   * @param notAfter when the key itself is over: no token outlives it; null: never
   * @throws as UnitOfWork.run
   */
  async issue(tenantId: string, keyId: string, notAfter: Instant | null): Promise<IssuedToken> {
    const { id: kid, privateKey } = await this.keys.signing();
    const now = Math.floor(this.clock.now() / MS_PER_SECOND);
    const longest = now + this.settings.accessTokenSeconds;
    const expiresAt = notAfter === null ? longest : Math.min(longest, Math.floor(notAfter / MS_PER_SECOND));
    const tokenId = this.ids.next();
    const accessToken = await new SignJWT({ tid: tenantId })
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: TYPE, kid })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(keyId)
      .setJti(tokenId)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(expiresAt)
      .sign(privateKey);
    const expiresInSeconds = Math.max(0, expiresAt - now);
    return { tokenId, accessToken, expiresInSeconds, expiresAt: expiresAt * MS_PER_SECOND };
  }

  /** @returns from when on no server takes a token any more that was good until then, given back or not */
  forgettableAt(expiresAt: Instant): Instant {
    // Twice: the clock by which it is purged may be ahead of the one by which it is looked at.
    return expiresAt + 2 * TOLERANCE_MS;
  }

  /**
   * @returns null when it is no token of ours, not yet or not any more. Whether it was given back is not asked here.
   * @throws Unavailable (503)
   */
  async verify(token: string): Promise<TokenClaims | null> {
    const claims = this.verified.get(token) ?? (await this.check(token));
    if (claims === null) return null;
    const now = this.clock.now();
    if (now >= claims.expiresAt + TOLERANCE_MS || now < claims.notBefore - TOLERANCE_MS) {
      this.verified.delete(token);
      return null;
    }
    return claims;
  }

  private async check(token: string): Promise<TokenClaims | null> {
    try {
      const { payload } = await jwtVerify(token, (header) => this.publicKeyOf(header), {
        algorithms: [TOKEN_ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: TYPE,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.clock.now()),
        requiredClaims: ['exp', 'nbf', 'iat', 'jti', 'sub', 'tid'],
      });
      const { jti, sub, tid, exp, nbf } = payload;
      // What only a server can have signed; but a text is what the look-up takes.
      if (typeof tid !== 'string' || typeof jti !== 'string' || typeof sub !== 'string' || exp === undefined)
        return null;
      const claims: TokenClaims = {
        tokenId: jti,
        tenantId: tid,
        keyId: sub,
        notBefore: (nbf ?? 0) * MS_PER_SECOND,
        expiresAt: exp * MS_PER_SECOND,
      };
      this.remember(token, claims);
      return claims;
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }

  /** Of a header that anybody can have written: its members are what their types say only when they have been looked at. */
  private async publicKeyOf({ kid }: { readonly kid?: unknown }): Promise<CryptoKey> {
    const key = typeof kid === 'string' && KID.test(kid) ? await this.keys.verifying(kid) : null;
    if (key === null) throw new errors.JWKSNoMatchingKey();
    return key;
  }

  /** The oldest make way, which are over first. */
  private remember(token: string, claims: TokenClaims): void {
    const [oldest] = this.verified.keys();
    if (this.verified.size >= VERIFIED_TOKENS_MAX && oldest !== undefined) this.verified.delete(oldest);
    this.verified.set(token, claims);
  }
}

/** Our ids are UUIDs; another text need not be looked for. */
const KID = /^[0-9a-f-]{36}$/;
