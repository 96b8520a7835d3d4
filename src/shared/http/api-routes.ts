/** What every server has besides its API: probes, metrics, documentation. They are lenient, and speak other media types. */
const BESIDES = /^\/(?:health|metrics|docs|openapi\.json)(?:\/|$)/;

/** @param route the pattern of a route; undefined: none was found */
export function isApiRoute(route: string | undefined): boolean {
  return route !== undefined && route !== '' && !BESIDES.test(route);
}
