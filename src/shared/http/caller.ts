import type { FastifyRequest } from 'fastify';

/** On whose behalf a request runs. */
export interface Caller {
  readonly tenantId: string;
  readonly clientId: string;
}

export const ONLY_CALLER: Caller = { tenantId: 'default', clientId: 'default' };

/** The one place that decides on tenant and client. Until there is authentication, there is one of each. */
export function resolveCaller(_request: FastifyRequest): Caller {
  return ONLY_CALLER;
}
