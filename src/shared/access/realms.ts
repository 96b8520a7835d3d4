import { NO_TENANT } from '../housekeeping/retention-marks.ts';
import { currentContext, runInContext } from '../kernel/context.ts';

/*
 * Administration crosses tenants, and this is where: a work about tenants runs as one of no tenant, and one about the
 * keys of another tenant as one of that tenant. The caller is named with its own tenant then. No client's id has an @, so
 * nobody of that tenant can be taken for it, nor have its Idempotency-Keys.
 */

export function ofPlatform<T>(work: () => Promise<T>): Promise<T> {
  return ofTenant(NO_TENANT, work);
}

export function ofTenant<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
  const context = currentContext();
  if (context.tenantId === tenantId) return work();
  const clientId = `${context.clientId}@${context.tenantId}`;
  return runInContext({ ...context, tenantId, clientId, reach: null }, work);
}
