import type { ApiOperationOptions, ApiResponseOptions } from '@nestjs/swagger';
import { CSV_TYPE, NDJSON_TYPES } from '../../shared/http/streamed-body.ts';

/*
 * What the OpenAPI document says of the import: bodies of lines, which no class of fields describes. For OpenAPI such a
 * body is a text; what each of its lines is stands in the text's `contentSchema`.
 */

function linesOf(oneOf: readonly object[]): object {
  return {
    type: 'string',
    description: 'Lines, each a JSON object.',
    contentMediaType: NDJSON_TYPES[0],
    contentSchema: { oneOf },
  };
}

const ID = { type: 'string', pattern: '^(?!\\.{1,2}$)[A-Za-z0-9._:-]{1,64}$' } as const;
const TEXT = { type: ['string', 'null'], minLength: 1, maxLength: 500 } as const;
const ROW = {
  type: 'integer',
  minimum: 1,
  description: 'Counts the rows from 1; header and blank lines are none.',
} as const;

const countRow = {
  type: 'object',
  description: 'What a shelf count found.',
  properties: { sku: ID, locationId: ID, counted: { type: 'integer', minimum: 0, maximum: 1_000_000 }, reason: TEXT },
  required: ['sku', 'locationId', 'counted'],
};

const movementRow = {
  type: 'object',
  description: 'Goods that came or went.',
  properties: {
    sku: ID,
    locationId: ID,
    type: { type: 'string', enum: ['RECEIPT', 'SALE', 'RETURN', 'ADJUSTMENT', 'WRITE_OFF'] },
    quantity: { type: 'integer', minimum: -1_000_000, maximum: 1_000_000 },
    reason: TEXT,
    reference: TEXT,
  },
  required: ['sku', 'locationId', 'type', 'quantity'],
};

const NDJSON_EXAMPLE = [
  '{"sku":"MUG-RED","locationId":"S1","counted":12}',
  '{"sku":"MUG-RED","locationId":"S1","type":"SALE","quantity":2,"reference":"receipt-17"}',
  '',
].join('\n');

const CSV_SCHEMA = {
  type: 'string',
  description: 'RFC 4180 with a header line. Columns may come in any order; an empty cell is an absent value.',
};

const csvExamples = {
  counts: {
    summary: 'Counts',
    value: 'sku,locationId,counted,reason\nMUG-RED,S1,12,Yearly inventory\nMUG-BLUE,S1,0,\n',
  },
  movements: {
    summary: 'Movements',
    value: 'sku,locationId,type,quantity\nMUG-RED,S1,RECEIPT,40\nMUG-RED,S1,SALE,2\n',
  },
};

const RESULT_EXAMPLE = [
  '{"row":1,"outcome":"applied"}',
  '{"row":2,"outcome":"duplicate"}',
  '{"row":3,"outcome":"refused","code":"UNKNOWN_PRODUCT","detail":"No such product: MUG-GREN","skus":["MUG-GREN"]}',
  '{"summary":{"rows":3,"applied":1,"duplicate":1,"refused":1}}',
  '',
].join('\n');

const rowsDone = { type: 'integer', minimum: 0 };

const RESULT_LINES = [
  {
    type: 'object',
    title: 'Applied',
    description: 'The row is on disk, by this request or by an earlier one under the same key.',
    properties: { row: ROW, outcome: { type: 'string', enum: ['applied', 'duplicate'] } },
    required: ['row', 'outcome'],
  },
  {
    type: 'object',
    title: 'Refused',
    description: 'The row changed nothing. With it come the members that a problem document of the code has.',
    properties: {
      row: ROW,
      outcome: { const: 'refused' },
      code: {
        type: 'string',
        enum: [
          'VALIDATION_FAILED',
          'UNKNOWN_PRODUCT',
          'UNKNOWN_LOCATION',
          'INSUFFICIENT_STOCK',
          'QUANTITY_LIMIT',
          'IDEMPOTENCY_KEY_REUSED',
        ],
      },
      detail: { type: 'string', description: 'What is wrong, for a person.' },
    },
    required: ['row', 'outcome', 'code', 'detail'],
    additionalProperties: true,
  },
  {
    type: 'object',
    title: 'Summary',
    description: 'The last line of a whole answer.',
    properties: {
      summary: {
        type: 'object',
        properties: { rows: rowsDone, applied: rowsDone, duplicate: rowsDone, refused: rowsDone },
        required: ['rows', 'applied', 'duplicate', 'refused'],
      },
    },
    required: ['summary'],
  },
  {
    type: 'object',
    title: 'Broken off',
    description: 'The last line when no further row can be read or carried out: the problem document of the reason.',
    properties: { error: { type: 'object', additionalProperties: true } },
    required: ['error'],
  },
];

export const IMPORT_OPERATION = {
  operationId: 'importStock',
  summary: 'Record counts or movements by the million',
  description: `Rows are applied in their order, by the rules of counts and movements, while they are still being sent; each gets a line of
the answer. So read the answer while you send: when nobody reads it, no more rows are taken. One row that is refused spoils no other.

**The last line is the summary. An answer that ends without it is not whole** (the connection was cut, or the last line is an \`error\`):
send the same again under the same \`Idempotency-Key\`. Rows that were applied at the same number with the same values are then
\`duplicate\`; those that were refused, have changed or were added are carried out.

There is no limit to the body but one to each line (\`IMPORT_LINE_BYTES_MAX\`); \`Content-Encoding: gzip\` is welcome. A body that stops
coming is broken off after \`REQUEST_TIMEOUT_MS\`.`,
  requestBody: {
    required: true,
    description: 'Rows, as NDJSON (a JSON object a line, counts and movements mixed at will) or as CSV.',
    content: {
      ...Object.fromEntries(
        NDJSON_TYPES.map((type) => [type, { schema: linesOf([countRow, movementRow]), example: NDJSON_EXAMPLE }]),
      ),
      [CSV_TYPE]: { schema: CSV_SCHEMA, examples: csvExamples },
    },
  },
} as unknown as ApiOperationOptions;

export const IMPORT_RESPONSE = {
  description: 'A line for each row, in their order, then the summary.',
  content: { [NDJSON_TYPES[0] ?? '']: { schema: linesOf(RESULT_LINES), example: RESULT_EXAMPLE } },
} as unknown as ApiResponseOptions;
