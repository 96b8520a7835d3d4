import type { FastifyInstance } from 'fastify';
import createRouter, { type HTTPMethod, type HTTPVersion, type Instance } from 'find-my-way';

/**
 * Which methods a path takes. Fastify's own router answers for one method only and cannot say what else there is, so the
 * same routes are put into a second one, which is asked when the first has found nothing.
 */
export class RouteTable {
  private readonly router: Instance<HTTPVersion.V1>;
  private readonly methods = new Set<HTTPMethod>();

  /** @param paramLengthMax as in the router of the server, or a long path would be found there and not here */
  constructor(paramLengthMax: number) {
    this.router = createRouter({ maxParamLength: paramLengthMax });
  }

  /** Fills the table from the routes that are added from now on. */
  follow(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat() as HTTPMethod[]) {
        if (!this.router.hasRoute(one, url)) {
          this.router.on(one, url, () => undefined);
        }
        this.methods.add(one);
      }
    });
  }

  /** @returns the methods that the path of this URL takes, in alphabetical order; none: there is no such path */
  methodsOf(url: string): string[] {
    if (!url.startsWith('/')) return [];
    return [...this.methods].filter((method) => this.finds(method, url)).sort();
  }

  private finds(method: HTTPMethod, url: string): boolean {
    const route = this.router.find(method, url);
    return route !== null && !hasEmptyParameter(route.params);
  }
}

/** `/v1/stock//S1` matches `/v1/stock/:sku/:locationId` with an empty sku; there is no such path. */
export function hasEmptyParameter(params: unknown): boolean {
  const values = params as Readonly<Record<string, string | undefined>>;
  for (const name in values) {
    if (values[name] === '' && name !== '*') return true;
  }
  return false;
}
