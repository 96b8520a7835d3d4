import { DomainError } from '../kernel/domain-error.ts';

/** There is no such tenant. */
export class TenantNotFound extends DomainError {
  readonly code = 'NOT_FOUND';
  readonly kind = 'missing';

  constructor(tenantId: string) {
    super(`There is no tenant ${tenantId}`, { tenantId });
  }
}

/** There is no such key, or it is not the caller's to see. */
export class KeyNotFound extends DomainError {
  readonly code = 'NOT_FOUND';
  readonly kind = 'missing';

  constructor(keyId: string) {
    super(`There is no key ${keyId}`, { keyId });
  }
}

/** The id belongs to a tenant of another name. */
export class TenantExists extends DomainError {
  readonly code = 'TENANT_EXISTS';
  readonly kind = 'refused';

  constructor(tenantId: string) {
    super(`There is a tenant ${tenantId} of another name; take another id`, { tenantId });
  }
}

/** The request is about the keys of a tenant that there is not. */
export class UnknownTenant extends DomainError {
  readonly code = 'UNKNOWN_TENANT';
  readonly kind = 'unprocessable';

  constructor(tenantId: string) {
    super(`No such tenant: ${tenantId}`, { tenantId });
  }
}
