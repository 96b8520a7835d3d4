import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { completeDocument, CREDENTIALS, eitherCredential } from './completion.ts';

const API_VERSION = '1.0.0';

const DESCRIPTION = `One stock truth for a chain of stores and its storefront.

A **stock item** is one sku at one location: \`available = onHand - held - committed - safetyStock\`, less a share of \`onHand\`
while nothing is heard from its store. A **reservation** holds units of one or more stock items until \`expiresAt\`; changing it
keeps what it already holds.

### Try it
0. Authorize, with the key that the first start has written to \`data/admin.key\`.
1. Put a location and a product (Catalogue).
2. Record a RECEIPT of ten units (Stock: movements), and read the stock item.
3. Create a reservation, change its lines, confirm it (Reservations), and read the stock item again.

### What all calls have in common
* A key says who asks: \`X-Api-Key\`, or a token that was made for it as \`Authorization: Bearer\`. \`x-roles\` of a call names the
  roles that may make it; others are answered with 403.
* Errors are problem documents (RFC 9457). Decide by their \`code\`; [docs/errors](/docs/errors) says when each is answered
  and what to do about it.
* Requests that create or add need an \`Idempotency-Key\`. When an answer got lost, send the same request under the same key:
  it is carried out once, and the answer is that of the first time.
* \`ETag\` with \`If-Match\` makes a change conditional on what you read; with \`If-None-Match\` it saves reading it again.
* Every GET answers HEAD, too.
* \`X-Correlation-Id\` is yours to choose and comes back with every answer.
* Lists are paged: pass \`nextCursor\` back as \`cursor\`, under the same filters, until it is null.
* Members may be added to answers within version 1; a client passes over those that it does not know. Requests with members
  that the server does not know are refused.`;

/** What a document tells besides its calls. */
export interface ApiDescription {
  readonly title: string;
  /** Whether its callers are asked for a key. */
  readonly guarded: boolean;
  readonly description: string;
  /** In the order in which a newcomer needs them; a tag that is not here has no place in the document. */
  readonly tags: readonly (readonly [name: string, description: string])[];
}

const KEY_DESCRIPTION = 'A key of `POST /v1/admin/keys`. A server that runs with AUTH=off asks for none.';
const TOKEN_DESCRIPTION = 'A token of `POST /v1/auth/token`, which stands for a key for a while.';

/** In the order in which a newcomer needs them; a tag that is not here has no place in the document. */
const TAGS: readonly (readonly [name: string, description: string])[] = [
  ['Catalogue', 'Locations, which have stock, and products, which are sold'],
  ['Stock', 'What there is, and the ledger of how it came about'],
  ['Transfers', 'Units on their way from one location to another'],
  ['Reservations', 'Units set aside for a cart until it is paid for or its time is over'],
  ['Stores', 'What stores and the centre tell each other'],
  ['Orders', 'What outside shops tell of their orders, in whatever order it comes'],
  ['Dead letters', 'Events that could not be processed, for an operator to replay or discard'],
  ['Administration', 'Tenants, keys and tokens: who may do what'],
  ['Operations', 'Health and metrics of this process'],
];

export const CENTRE: ApiDescription = { title: 'Holdfast', guarded: true, description: DESCRIPTION, tags: TAGS };

/**
 * The document of the whole API, the same for the same routes whatever the settings.
 * @param api the centre's, unless the app is another program
 */
export function buildOpenApi(app: NestFastifyApplication, api: ApiDescription = CENTRE): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(api.title)
    .setDescription(api.description)
    .setVersion(API_VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'This server');
  if (api.guarded) {
    config.addApiKey(
      { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: KEY_DESCRIPTION },
      CREDENTIALS.key,
    );
    config.addBearerAuth({ type: 'http', bearerFormat: 'JWT', description: TOKEN_DESCRIPTION }, CREDENTIALS.token);
  }
  api.tags.forEach(([name, description]) => config.addTag(name, description));
  const begun = { ...config.build(), security: api.guarded ? eitherCredential() : [] };
  // The builder makes an empty one.
  delete begun.info.contact;
  const document = SwaggerModule.createDocument(app, begun, {
    operationIdFactory: (_controller, method) => method,
  });
  return completeDocument(document, api.guarded);
}
