import { DomainError } from './domain-error.ts';

/**
 * Versions of which a caller accepts one, from `If-Match`. `any` is `*`: the resource has to exist; `none` is `*` in
 * `If-None-Match`: it must not.
 */
export type VersionMatch = 'any' | 'none' | readonly number[];

/** The resource has changed since the caller read it. */
export class VersionMismatch extends DomainError {
  readonly code = 'VERSION_MISMATCH';
  readonly kind = 'mismatch';

  constructor(presentVersion: number, wanted: VersionMatch) {
    const reason = wanted === 'none' ? 'and If-None-Match wants none to exist' : 'which If-Match does not name';
    super(`The resource is at version ${presentVersion}, ${reason}; read it again and decide anew`, { presentVersion });
  }
}

/**
 * @param presentVersion 0 for a resource that has no row yet
 * @throws VersionMismatch when the caller named versions and the present one is not among them
 */
export function assertVersionMatches(ifMatch: VersionMatch | null, presentVersion: number): void {
  if (ifMatch === null || accepts(ifMatch, presentVersion)) return;
  throw new VersionMismatch(presentVersion, ifMatch);
}

function accepts(wanted: VersionMatch, presentVersion: number): boolean {
  if (wanted === 'any') return presentVersion > 0;
  return wanted === 'none' ? presentVersion === 0 : wanted.includes(presentVersion);
}
