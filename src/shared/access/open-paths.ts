import { isLoopback, type Settings } from '../settings.ts';

/** What a probe may always ask, or nobody would know that a server with a broken key table needs help. */
const PROBES: ReadonlySet<string> = new Set(['/health/live', '/health/ready']);

/** @param path a route's pattern or, where no route was found, the path that was asked for */
export function isOpened(path: string, settings: Settings): boolean {
  if (PROBES.has(path)) return true;
  if (isDocumentation(path)) return settings.docsOpen === 'on';
  return path === '/metrics' && metricsAreOpen(settings);
}

/** Pages about the API, which Swagger serves: its routes cannot be given a decorator. */
export function isDocumentation(path: string): boolean {
  return path === '/docs' || path === '/openapi.json' || path.startsWith('/docs/');
}

/** How much a shop sells can be read off its metrics, so only the machine itself sees them unless somebody says so. */
function metricsAreOpen({ metricsOpen, host }: Settings): boolean {
  return metricsOpen === 'loopback' ? isLoopback(host) : metricsOpen === 'on';
}
