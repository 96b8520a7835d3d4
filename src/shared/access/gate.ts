import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Clock, type Instant } from '../kernel/clock.ts';
import { ANONYMOUS, type Caller } from '../http/caller.ts';
import { DomainError } from '../kernel/domain-error.ts';
import { READS } from '../http/http-methods.ts';
import { pathOf } from '../http/problem.filter.ts';
import { Settings } from '../settings.ts';
import { credentialMissing, credentialRefused, forbidden, severalCredentials } from './access.errors.ts';
import { AccessTokens } from './access-tokens.ts';
import type { RouteAccess } from './allows.ts';
import { hashOfKey } from './api-key.ts';
import { type Credential, credentialOf } from './credentials.ts';
import { type FoundKey, KeyLookup } from './key-lookup.ts';
import { LastUse } from './last-use.ts';
import { costOf } from './limits/cost.ts';
import { RateLimits, type Spent, whenKnown } from './limits/rate-limits.ts';
import { isDocumentation, isOpened } from './open-paths.ts';
import { faultOfNamingOnly, faultOfNamingOther } from './own-location.ts';
import type { Principal } from './principal.ts';
import { reachOf, rolesOf } from './roles.ts';

/** What the gate has found out of a request: on whose behalf it runs, and why it may not, if so. */
export interface Admission {
  readonly caller: Caller;
  readonly principal: Principal | null;
  readonly refusal: DomainError | null;
  /** What the limits say, for the answer; null: nobody counts. */
  readonly limitHeaders: Spent['headers'];
}

