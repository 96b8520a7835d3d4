import { DomainError } from './domain-error.ts';

/** Versions of which a caller accepts one, from `If-Match`; `any` is `*`: the resource has to exist. */
export type VersionMatch = 'any' | readonly number[];

/** The resource has changed since the caller read it. */
export class VersionMismatch extends DomainError {
  readonly code = 'VERSION_MISMATCH';
  readonly kind = 'mismatch';

  constructor(presentVersion: number) {
    super(`The resource is at version ${presentVersion}, which If-Match does not name; read it again and decide anew`, {
      presentVersion,
    });
  }
}

/**
 * @param presentVersion 0 for a resource that has no row yet
 * @throws VersionMismatch when the caller named versions and the present one is not among them
 */
export function assertVersionMatches(ifMatch: VersionMatch | null, presentVersion: number): void {
  if (ifMatch === null || (ifMatch === 'any' && presentVersion > 0)) return;
  if (ifMatch === 'any' || !ifMatch.includes(presentVersion)) {
    throw new VersionMismatch(presentVersion);
  }
}
