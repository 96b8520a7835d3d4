import { applyDecorators } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  ApiExtraModels,
  ApiProperty,
  ApiResponse,
  DocumentBuilder,
  getSchemaPath,
  type OpenAPIObject,
  SwaggerModule,
} from '@nestjs/swagger';
import { ERROR_CODES, type ErrorCode } from './error-codes.ts';
import { PROBLEM_TYPE } from './problem.ts';

export const API_VERSION = '1.0.0';

const DESCRIPTION = `One stock truth for a chain of stores and its storefront.

A **stock item** is one sku at one location. A **reservation** holds units of one or more stock items until \`expiresAt\`;
changing it keeps what it already holds. \`available = onHand - held - committed - safetyStock\`.

Try it: put a location, put a product, record a RECEIPT, create a reservation.

* Errors are RFC 9457 problem documents; \`code\` says which one it is, \`/docs/errors\` what to do about it.
* Requests that create or add need an \`Idempotency-Key\`: repeat a request whose answer you did not get under the same key.
* \`ETag\` with \`If-Match\` makes a change conditional on what you read; \`If-None-Match\` saves reading it again.
* \`X-Correlation-Id\` is yours to choose and comes back with every answer.
* Lists are paged: pass \`nextCursor\` back as \`cursor\` until it is null.`;

class FieldErrorDocument {
  @ApiProperty({ description: 'Where: a member, a query parameter, a header', example: 'lines[0].quantity' })
  field!: string;

  @ApiProperty({ example: 'must be a whole number from 1 to 1000000' })
  message!: string;
}

/** The members that every error answer has; each code may add its own. */
export class ProblemDocument {
  @ApiProperty({ description: 'A path into the documentation', example: '/docs/errors#NOT_FOUND' })
  type!: string;

  @ApiProperty({ description: 'The same for every error of this code' })
  title!: string;

  @ApiProperty({ type: 'integer', minimum: 400, maximum: 599 })
  status!: number;

  @ApiProperty({ description: 'What happened this time, for a person' })
  detail!: string;

  @ApiProperty({ description: 'The path that was asked for' })
  instance!: string;

  @ApiProperty({ description: 'For programs; stable', enum: Object.keys(ERROR_CODES), enumName: 'ErrorCode' })
  code!: ErrorCode;

  @ApiProperty({ description: 'Finds the request in logs and events' })
  correlationId!: string;

  @ApiProperty({
    type: [FieldErrorDocument],
    required: false,
    description: 'With VALIDATION_FAILED: all that is wrong',
  })
  errors?: FieldErrorDocument[];
}

/** Codes that every call of the API can answer with. */
const COMMON_CODES: readonly ErrorCode[] = ['VALIDATION_FAILED', 'NOT_ACCEPTABLE', 'INTERNAL', 'BUSY', 'UNAVAILABLE'];

const CORRELATION_ID_HEADER = {
  description: 'The correlation id of the request, or a new one',
  schema: { type: 'string' as const, pattern: '^[A-Za-z0-9._:-]{1,128}$' },
};
const RETRY_AFTER_HEADER = { description: 'Seconds to wait', schema: { type: 'integer' as const, minimum: 1 } };

/** As `@ApiResponse()` and a built document both take it. */
type ProblemResponse = Exclude<Operation['responses'][string], { $ref: string } | undefined>;

/** Codes of every call that takes a body. */
const BODY_CODES: readonly ErrorCode[] = ['BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];

/** Documents the error answers of a call: those that all calls have, and the given ones, grouped by status. */
export function ApiProblems(...codes: readonly ErrorCode[]): MethodDecorator {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set([...codes, ...COMMON_CODES])) {
    const { status } = ERROR_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return applyDecorators(
    ApiExtraModels(ProblemDocument),
    ...[...byStatus].map(([status, ofStatus]) => ApiResponse({ status, ...problemResponse(ofStatus) })),
  );
}

function problemResponse(codes: readonly ErrorCode[]): ProblemResponse {
  const mayRetry = codes.some((code) => [429, 503].includes(ERROR_CODES[code].status));
  const narrowed = { properties: { code: { enum: [...codes] } } };
  return {
    description: codes.map((code) => `${code}: ${ERROR_CODES[code].title}`).join('. '),
    headers: mayRetry ? { 'Retry-After': RETRY_AFTER_HEADER } : {},
    content: { [PROBLEM_TYPE]: { schema: { allOf: [{ $ref: getSchemaPath(ProblemDocument) }, narrowed] } } },
  };
}

export function buildOpenApi(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Holdfast')
    .setDescription(DESCRIPTION)
    .setVersion(API_VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'This server')
    .addTag('Catalogue', 'Locations, which have stock, and products, which are sold')
    .addTag('Stock', 'What there is, and the ledger of how it came about')
    .addTag('Reservations', 'Units set aside for a cart until it is paid for or its time is over')
    .addTag('operations', 'Health and metrics of this process')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_controller, method) => method,
  });
  operationsOf(document).forEach(addWhatAllHave);
  return document;
}

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

function operationsOf({ paths }: OpenAPIObject): Operation[] {
  return Object.values(paths).flatMap(({ get, put, post }) => [get, put, post].filter((one) => one !== undefined));
}

/** What the edge does for every call does not have to be written at each. */
function addWhatAllHave(operation: Operation): void {
  if (operation.requestBody !== undefined) {
    for (const code of BODY_CODES) {
      operation.responses[ERROR_CODES[code].status] ??= problemResponse([code]);
    }
  }
  for (const response of Object.values(operation.responses)) {
    if (response !== undefined && !('$ref' in response)) {
      response.headers = { 'X-Correlation-Id': CORRELATION_ID_HEADER, ...response.headers };
    }
  }
}

/** `/docs` for people and `/openapi.json` for programs; built when first asked for. */
export function serveOpenApi(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => buildOpenApi(app), {
    raw: ['json'],
    jsonDocumentUrl: '/openapi.json',
    customSiteTitle: 'Holdfast API',
    swaggerOptions: { displayRequestDuration: true, tryItOutEnabled: true, defaultModelsExpandDepth: 0 },
  });
}