/** Decides with the head of a request who asks, and whether they may call this route (docs/decisions/0030). */
@Injectable()
export class Gate {
  constructor(
    private readonly keys: KeyLookup,
    private readonly tokens: AccessTokens,
    private readonly lastUse: LastUse,
    private readonly limits: RateLimits,
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {}

  /**
   * A refusal is part of what it answers. In the path of every request, so it makes as few promises as it can.
   * @throws what is a mistake of ours
   */
  admit(request: FastifyRequest): Promise<Admission> | Admission {
    const access = accessOf(request, this.settings);
    if (access === 'open') return OPEN;
    const credential = credentialOf(request.raw);
    if (credential === null) return this.refuseStranger(request, credentialMissing());
    if (credential === 'several') return this.refuseStranger(request, severalCredentials());
    if (credential === 'malformed') return this.refuseStranger(request, credentialRefused());
    const hash = hashOfKey(credential.text);
    return whenKnown(this.limits.spendNothingOfGuesses(request.clientAddress, hash), (guesses) => {
      if (guesses.refusal !== null) return refused(guesses.refusal, guesses.headers);
      return this.find(credential, hash).then(
        (found) => this.decide(request, access, hash, found),
        (error: unknown) => refused(error),
      );
    });
  }

  /** Whether who was admitted still may; nothing is counted, and nothing noted of the credential. */
  async stillAdmits(request: FastifyRequest): Promise<boolean> {
    const credential = credentialOf(request.raw);
    if (credential === null || typeof credential === 'string') return false;
    const found = await this.find(credential, hashOfKey(credential.text));
    if (found === null || !isGood(found.key, this.clock.now())) return false;
    return refusalOfRoute(request, accessOf(request, this.settings), principalFrom(found)) === null;
  }

  private find({ kind, text }: Credential, hash: string): Promise<Found | null> {
    if (kind === 'token') return this.findOfToken(text);
    return this.keys.ofKey(hash).then((key) => (key === null ? null : { key, token: null }));
  }

  private async findOfToken(text: string): Promise<Found | null> {
    const claims = await this.tokens.verify(text);
    if (claims === null) return null;
    const key = await this.keys.ofToken(claims.tenantId, claims.keyId, claims.tokenId);
    return key === null ? null : { key, token: { id: claims.tokenId, expiresAt: claims.expiresAt } };
  }

  private decide(
    request: FastifyRequest,
    access: RouteAccess | undefined,
    hash: string,
    found: Found | null,
  ): Promise<Admission> | Admission {
    const now = this.clock.now();
    const { clientAddress } = request;
    if (found === null || !isGood(found.key, now)) {
      return whenKnown(this.limits.noteWrong(clientAddress, hash), ({ refusal, headers }) =>
        refusal === null ? this.refuseStranger(request, credentialRefused()) : refused(refusal, headers),
      );
    }
    this.lastUse.note(found.key, now);
    this.limits.noteGood(hash);
    const principal = principalFrom(found);
    const caller = callerOf(principal);
    const cost = costOf(request.method, request.routeOptions.config.cost);
    return whenKnown(this.limits.spend(principal.role, principal.keyId, clientAddress, cost), (spent) => {
      const refusal = spent.refusal ?? refusalOfRoute(request, access, principal);
      return { caller, principal, refusal, limitHeaders: spent.headers };
    });
  }

  private refuseStranger(request: FastifyRequest, refusal: DomainError): Promise<Admission> | Admission {
    const cost = costOf(request.method, request.routeOptions.config.cost);
    return whenKnown(this.limits.spendOfStranger(request.clientAddress, cost), (spent) =>
      refused(spent.refusal ?? refusal, spent.headers),
    );
  }
}

/** What a credential stands for. */
interface Found {
  readonly key: FoundKey;
  readonly token: Principal['token'];
}

const OPEN: Admission = { caller: ANONYMOUS, principal: null, refusal: null, limitHeaders: null };

/** A mistake of ours lets nobody in, either: it goes on as what it is, and is answered with 500. */
function refused(error: unknown, limitHeaders: Spent['headers'] = null): Admission {
  if (!(error instanceof DomainError)) throw error;
  return { caller: ANONYMOUS, principal: null, refusal: error, limitHeaders };
}

function isGood(key: FoundKey, now: Instant): boolean {
  return (
    key.revokedAt === null &&
    (key.expiresAt === null || now < key.expiresAt) &&
    key.tenantStatus !== null &&
    key.tokenRevoked === 0
  );
}

function principalFrom({ key, token }: Found): Principal {
  const { tenantId, clientId, keyId, role, locationId, expiresAt, tenantStatus } = key;
  const suspended = tenantStatus === 'SUSPENDED';
  return { tenantId, clientId, keyId, role, locationId, keyExpiresAt: expiresAt, suspended, token };
}

function callerOf({ tenantId, clientId, keyId, role, locationId }: Principal): Caller {
  return { tenantId, clientId, keyId, reach: reachOf(role, clientId, locationId) };
}

/** @returns who may call what is asked for; undefined where that is nobody */
function accessOf(request: FastifyRequest, settings: Settings): RouteAccess | undefined {
  const { url = '', config } = request.routeOptions;
  // That a path leads nowhere is told to whoever may know which ones there are.
  if (request.is404) return isOpened(pathOf(request.url), settings) ? 'open' : 'anyone';
  if (isOpened(url, settings)) return 'open';
  return config.access ?? (isDocumentation(url) ? 'anyone' : undefined);
}

/** @returns why somebody who is known may not call the route; null when they may */
function refusalOfRoute(
  { method, params, query, routeOptions }: FastifyRequest,
  access: RouteAccess | undefined,
  { role, locationId, suspended, token }: Principal,
): DomainError | null {
  const roles = rolesOf(role);
  // Whoever runs the platform can mend it, also when their own tenant is the one that is suspended.
  const present = suspended ? roles.filter((one) => one === 'platform') : roles;
  if (present.length === 0) return forbidden('The tenant is suspended');
  const { credential } = routeOptions.config;
  if (credential !== undefined && credential !== (token === null ? 'key' : 'token')) {
    return forbidden(`This call is for a ${credential} only`);
  }
  if (access === 'anyone') return null;
  if (access === undefined || access === 'open' || !access.some((allowed) => present.includes(allowed))) {
    return forbidden('The key may not do this; docs/access.md says which role may');
  }
  if (role !== 'store') return null;
  // What a body names is looked at when it has been read (validation.ts).
  const faultOf = READS.has(method) ? faultOfNamingOnly : faultOfNamingOther;
  return faultOf(locationId, [params, query]);
}
