import { BUILT_AT } from '../../../../test/support/builders.ts';
import { Location, type LocationContent } from './location.ts';

const CONTENT: LocationContent = { name: 'Main Street', kind: 'STORE', priority: 100, sellsOnline: true };

describe('Location', () => {
  it('starts at version 1 with what was wanted', () => {
    expect(Location.create('S1', CONTENT, BUILT_AT).state).toEqual({
      locationId: 'S1',
      ...CONTENT,
      createdAt: BUILT_AT,
      updatedAt: BUILT_AT,
      version: 1,
    });
  });

  it.each([{ name: 'High Street' }, { kind: 'WAREHOUSE' }, { priority: 0 }, { sellsOnline: false }] as const)(
    'takes over %j as a change',
    (different) => {
      const location = Location.create('S1', CONTENT, BUILT_AT);
      expect(location.put({ ...CONTENT, ...different }, BUILT_AT + 1)).toBe(true);
      const changed = { ...CONTENT, ...different, createdAt: BUILT_AT, updatedAt: BUILT_AT + 1, version: 2 };
      expect(location.state).toEqual({ locationId: 'S1', ...changed });
    },
  );

  it('changes nothing when the content is the same', () => {
    const location = Location.create('S1', CONTENT, BUILT_AT);
    const before = location.state;
    expect(location.put({ ...CONTENT }, BUILT_AT + 1)).toBe(false);
    expect(location.state).toBe(before);
  });
});
