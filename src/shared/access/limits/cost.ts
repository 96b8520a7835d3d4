import { applyDecorators } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import { READS } from '../../http/http-methods.ts';
import { MARKS } from '../../http/openapi.ts';
import { routeConfig } from '../../http/route-config.ts';

/** What a request costs the server, roughly; each class has a limit of its own (docs/decisions/0032). */
export const COST_CLASSES = ['reads', 'writes', 'bulk'] as const;
export type CostClass = (typeof COST_CLASSES)[number];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Undefined: as its method tells. */
    cost?: CostClass;
  }
}

/** For a route that costs something else than its method tells: a POST that only reads, a request for thousands of rows. */
export function Costs(cost: CostClass): MethodDecorator {
  return applyDecorators(routeConfig({ cost }), ApiExtension(MARKS.cost, cost) as MethodDecorator);
}

/** @param declared by `Costs` */
export function costOf(method: string, declared: CostClass | undefined): CostClass {
  return declared ?? (READS.has(method) ? 'reads' : 'writes');
}
