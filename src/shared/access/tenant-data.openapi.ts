import type { ApiResponseOptions } from '@nestjs/swagger';
import { NDJSON_TYPES } from '../http/streamed-body.ts';

const ROW_LINE = {
  type: 'object',
  properties: {
    table: { type: 'string' },
    row: { type: 'object', additionalProperties: true },
  },
  required: ['table', 'row'],
};

const LAST_LINE = {
  type: 'object',
  properties: {
    complete: { type: 'boolean', const: true },
    exportedAt: { type: 'string', format: 'date-time' },
    rows: { type: 'object', additionalProperties: { type: 'integer' } },
  },
  required: ['complete', 'exportedAt', 'rows'],
};

const EXAMPLE = `{"table":"products","row":{"sku":"MUG-RED","name":"Mug, red","active":1,"version":1}}
{"complete":true,"exportedAt":"2026-11-22T09:00:00.000Z","rows":{"products":1}}
`;

export const EXPORT_RESPONSE = {
  description: 'The rows, then a line that says that it is whole. An answer without that line was cut.',
  content: {
    [NDJSON_TYPES[0] ?? '']: {
      schema: {
        type: 'string',
        description: 'Lines, each a JSON object.',
        contentMediaType: NDJSON_TYPES[0],
        contentSchema: { oneOf: [ROW_LINE, LAST_LINE] },
      },
      example: EXAMPLE,
    },
  },
} as unknown as ApiResponseOptions;
