import { jest } from '@jest/globals';
import { UuidV7Ids } from './ids.ts';

describe('UuidV7Ids', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('gives UUIDs of version 7 that rise and never repeat, also within a millisecond', () => {
    const ids = new UuidV7Ids();
    const given = Array.from({ length: 5_000 }, () => ids.next());
    expect([...given].sort()).toEqual(given);
    expect(new Set(given).size).toBe(given.length);
    expect(given.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
      true,
    );
  });

  it('goes on rising when the clock steps back', () => {
    const ids = new UuidV7Ids();
    const before = ids.next();
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 60_000);
    expect(ids.next() > before).toBe(true);
  });

  it('differs between two sources that start at the same instant', () => {
    jest.spyOn(Date, 'now').mockReturnValue(1_800_000_000_000);
    expect(new UuidV7Ids().next()).not.toBe(new UuidV7Ids().next());
  });
});
