import { SystemPace } from './pace.ts';

describe('SystemPace.elapsedMs', () => {
  it('goes on when the clock of the machine is set', () => {
    const pace = new SystemPace();
    const before = pace.elapsedMs();
    const wall = jest.spyOn(Date, 'now').mockReturnValue(0);
    try {
      expect(pace.elapsedMs() - before).toBeGreaterThanOrEqual(0);
      expect(pace.elapsedMs() - before).toBeLessThan(60_000);
    } finally {
      wall.mockRestore();
    }
  });
});
