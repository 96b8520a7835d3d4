import { ProbeBody, ProbeOptional, ProbeQuery } from '../../../test/support/probe-app.ts';
import { bodyValuesMax } from './body-values.ts';

describe('bodyValuesMax', () => {
  it('is all that a right body holds, and ten thousand to spare', () => {
    class Nothing {}
    expect(bodyValuesMax(Nothing)).toBe(10_001);
    expect(bodyValuesMax(ProbeOptional)).toBe(10_002);
    // The body, its list of three lines with three fields each, and four fields more.
    expect(bodyValuesMax(ProbeBody)).toBe(1 + (1 + 3 * (1 + 3)) + 4 + 10_000);
    // A list of plain values: itself and three items; three fields more, two of them from the class that it extends.
    expect(bodyValuesMax(ProbeQuery)).toBe(1 + (1 + 3) + 3 + 10_000);
  });
});
