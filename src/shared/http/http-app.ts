import type { Server } from 'node:http';
import { type DynamicModule, Logger, Module, type OnApplicationBootstrap, Optional, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions } from 'fastify';
import { Logger as PinoLogger } from 'nestjs-pino';
import { type Admission, Gate } from '../access/gate.ts';
import { costOf } from '../access/limits/cost.ts';
import { RateLimits, whenKnown } from '../access/limits/rate-limits.ts';
import { RefusedAttempts } from '../audit/refused-attempts.ts';
import { registerHttpMetrics } from '../operations/http-metrics.ts';
import { Lifecycle } from '../operations/lifecycle.ts';
import { ProcessLog, registerRequestLog } from '../operations/logging.ts';
import { Metrics } from '../operations/metrics.ts';
import { Relay } from '../outbox/relay.ts';
import type { Settings } from '../settings.ts';
import { isApiRoute } from './api-routes.ts';
import { ONLY_CALLER } from './caller.ts';
import { ClientAddresses } from './client-address.ts';
import { capConnections } from './connection-caps.ts';
import { correlationIdOf } from './correlation-id.ts';
import { followConnections } from './drain.ts';
import { type Admit, registerContext, registerEdge } from './edge.ts';
import { type ApiDescription, CENTRE } from './openapi/document.ts';
import { serveOpenApi } from './openapi/page.ts';
import { sendProblem } from './problem.filter.ts';
import { answerClientError, answerConnect } from './raw-problem.ts';
import { originForm } from './request-head.ts';
import { RouteTable } from './route-table.ts';

/** What an app is made of: modules, or what their `forRoot` gives. */
export type AppPart = Type | DynamicModule;

/** How often Node looks for requests that are late: REQUEST_TIMEOUT_MS is kept to about this much. */
const LATE_REQUESTS_CHECK_MS = 1_000;

/** Holds the parts together. As the root of all modules it starts last. */
@Module({})
class AppRoot implements OnApplicationBootstrap {
  constructor(@Optional() private readonly relay?: Relay) {}

  onApplicationBootstrap(): void {
    this.relay?.start();
  }
}

/**
 * A Nest application with the whole HTTP edge around the given modules; not listening yet.
 * @param api what is said of it besides its calls; the centre's, unless given
 */
export async function createHttpApp(
  settings: Settings,
  parts: readonly AppPart[],
  api: ApiDescription = CENTRE,
): Promise<NestFastifyApplication> {
  const adapter = createAdapter(settings);
  const app = await NestFactory.create<NestFastifyApplication>({ module: AppRoot, imports: [...parts] }, adapter, {
    bodyParser: false,
    bufferLogs: true,
    abortOnError: false,
  });
  app.useLogger(app.get(PinoLogger));
  const fastify = app.getHttpAdapter().getInstance();
  const lifecycle = app.get(Lifecycle);
  const routes = new RouteTable(settings.urlBytesMax);
  routes.follow(fastify);
  const addresses = new ClientAddresses(settings.trustedProxies ?? []);
  // The order matters: context first, then what observes every request, then what may refuse it.
  registerContext(fastify, addresses, admitterOf(app, settings, api));
  registerHttpMetrics(fastify, app.get(Metrics));
  registerRequestLog(fastify, app.get(ProcessLog).pino);
  if (api.guarded && settings.auth === 'on') app.get(RefusedAttempts).watch(fastify);
  registerEdge(fastify, routes, settings, () => lifecycle.draining);
  serveOpenApi(app, api);
  const { server } = fastify;
  // Fastify takes 0 for its own default; for Node, and in run.md, it means that idle connections may stay.
  server.keepAliveTimeout = settings.keepAliveTimeoutMs;
  // Node drops headers beyond a number, unsaid; a condition may be among them. HEADER_BYTES_MAX bounds them all.
  server.maxHeadersCount = 0;
  followConnections(server);
  capConnections(server, addresses, app.get(Metrics), settings);
  server.on('connect', answerConnect);
  // Answered by its head first: whoever waits to be asked for the body is not asked for one that will be refused.
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  // An expectation may be ignored (RFC 9110, section 10.1.1); Node would answer 417 without a problem document.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  return app;
}

/** Who is let in: with AUTH=on whom the gate knows, else everybody, as an operator whose address stands for the key. */
function admitterOf(app: NestFastifyApplication, settings: Settings, { guarded }: ApiDescription): Admit {
  if (!guarded) return () => EVERYBODY;
  if (settings.auth === 'on') {
    const gate = app.get(Gate);
    return (request) => gate.admit(request);
  }
  const limits = app.get(RateLimits);
  return (request) => {
    if (request.is404 || !isApiRoute(request.routeOptions.url ?? '')) return EVERYBODY;
    const cost = costOf(request.method, request.routeOptions.config.cost);
    return whenKnown(limits.spend('operator', null, request.clientAddress, cost), ({ refusal, headers }) =>
      headers === null ? EVERYBODY : { ...EVERYBODY, refusal, limitHeaders: headers },
    );
  };
}

const EVERYBODY: Admission = { caller: ONLY_CALLER, principal: null, refusal: null, limitHeaders: null };

function createAdapter(settings: Settings): FastifyAdapter {
  const logger = new Logger('Problem');
  const options: FastifyHttpOptions<Server> = {
    logger: false,
    bodyLimit: settings.bodyBytesMax,
    requestTimeout: settings.requestTimeoutMs,
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    connectionTimeout: silenceMaxMs(settings),
    routerOptions: { maxParamLength: settings.urlBytesMax },
    http: {
      // Node counts the URL, too. With room to spare, a URL that is too long is seen whole and told so.
      maxHeaderSize: 2 * (settings.urlBytesMax + settings.headerBytesMax),
      headersTimeout: settings.headersTimeoutMs,
      connectionsCheckingInterval: LATE_REQUESTS_CHECK_MS,
      requireHostHeader: false,
    },
    // Whoever stops the app lets it finish first; then there is nobody left to be told 503.
    return503OnClosing: false,
    rewriteUrl: ({ url = '/' }) => originForm(url),
    genReqId: correlationIdOf,
    frameworkErrors: (error, request, reply) => {
      sendProblem(error, request, reply, logger);
    },
    clientErrorHandler: (error, socket) => {
      answerClientError(error, socket, settings.urlBytesMax);
    },
  };
  // No module brings a middleware of the kind that Express has, so no request has to pass what runs them.
  return new FastifyAdapter({ ...options, skipMiddie: true });
}

/** A connection on which nothing moves for longer than any request can take is dead, in milliseconds. */
function silenceMaxMs({ requestTimeoutMs, queueWaitMaxMs, databaseStatementMaxMs }: Settings): number {
  return requestTimeoutMs + queueWaitMaxMs + databaseStatementMaxMs;
}
