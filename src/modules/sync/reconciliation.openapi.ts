import type { ApiOperationOptions } from '@nestjs/swagger';
import { NDJSON_TYPES } from '../../shared/http/streamed-body.ts';

/* What the OpenAPI document says of a body of lines, which no class of fields describes. */

const ID = { type: 'string', pattern: '^(?!\\.{1,2}$)[A-Za-z0-9._:-]{1,64}$' } as const;
const WHOLE = { type: 'integer', maximum: Number.MAX_SAFE_INTEGER } as const;

const LINES = {
  type: 'string',
  description: 'Lines, each a JSON object: first the place, then the items.',
  contentMediaType: NDJSON_TYPES[0],
  contentSchema: {
    oneOf: [
      {
        type: 'object',
        description:
          'The first line: up to where the store had reported, and what it knew of the changes of the centre.',
        properties: {
          epoch: { ...WHOLE, minimum: 1 },
          sequence: { ...WHOLE, minimum: 0 },
          cursor: { type: 'string', pattern: '^(0|[1-9][0-9]{0,15})$' },
        },
        required: ['epoch', 'sequence', 'cursor'],
        additionalProperties: false,
      },
      {
        type: 'object',
        description: 'What the store has of an item; each sku once.',
        properties: { sku: ID, onHand: { type: 'integer', minimum: -1_000_000_000, maximum: 1_000_000_000 } },
        required: ['sku', 'onHand'],
        additionalProperties: false,
      },
    ],
  },
};

const EXAMPLE = [
  '{"epoch":1,"sequence":0,"cursor":"0"}',
  '{"sku":"MUG-RED","onHand":12}',
  '{"sku":"MUG-BLUE","onHand":0}',
  '',
].join('\n');

export const RECONCILE_OPERATION = {
  operationId: 'reconcileStore',
  summary: "Compare a store's whole balance with the centre's",
  description: `The store sends what it has of every item, as of the last event that it has reported (\`sequence\`) and of what it knew of the
centre's changes (\`cursor\`). The centre answers where it believed something else *at that place*: what was sold, moved or counted
since then makes no difference. A sku that is left out counts as 0; one that nobody knows is listed with \`code\`.

With \`apply=true\` the centre takes the store's word, by COUNT movements, with what has happened since then on top. Sending the same
again finds nothing left to correct. A wrong line makes the whole balance wrong (400 with its number), and nothing is changed.

There is no limit to the body but one to each line (\`IMPORT_LINE_BYTES_MAX\`); \`Content-Encoding: gzip\` is welcome.`,
  requestBody: {
    required: true,
    description: 'The balance, as NDJSON.',
    content: Object.fromEntries(NDJSON_TYPES.map((type) => [type, { schema: LINES, example: EXAMPLE }])),
  },
} as unknown as ApiOperationOptions;
