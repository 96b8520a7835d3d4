import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { completeDocument } from './openapi-completion.ts';

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

/** In the order in which a newcomer needs them; a tag that is not here has no place in the document. */
const TAGS: readonly (readonly [name: string, description: string])[] = [
  ['Catalogue', 'Locations, which have stock, and products, which are sold'],
  ['Stock', 'What there is, and the ledger of how it came about'],
  ['Transfers', 'Units on their way from one location to another'],
  ['Reservations', 'Units set aside for a cart until it is paid for or its time is over'],
  ['Operations', 'Health and metrics of this process'],
];

/** The document of the whole API, the same for the same routes whatever the settings. */
export function buildOpenApi(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Holdfast')
    .setDescription(DESCRIPTION)
    .setVersion(API_VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'This server');
  TAGS.forEach(([name, description]) => config.addTag(name, description));
  // Nobody is asked who they are (yet); said, so that it is not taken for forgotten.
  const open = { ...config.build(), security: [] };
  const document = SwaggerModule.createDocument(app, open, {
    operationIdFactory: (_controller, method) => method,
  });
  return completeDocument(document);
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
