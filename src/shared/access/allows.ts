import { applyDecorators } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import { MARKS } from '../http/openapi.ts';
import { routeConfig } from '../http/route-config.ts';
import type { CredentialKind } from './credentials.ts';
import type { Role } from './roles.ts';

/** Who may call a route: whoever has one of these roles, whoever has a key at all, or everybody without one. */
export type RouteAccess = readonly Role[] | 'anyone' | 'open';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Undefined: nobody. */
    access?: RouteAccess;
    /** The one kind of credential that the route takes; undefined: either. */
    credential?: CredentialKind;
  }
}

/*
 * Every route says who may call it with one of these; one that says nothing is refused to everybody, and
 * test/flow/access/route-roles.spec.ts fails.
 */

/** The roles that may call the route. A `store` may only where the request names its own location, and no other. */
export function Allows(...roles: readonly [Role, ...Role[]]): MethodDecorator {
  return access(roles);
}

/** Whoever has a key may call the route: it is about the caller's own credentials, or tells nothing of any tenant. */
export function AllowsAnyone(credential?: CredentialKind): MethodDecorator {
  if (credential === undefined) return access('anyone');
  return applyDecorators(
    access('anyone'),
    routeConfig({ credential }),
    ApiExtension(MARKS.credential, credential) as MethodDecorator,
  );
}

/** The route asks nobody for a key. */
export function Open(): MethodDecorator {
  return access('open');
}

function access(allowed: RouteAccess): MethodDecorator {
  return applyDecorators(routeConfig({ access: allowed }), ApiExtension(MARKS.access, allowed) as MethodDecorator);
}
