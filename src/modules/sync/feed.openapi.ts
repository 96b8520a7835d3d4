import type { ApiOperationOptions, ApiResponseOptions } from '@nestjs/swagger';
import { NDJSON_TYPES } from '../../shared/http/streamed-body.ts';
import { FRESHNESS_STATUSES } from '../inventory/contract.ts';
import { FEED_CURSOR_PATTERN } from './feed-cursor.ts';
import { EVENT_STREAM_TYPE } from './feeds/server-sent-events.ts';

/*
 * What the OpenAPI document says of answers that are streams, which no class of fields describes. For OpenAPI such an
 * answer is a text.
 */

const CURSOR = { type: 'string', pattern: FEED_CURSOR_PATTERN.source } as const;

/** Also a header of the request, which is read by the route itself. */
export const LAST_EVENT_ID_PARAMETER = {
  name: 'Last-Event-ID',
  required: false,
  description: 'The id of the last event that was seen, as a browser sends it when it comes back. Goes before `after`.',
  schema: { ...CURSOR, examples: ['1042'] },
};

const EVENTS_INTRODUCTION = `Each event has as its \`id\` the cursor behind that change, and \`data\` is one line of JSON. Without \`Last-Event-ID\` and without
\`after\` it begins now. When there is nothing to tell, a comment comes every \`FEED_HEARTBEAT_MS\`, with an \`id\` that moves on.

A reader that takes nothing for \`FEED_UNREAD_MAX_MS\` is cut off; whoever was cut off, or told that the server stops by the end of
the stream, comes back with \`Last-Event-ID\` and has missed nothing. When what comes next is no longer kept, the answer is 410
before the stream begins.`;

function eventsOf(description: string, data: object): ApiResponseOptions {
  const example = `: open\nretry: 1000\nid: 1042\n\nid: 1043\ndata: ${JSON.stringify(data)}\n\n`;
  return {
    description,
    content: {
      [EVENT_STREAM_TYPE]: { schema: { type: 'string', description: 'Server-Sent Events, without an end.' }, example },
    },
  };
}

export const CHANGES_OPERATION = {
  operationId: 'listStoreChanges',
  summary: 'Ask what has changed of the stock of a store',
  description: `Every central change of the location's stock, in order: units held, released and committed for reservations, holds made
shorter, transfers from it and to it, movements and counts that the centre recorded, policies. Not what the store itself pushed.

With \`waitSeconds\` the answer waits for the first change. \`cursor\` moves on also when the answer is empty: pass it back as
\`after\`. Without \`after\` it begins with the oldest that is kept. When what comes behind \`after\` is no longer kept (or the server
was set back to a state before it), the answer is 410: take the snapshot.`,
} satisfies ApiOperationOptions;

export const CHANGES_STREAM_OPERATION = {
  operationId: 'streamStoreChanges',
  summary: 'Follow what changes of the stock of a store',
  description: `The same changes as Server-Sent Events. ${EVENTS_INTRODUCTION}`,
} satisfies ApiOperationOptions;

export const CHANGES_STREAM_RESPONSE = eventsOf('Changes as CloudEvents, as they happen.', {
  specversion: '1.0',
  id: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11',
  source: 'urn:holdfast:inventory',
  type: 'inventory.stock.committed',
  subject: 'stock/MUG-RED/S1',
  time: '2026-11-22T09:00:00.000Z',
  datacontenttype: 'application/json',
  dataschema: 'urn:holdfast:event:inventory.stock.committed:v1',
  data: {
    sku: 'MUG-RED',
    locationId: 'S1',
    holdId: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b12',
    units: 2,
    stock: { onHand: 10, held: 0, committed: 2, incoming: 0, safetyStock: 0, available: 8 },
  },
  dataversion: 1,
  subjectversion: 5,
  locationid: 'S1',
  correlationid: 'cart-4711',
});

export const STOCK_STREAM_OPERATION = {
  operationId: 'streamStock',
  summary: 'Follow the balances of stock items',
  description: `Every change of stock, whoever made it, also those that stores pushed: the stock item's balances after it, with its version.
\`skus\` and \`locationId\` limit it to some items; names that nothing has yet are no error. What is available is told as the change
left it: holds that are over count until they are released, and nothing is kept back while a store is stale or silent. ${EVENTS_INTRODUCTION}`,
} satisfies ApiOperationOptions;

