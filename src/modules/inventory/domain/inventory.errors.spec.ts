import {
  InsufficientStock,
  LocationNotFound,
  ProductNotFound,
  QuantityLimit,
  UnknownLocation,
  UnknownProduct,
} from './inventory.errors.ts';

const SHORTAGE = { sku: 'A', locationId: 'S1', requested: 2, available: 1 };
const PROBLEM_MEMBERS = ['type', 'title', 'status', 'detail', 'instance', 'code', 'correlationId'];

describe('The refusals of inventory', () => {
  it.each([
    [new InsufficientStock([SHORTAGE]), 'INSUFFICIENT_STOCK', 'refused'],
    [new UnknownProduct(['A', 'B']), 'UNKNOWN_PRODUCT', 'unprocessable'],
    [new UnknownLocation(['S1']), 'UNKNOWN_LOCATION', 'unprocessable'],
    [new QuantityLimit('A', 'S1'), 'QUANTITY_LIMIT', 'unprocessable'],
    [new ProductNotFound('A'), 'NOT_FOUND', 'missing'],
    [new LocationNotFound('S1'), 'NOT_FOUND', 'missing'],
  ])('%s: code, kind, and no detail named like a member of the problem document', (refusal, code, kind) => {
    expect(refusal).toMatchObject({ code, kind });
    expect(Object.keys(refusal.details).filter((name) => PROBLEM_MEMBERS.includes(name))).toEqual([]);
  });

  it('names the short lines in the message: the first three, and how many more', () => {
    const anywhere = { ...SHORTAGE, locationId: null };
    expect(new InsufficientStock([SHORTAGE, anywhere]).message).toBe(
      'Not enough stock: A at S1: 2 wanted, 1 available; A at any location: 2 wanted, 1 available',
    );
    const five = new InsufficientStock([SHORTAGE, SHORTAGE, SHORTAGE, SHORTAGE, SHORTAGE]);
    expect(five.message).toMatch(/available; and 2 more$/);
    expect(five.details.shortages).toHaveLength(5);
  });
});
