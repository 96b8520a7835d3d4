import { Type } from 'typebox';
import { defineEvent, type EventDefinition, type Upcaster } from '../../../shared/kernel/domain-event.ts';
import { QUANTITY_MAX } from '../../inventory/contract.ts';

/*
 * What stores report, each type in every version that is still taken: a new version gets a definition and an upcaster
 * from the one before (docs/event-versioning.md), because an agent is updated long after the centre.
 */

const id = Type.String({ pattern: '^(?!\\.{1,2}$)[A-Za-z0-9._:-]{1,64}$' });
/** As other texts of the API: no control characters, no line ends, not blank. */
const text = Type.String({ minLength: 1, maxLength: 500, pattern: '^(?=.*\\S)[^\\p{Cc}\\u2028\\u2029]+$' });
const reference = Type.Optional(Type.Union([text, Type.Null()]));
const closed = { additionalProperties: false } as const;

const quantity = Type.Integer({ minimum: 1, maximum: QUANTITY_MAX });
const moved = Type.Object({ sku: id, quantity, reference }, closed);

export const STORE_EVENTS: readonly EventDefinition[] = [
  defineEvent('sale', 1, moved),
  defineEvent('return', 1, moved),
  defineEvent('receipt', 1, moved),
  defineEvent('write-off', 1, moved),
  defineEvent(
    'adjustment',
    1,
    Type.Object(
      {
        sku: id,
        quantity: Type.Integer({ minimum: -QUANTITY_MAX, maximum: QUANTITY_MAX, not: { const: 0 } }),
        reference,
      },
      closed,
    ),
  ),
  defineEvent(
    'count',
    1,
    Type.Object(
      {
        sku: id,
        counted: Type.Integer({ minimum: 0, maximum: QUANTITY_MAX }),
        cursor: Type.String({ pattern: '^(0|[1-9][0-9]{0,15})$' }),
      },
      closed,
    ),
  ),
  defineEvent('pickup', 1, Type.Object({ reservationId: id }, closed)),
];

/** None yet: every type is in its first version. */
export const STORE_EVENT_UPCASTERS: readonly Upcaster[] = [];

/** Sizes of an event's `data` beyond this are refused as malformed: a right one has a hundredth of it. In characters. */
export const STORE_EVENT_DATA_MAX = 16_384;
