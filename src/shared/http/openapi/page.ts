import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { v7 as uuidV7 } from 'uuid';
import { type ApiDescription, buildOpenApi } from './document.ts';
import { REQUEST_HEADERS } from './headers.ts';

const DOCS = 'docs';

/** A box that is held fast. Within the page, so that no other request is needed for it. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#1f4e79"/><path d="M8 11h16v13H8z" fill="#f2c14e"/><path d="M11 11V9a5 5 0 0 1 10 0v2" fill="none" stroke="#fff" stroke-width="3"/><path d="M8 16h16" stroke="#1f4e79" stroke-width="2"/></svg>`;

/**
 * Calls can answer with a dozen errors, and Swagger UI gives each as much room as a success. So what is the same for all
 * of them is left out here: media type, X-Correlation-Id, a choice of one. There are no links and only this server.
 */
const STYLE = `
  .swagger-ui .topbar, .swagger-ui .schemes-server-container, .swagger-ui .response-col_links { display: none }
  .swagger-ui .info { margin: 32px 0 16px }
  .swagger-ui .info h3 { margin: 20px 0 6px }
  .swagger-ui .parameters-col_name { min-width: 13em }
  .swagger-ui tr.response > td { padding-top: 16px; border-top: 1px solid #3b41511a }
  .swagger-ui .response-controls > :has(option:only-child),
  .swagger-ui tr.response:is([data-code^="4"], [data-code^="5"]) .response-control-media-type,
  .swagger-ui tr.response:is([data-code^="4"], [data-code="500"]):not([data-code="405"], [data-code="429"]) .headers-wrapper { display: none }
  .swagger-ui tr.response:is([data-code^="4"], [data-code^="5"]) .highlight-code pre { max-height: 12em; overflow: auto }
`;

/** `/docs` for people and `/openapi.json` for programs; built when first asked for. */
export function serveOpenApi(app: NestFastifyApplication, api?: ApiDescription): void {
  SwaggerModule.setup(DOCS, app, () => buildOpenApi(app, api), {
    raw: ['json'],
    jsonDocumentUrl: '/openapi.json',
    patchDocumentOnRequest: (request, _response, document) =>
      (request as FastifyRequest).url.startsWith(`/${DOCS}`) ? withFreshKeys(document) : document,
    customSiteTitle: 'Holdfast API',
    customfavIcon: `data:image/svg+xml,${encodeURIComponent(ICON)}`,
    customCss: STYLE,
    swaggerOptions: { displayRequestDuration: true, tryItOutEnabled: true, defaultModelsExpandDepth: 0 },
  });
}

/**
 * For the page only: fills in an Idempotency-Key at each call that needs one, so that it can be tried with one click.
 * A second click is a repeat and shows what that means; loading the page again brings new keys.
 */
function withFreshKeys(document: OpenAPIObject): OpenAPIObject {
  const reference = '"$ref":"#/components/parameters/Idempotency-Key"';
  const text = JSON.stringify(document).replaceAll(`{${reference}}`, () =>
    JSON.stringify({ ...REQUEST_HEADERS['Idempotency-Key'], example: uuidV7() }),
  );
  return JSON.parse(text) as OpenAPIObject;
}
