import { Type } from 'typebox';
import { defineEvent, defineUpcaster } from '../kernel/domain-event.ts';
import { ReceivedEvents } from './received-events.ts';

const closed = { additionalProperties: false } as const;
const SaleV1 = defineEvent('sale', 1, Type.Object({ sku: Type.String(), units: Type.Integer() }, closed));
const SaleV2 = defineEvent(
  'sale',
  2,
  Type.Object({ sku: Type.String(), quantity: Type.Integer({ minimum: 1 }) }, closed),
);
const fromV1 = defineUpcaster(SaleV1, SaleV2, ({ sku, units }) => ({ sku, quantity: units }));
const Count = defineEvent('count', 1, Type.Object({ counted: Type.Integer() }, closed));

describe('ReceivedEvents', () => {
  const events = new ReceivedEvents([SaleV1, SaleV2, Count], [fromV1]);

  it('reads an event of an old version as one of the newest', () => {
    const newest = { type: 'sale', data: { sku: 'A', quantity: 2 } };
    expect(events.read('sale', 1, { sku: 'A', units: 2 })).toEqual(newest);
    expect(events.read('sale', 2, { sku: 'A', quantity: 2 })).toEqual(newest);
  });

  it('holds each to the schema of its own version', () => {
    expect(events.read('sale', 1, { sku: 'A', quantity: 2 })).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(events.read('sale', 2, { sku: 'A', units: 2 })).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(events.read('sale', 2, { sku: 'A', quantity: 0 })).toEqual({
      code: 'VALIDATION_FAILED',
      detail: 'data.quantity must be >= 1',
    });
    expect(events.read('count', 1, null)).toEqual({ code: 'VALIDATION_FAILED', detail: 'data must be object' });
  });

  it('refuses what an old version allowed and no newer one can say', () => {
    expect(events.read('sale', 1, { sku: 'A', units: 0 })).toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it('tells an unknown type from an unknown version, and never throws', () => {
    expect(events.read('theft', 1, {})).toMatchObject({ code: 'UNKNOWN_TYPE' });
    expect(events.read('__proto__', 1, {})).toMatchObject({ code: 'UNKNOWN_TYPE' });
    expect(events.read({}, 1, {})).toMatchObject({ code: 'UNKNOWN_TYPE' });
    expect(events.read('sale', 3, {})).toMatchObject({ code: 'UNKNOWN_VERSION' });
    for (const version of [0, 1.5, '1', null, undefined, Infinity]) {
      expect(events.read('sale', version, {})).toMatchObject({ code: 'VALIDATION_FAILED' });
    }
  });
});
