import { Type } from 'typebox';
import {
  CART_UPCASTERS,
  CartChanged1,
  CartChanged2,
  CartChanged3,
  recordedEvents,
} from '../../../test/support/recorded-events.ts';
import { defineEvent, defineUpcaster } from '../kernel/domain-event.ts';
import { readEvent } from './stored-event.ts';
import { Upcasting } from './upcasting.ts';

const [toSecond, toThird] = CART_UPCASTERS as [(typeof CART_UPCASTERS)[0], (typeof CART_UPCASTERS)[0]];
const ALL = [CartChanged1, CartChanged2, CartChanged3];
const TYPE = CartChanged1.type;

describe('Upcasting', () => {
  const upcasting = new Upcasting(ALL, CART_UPCASTERS);

  it('reads an event that was recorded in the first version as one of the newest, step by step', () => {
    const [recorded] = recordedEvents('test-only/test.cart.changed.v1.json');
    const event = readEvent(upcasting, recorded!);
    expect(event).toMatchObject({
      version: 3,
      data: { cartId: '17', quantity: 3, unit: 'piece' },
      eventId: recorded?.eventId,
      position: 7,
    });
    expect(event).not.toHaveProperty('payload');
  });

  it('begins in the middle, and leaves the newest as it is', () => {
    expect(upcasting.toNewest(TYPE, 2, { cartId: '1', quantity: 5 })).toEqual({
      version: 3,
      data: { cartId: '1', quantity: 5, unit: 'piece' },
    });
    const data = { cartId: '1', quantity: 5, unit: 'box' };
    expect(upcasting.toNewest(TYPE, 3, data).data).toBe(data);
  });

  it('does not know a version from the future, a type that there is not, or a version that was removed', () => {
    expect(() => upcasting.toNewest(TYPE, 4, {})).toThrow('Nobody here knows the event test.cart.changed version 4');
    expect(() => upcasting.toNewest('test.cart.emptied', 1, {})).toThrow('Nobody here knows');
    const shortened = new Upcasting([CartChanged2, CartChanged3], [toThird]);
    expect(shortened.toNewest(TYPE, 2, { cartId: '1', quantity: 5 }).version).toBe(3);
    expect(() => shortened.toNewest(TYPE, 1, {})).toThrow('Nobody here knows');
  });

  it('does not hand out what the newest schema does not allow', () => {
    const wrong = defineUpcaster(CartChanged2, CartChanged3, (data) => ({ ...data, unit: 7 as unknown as string }));
    const broken = new Upcasting(ALL, [toSecond, wrong]);
    expect(() => broken.toNewest(TYPE, 1, { cartId: '1', units: 1 })).toThrow('what version 3 does not allow');
  });

  it.each<[string, ...ConstructorParameters<typeof Upcasting>]>([
    ['a step is missing', ALL, [toThird]],
    ['a step is given twice', ALL, [toSecond, toSecond, toThird]],
    ['a step leads from nowhere', [CartChanged2, CartChanged3], CART_UPCASTERS],
    ['versions leave a hole', [CartChanged1, CartChanged3], [toSecond]],
    ['there is no such event', [], [toSecond]],
  ])('does not start when %s', (_, definitions, upcasters) => {
    expect(() => new Upcasting(definitions, upcasters)).toThrow(TYPE);
  });
});

describe('defineUpcaster', () => {
  const other = defineEvent('test.cart.emptied', 2, Type.Object({}));

  it.each([
    ['two types', () => defineUpcaster(CartChanged1, other, () => ({}))],
    ['versions that are no neighbours', () => defineUpcaster(CartChanged2, CartChanged1, (data) => data as never)],
  ])('refuses %s', (_, define) => {
    expect(define).toThrow('does not follow');
  });
});
