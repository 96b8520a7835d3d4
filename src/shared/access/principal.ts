import type { FastifyRequest } from 'fastify';
import type { DomainError } from '../kernel/domain-error.ts';
import type { Instant } from '../kernel/clock.ts';
import type { KeyRole } from './roles.ts';

/** A caller whose credential is good. */
export interface Principal {
  readonly tenantId: string;
  readonly clientId: string;
  readonly keyId: string;
  readonly role: KeyRole;
  readonly locationId: string | null;
  /** When the key is over by itself; null: never. */
  readonly keyExpiresAt: Instant | null;
  /** Of a tenant that may do nothing now. */
  readonly suspended: boolean;
  /** The token that was sent instead of the key; null: the key itself was. */
  readonly token: { readonly id: string; readonly expiresAt: Instant } | null;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Null: nobody was asked (AUTH=off, or an open route), or the credential was refused. */
    principal: Principal | null;
    /** Why the caller may not do this; answered before anything else of the request is looked at. */
    accessRefusal: DomainError | null;
  }
}

/** @returns who asks; null while nobody is asked who they are */
export function principalOf(request: FastifyRequest): Principal | null {
  return request.principal;
}