export const STOCK_STREAM_RESPONSE = eventsOf('Balances, as they change.', {
  sku: 'MUG-RED',
  locationId: 'S1',
  onHand: 10,
  held: 0,
  committed: 2,
  incoming: 0,
  safetyStock: 0,
  available: 8,
  version: 5,
  updatedAt: '2026-11-22T09:00:00.000Z',
});

const UNITS = { type: 'integer', minimum: 0 } as const;
const INSTANT = { type: ['string', 'null'], format: 'date-time' } as const;

const firstLine = {
  type: 'object',
  title: 'Start',
  description: 'The first line: from where the changes lead on.',
  properties: {
    cursor: { ...CURSOR, description: 'Follow the changes behind it. It was read before any item.' },
    epoch: { type: 'integer', minimum: 0, description: 'Of the stream that the store pushes; 0: it never opened one.' },
    nextSequence: {
      type: 'integer',
      minimum: 1,
      description: 'The number of the next event of that stream: those before it are in the items.',
    },
  },
  required: ['cursor', 'epoch', 'nextSequence'],
};

const itemLine = {
  type: 'object',
  title: 'Stock item',
  description:
    'A stock item with its holds, as one instant saw them. Balances are as stored: a hold counts until it is released.',
  properties: {
    sku: { type: 'string' },
    locationId: { type: 'string' },
    onHand: { type: 'integer' },
    held: UNITS,
    committed: UNITS,
    incoming: UNITS,
    safetyStock: UNITS,
    available: { type: 'integer' },
    version: {
      type: 'integer',
      minimum: 1,
      description: 'Changes of the item up to this `subjectversion` are in the line.',
    },
    updatedAt: INSTANT,
    freshness: {
      type: 'object',
      description: 'How fresh the location is, as in every answer about stock.',
      properties: {
        status: { type: 'string', enum: [...FRESHNESS_STATUSES] },
        lastSequence: { type: ['integer', 'null'], minimum: 0 },
        asOf: INSTANT,
        lagSeconds: { type: ['integer', 'null'], minimum: 0 },
      },
      required: ['status', 'lastSequence', 'asOf', 'lagSeconds'],
    },
    holds: {
      type: 'array',
      description: 'Whose units are held or committed, by id.',
      items: {
        type: 'object',
        properties: {
          holdId: { type: 'string', description: 'The reservation.' },
          units: { type: 'integer', minimum: 1 },
          state: { type: 'string', enum: ['HELD', 'COMMITTED'] },
          expiresAt: { ...INSTANT, description: 'Null once they are committed.' },
        },
        required: ['holdId', 'units', 'state', 'expiresAt'],
      },
    },
  },
  required: [
    ...['sku', 'locationId', 'onHand', 'held', 'committed', 'incoming', 'safetyStock', 'available', 'version'],
    ...['updatedAt', 'freshness', 'holds'],
  ],
};

const SNAPSHOT_EXAMPLE = [
  { cursor: '1042', epoch: 1, nextSequence: 18 },
  {
    sku: 'MUG-RED',
    locationId: 'S1',
    onHand: 10,
    held: 2,
    committed: 0,
    incoming: 0,
    safetyStock: 0,
    available: 8,
    version: 4,
    updatedAt: '2026-11-22T09:00:00.000Z',
    freshness: { status: 'LIVE', lastSequence: 17, asOf: '2026-11-22T09:00:00.000Z', lagSeconds: 3 },
    holds: [
      {
        holdId: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b12',
        units: 2,
        state: 'HELD',
        expiresAt: '2026-11-22T09:15:00.000Z',
      },
    ],
  },
]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join('');

export const SNAPSHOT_OPERATION = {
  operationId: 'getStoreSnapshot',
  summary: 'Take all the stock of a store',
  description: `To begin from nothing, or after 410. The first line has the cursor from which the changes lead on; every other line is a stock
item of the location, by sku. Items without any stock yet are not listed.

It is read while others write: an item may already have changes that come behind the cursor. So pass over every change whose
\`subjectversion\` is not above the \`version\` of the item's line. A store does not push while it takes its snapshot, or it could not
tell which of its own events are in it. An answer that is cut is not whole: take it again.`,
} satisfies ApiOperationOptions;

export const SNAPSHOT_RESPONSE = {
  description: 'The cursor, then the stock items.',
  content: {
    [NDJSON_TYPES[0] ?? '']: {
      schema: {
        type: 'string',
        description: 'Lines, each a JSON object.',
        contentMediaType: NDJSON_TYPES[0],
        contentSchema: { oneOf: [firstLine, itemLine] },
      },
      example: SNAPSHOT_EXAMPLE,
    },
  },
} as unknown as ApiResponseOptions;
