/** Set by `npm run check:long`: many seeds, kills and requests instead of a few. */
export const LONG = process.env['LONG'] === '1';

/**
 * How often a test does what it repeats.
 * @param short as few as still meet the mistakes that the test is there for, in seconds: everybody waits for them
 * @param long with LONG=1, for minutes
 */
export function counts(short: number, long: number): number {
  return LONG ? long : short;
}
