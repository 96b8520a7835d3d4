import type { Reach } from '../kernel/context.ts';

/** What a caller is; each route names those that it allows, and nobody else may call it. */
export const ROLES = ['platform', 'operator', 'storefront', 'store', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/** What a key is: of one role, or the first key of a database, which is platform and operator in one. */
export const KEY_ROLES = [...ROLES, 'admin'] as const;
export type KeyRole = (typeof KEY_ROLES)[number];

const ROLES_OF_ADMIN: readonly Role[] = ['platform', 'operator'];

export function rolesOf(role: KeyRole): readonly Role[] {
  return role === 'admin' ? ROLES_OF_ADMIN : [role];
}

export function isPlatform(role: KeyRole): boolean {
  return role === 'admin' || role === 'platform';
}

/** @returns what of its tenant a caller of this role may touch; null: all of it */
export function reachOf(role: KeyRole, clientId: string, locationId: string | null): Reach | null {
  if (role === 'storefront') return { clientId, locationId: null };
  // A location without a name is nowhere: a store key that has lost its location reaches nothing.
  if (role === 'store') return { clientId: null, locationId: locationId ?? '' };
  return null;
}
