import fc from 'fast-check';
import { hashOfJson } from './json-content.ts';

describe('hashOfJson', () => {
  it('does not look at the order of members, nor at how numbers are written', () => {
    expect(hashOfJson({ a: 1, b: [1, { c: 2, d: 3 }] })).toBe(
      hashOfJson(JSON.parse('{"b":[1.0,{"d":3,"c":2e0}],"a":1}')),
    );
    expect(hashOfJson(-0)).toBe(hashOfJson(0));
  });

  it('tells absent, null, empty and text apart', () => {
    const values = [
      undefined,
      null,
      '',
      'null',
      'absent',
      0,
      '0',
      false,
      [],
      {},
      [null],
      { a: null },
      { a: undefined },
    ];
    expect(new Set(values.map(hashOfJson)).size).toBe(values.length);
  });

  it('tells two values apart if and only if they are not the same JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (one, other) => {
        const isSame = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
        expect(hashOfJson(one) === hashOfJson(other)).toBe(isSame);
      }),
    );
  });

  it('survives any nesting', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    expect(hashOfJson(deep)).toHaveLength(22);
  });
});

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
