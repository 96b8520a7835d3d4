import type { Reach } from '../kernel/context.ts';

/** On whose behalf a request runs. */
export interface Caller {
  readonly tenantId: string;
  readonly clientId: string;
  readonly keyId: string | null;
  readonly reach: Reach | null;
}

/** Who asks while nobody is asked who they are (AUTH=off). */
export const ONLY_CALLER: Caller = { tenantId: 'default', clientId: 'default', keyId: null, reach: null };

/**
 * Nobody was asked, or nobody could tell. Of no tenant and of no place in it, so whatever such a request reads is
 * nobody's. `*` is no id.
 */
export const ANONYMOUS: Caller = {
  tenantId: '*',
  clientId: 'anonymous',
  keyId: null,
  reach: { clientId: '', locationId: '' },
};
