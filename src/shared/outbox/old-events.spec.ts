import fc from 'fast-check';
import { lookForOld } from './old-events.ts';

const OLD = 1_000;
const NOW = 2_000;

/** Events at positions 1, 2, 3 … with these dates. */
function dated(...dates: number[]) {
  return dates.map((occurredAt, index) => ({ position: index + 1, occurredAt }));
}

describe('lookForOld', () => {
  it('finds the last old event at the front', () => {
    expect(lookForOld(dated(1, 2, 1_000, 1_001, 3), OLD, NOW)).toEqual({ through: 3, goOn: false });
  });

  it('goes on when all are old', () => {
    expect(lookForOld(dated(1, 1_000), OLD, NOW)).toEqual({ through: 2, goOn: true });
    expect(lookForOld([], OLD, NOW)).toEqual({ through: null, goOn: true });
  });

  it('lets nothing go because of an old date behind a young one: that clock was behind', () => {
    expect(lookForOld(dated(1_500, 1, 2), OLD, NOW)).toEqual({ through: null, goOn: false });
  });

  it('takes an event from the future for as old as what follows: that clock was ahead', () => {
    expect(lookForOld(dated(1, 9_999, 9_998, 2, 1_500), OLD, NOW)).toEqual({ through: 4, goOn: false });
    expect(lookForOld(dated(1, 9_999, 1_500), OLD, NOW)).toEqual({ through: 1, goOn: false });
    expect(lookForOld(dated(9_999, 9_999), OLD, NOW)).toEqual({ through: null, goOn: true });
  });

  it('never passes a young event, whatever the clocks wrote', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_000 })), (dates) => {
        const { through, goOn } = lookForOld(dated(...dates), OLD, NOW);
        const firstYoung = dates.findIndex((date) => date > OLD && date <= NOW);
        expect(goOn).toBe(firstYoung === -1);
        const gone = dates.slice(0, through ?? 0);
        expect(gone.some((date) => date > OLD && date <= NOW)).toBe(false);
        if (through !== null) expect(gone.at(-1)).toBeLessThanOrEqual(OLD);
      }),
    );
  });
});
