import { readOccurredAt } from './occurred-at.ts';

describe('readOccurredAt', () => {
  it.each([
    ['2026-11-22T09:00:00.000Z', 1_795_338_000_000],
    ['2026-11-22T09:00:00Z', 1_795_338_000_000],
    ['2026-11-22T09:00:00.123456Z', 1_795_338_000_123],
    ['2024-02-29T23:59:59.999Z', 1_709_251_199_999],
  ])('reads %s', (text, at) => {
    expect(readOccurredAt(text)).toBe(at);
  });

  it.each([
    ['2026-02-30T00:00:00.000Z'],
    ['2025-02-29T00:00:00Z'],
    ['2026-13-01T00:00:00Z'],
    ['2026-11-22T24:00:00Z'],
    ['2026-11-22T09:00:60Z'],
    ['2026-11-22T09:00:00+01:00'],
    ['2026-11-22'],
    ['yesterday'],
    [''],
    [1_795_338_000_000],
    [null],
    [undefined],
    [{}],
  ])('does not read %p', (value) => {
    expect(readOccurredAt(value)).toBeNull();
  });
});
