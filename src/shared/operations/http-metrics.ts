import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.ts';
import { onRequestEnd } from './request-end.ts';

/** Feeds `http_request_duration_seconds`. See `onRequestEnd` for when to call it. */
export function registerHttpMetrics(fastify: FastifyInstance, metrics: Metrics): void {
  onRequestEnd(fastify, ({ request, route, status, durationMs }) => {
    metrics.observeHttpRequest(request.method, route, status, durationMs / 1000);
  });
}
