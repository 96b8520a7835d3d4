import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyContextConfig } from 'fastify';

const known = new WeakMap<object, FastifyContextConfig>();

/** Adds to what Fastify knows of a route; Nest's own decorator would replace what another one has said. */
export function routeConfig(part: FastifyContextConfig): MethodDecorator {
  return (prototype, name, descriptor) => {
    const handler = descriptor.value as object;
    const config = { ...known.get(handler), ...part };
    known.set(handler, config);
    return (RouteConfig(config) as MethodDecorator)(prototype, name, descriptor);
  };
}
