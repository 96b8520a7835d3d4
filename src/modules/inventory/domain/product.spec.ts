import { BUILT_AT } from '../../../../test/support/builders.ts';
import { Product, type ProductContent } from './product.ts';

const CONTENT: ProductContent = { name: 'Tea light holder', lowStockThreshold: null, active: true };

describe('Product', () => {
  it('starts at version 1 with what was wanted', () => {
    expect(Product.create('SKU-1', CONTENT, BUILT_AT).state).toEqual({
      sku: 'SKU-1',
      ...CONTENT,
      createdAt: BUILT_AT,
      updatedAt: BUILT_AT,
      version: 1,
    });
  });

  it.each([{ name: 'Lantern' }, { lowStockThreshold: 0 }, { active: false }])(
    'takes over %j as a change',
    (different) => {
      const product = Product.create('SKU-1', CONTENT, BUILT_AT);
      expect(product.put({ ...CONTENT, ...different }, BUILT_AT + 1)).toBe(true);
      const changed = { ...CONTENT, ...different, createdAt: BUILT_AT, updatedAt: BUILT_AT + 1, version: 2 };
      expect(product.state).toEqual({ sku: 'SKU-1', ...changed });
    },
  );

  it('changes nothing when the content is the same', () => {
    const product = Product.create('SKU-1', CONTENT, BUILT_AT);
    const before = product.state;
    expect(product.put({ ...CONTENT }, BUILT_AT + 1)).toBe(false);
    expect(product.state).toBe(before);
  });
});
