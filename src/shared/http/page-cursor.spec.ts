import fc from 'fast-check';
import { runInContext } from '../kernel/context.ts';
import { ValidationFailed } from './http-error.ts';
import { decodeCursor, encodeCursor } from './page-cursor.ts';

function asTenant<T>(tenantId: string, work: () => T): T {
  return runInContext({ tenantId, clientId: 'default', correlationId: 'c', traceparent: null }, work);
}

const FILTERS = { status: 'ACTIVE', cartId: null };
const POSITION = ['SKU-1', 42];

describe('a page cursor', () => {
  it('gives back the position that it was made of', () => {
    const positions = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.maxSafeInteger()));
    fc.assert(
      fc.property(positions, (position) => {
        fc.pre(position.every((value) => typeof value === 'number' || !value.includes('\0')));
        fc.pre(position.every((value) => !Object.is(value, -0)));
        const cursor = asTenant('t', () => encodeCursor('stock', FILTERS, position));
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(asTenant('t', () => decodeCursor(cursor, 'stock', FILTERS))).toEqual(position);
      }),
    );
  });

  it('does not mind the order of filters, nor filters that are not set', () => {
    asTenant('t', () => {
      const cursor = encodeCursor('stock', { a: 1, b: 2, c: null }, POSITION);
      expect(decodeCursor(cursor, 'stock', { b: 2, a: 1, d: undefined })).toEqual(POSITION);
    });
  });

  it('is refused by another list, under other filters and by another tenant', () => {
    const cursor = asTenant('t', () => encodeCursor('stock', FILTERS, POSITION));
    const attempts: [string, string, object][] = [
      ['t', 'products', FILTERS],
      ['t', 'stock', {}],
      ['t', 'stock', { ...FILTERS, status: 'EXPIRED' }],
      ['t', 'stock', { ...FILTERS, cartId: 'c1' }],
      ['other', 'stock', FILTERS],
    ];
    for (const [tenantId, list, filters] of attempts) {
      expect(() => asTenant(tenantId, () => decodeCursor(cursor, list, { ...filters }))).toThrow(ValidationFailed);
    }
  });

  it('is refused when it was made up or changed', () => {
    asTenant('t', () => {
      const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const [seal] = JSON.parse(Buffer.from(encodeCursor('stock', {}, POSITION), 'base64url').toString()) as [string];
      const forged = [
        '',
        '!',
        'null',
        encode(null),
        encode({}),
        encode([]),
        encode([seal]),
        encode([seal, 'SKU-2', 42]),
        encode([seal, 'SKU-1', '42']),
        encode([seal, 'SKU-1', 42, 1]),
        encode([seal, { a: 1 }, null]),
        encode(['SKU-1', 42]),
      ];
      for (const cursor of forged) {
        expect(() => decodeCursor(cursor, 'stock', {})).toThrow(/^cursor is not a nextCursor/);
      }
    });
  });
});
