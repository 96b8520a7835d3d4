import { STORE_EVENTS } from './domain/store-event-types.ts';

/*
 * What the OpenAPI document says of an event of a store. What is checked are the schemas of store-event-types.ts; an
 * event that does not match them is no wrong request, so they are told, not demanded.
 */

const TYPES = [...new Set(STORE_EVENTS.map(({ type }) => type))];

export const STORE_EVENT_EXAMPLE = {
  id: 'S1-1',
  sequence: 1,
  type: 'sale',
  version: 1,
  occurredAt: '2026-11-22T09:00:00.000Z',
  data: { sku: 'MUG-RED', quantity: 2, reference: 'receipt-17' },
};

export const STORE_EVENT_SCHEMA = {
  type: 'object',
  description:
    'An event of a store. Only a wrong `id` or `sequence` refuses the call; whatever else is wrong makes the event `dead`.',
  properties: {
    id: {
      type: 'string',
      pattern: '^(?!\\.{1,2}$)[A-Za-z0-9._:-]{1,64}$',
      description: 'Names the event for ever, in this store.',
      example: 'S1-42',
    },
    sequence: {
      type: 'integer',
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Counts from 1 without holes within an epoch.',
      example: 42,
    },
    type: { description: `One of ${TYPES.map((type) => `\`${type}\``).join(', ')}.`, example: 'sale' },
    version: { description: 'Of the type, from 1.', example: 1 },
    occurredAt: {
      description: 'By the clock of the store, ISO-8601 in UTC. It orders nothing.',
      example: '2026-11-22T09:00:00.000Z',
    },
    data: {
      description:
        '`sale`, `return`, `receipt`, `adjustment` (signed), `write-off`: `{sku, quantity, reference?}`. `count`: `{sku, counted, cursor}`. `pickup`: `{reservationId}`.',
      example: { sku: 'MUG-RED', quantity: 2, reference: 'receipt-17' },
    },
  },
  required: ['id', 'sequence'],
  additionalProperties: true,
};
