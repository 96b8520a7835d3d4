import { BUILT_AT } from '../../../../test/support/builders.ts';
import { StorePolicy } from './store-policy.ts';

const WANTED = { staleAfterSeconds: 10, silentAfterSeconds: 60, staleCautionPercent: 20, silentCautionPercent: 50 };

describe('StorePolicy', () => {
  it('starts at version 1 with what was wanted', () => {
    const times = { createdAt: BUILT_AT, updatedAt: BUILT_AT };
    const { state } = StorePolicy.create('S1', WANTED, BUILT_AT);
    expect(state).toEqual({ locationId: 'S1', ...WANTED, ...times, version: 1 });
  });

  it.each([
    { staleAfterSeconds: 11 },
    { silentAfterSeconds: 61 },
    { staleCautionPercent: 0 },
    { silentCautionPercent: 100 },
  ])('takes over %j as a change', (different) => {
    const policy = StorePolicy.create('S1', WANTED, BUILT_AT);
    expect(policy.put({ ...WANTED, ...different }, BUILT_AT + 1)).toBe(true);
    expect(policy.state).toMatchObject({ ...WANTED, ...different, updatedAt: BUILT_AT + 1, version: 2 });
  });

  it('changes nothing when the same is ordered again', () => {
    const policy = StorePolicy.create('S1', WANTED, BUILT_AT);
    const before = policy.state;
    expect(policy.put({ ...WANTED }, BUILT_AT + 1)).toBe(false);
    expect(policy.state).toBe(before);
  });
});
