/** Only as long as the bench runs, and only on its own servers. */
export const ADMIN_KEY = 'the-first-key-of-the-bench-0123456789';

/** All of them count, and none is met. */
const NOT_MET = '1000000000';
const CAP_NOT_MET = '100000000';
export const LIMITS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['STOREFRONT', 'STORE', 'OPERATOR', 'PLATFORM', 'ADDRESS'].flatMap((whose) =>
      ['READS', 'WRITES', 'BULK'].map((what) => [`RATE_LIMIT_${whose}_${what}`, NOT_MET]),
    ),
  ),
  STOREFRONT_RESERVATIONS_MAX: CAP_NOT_MET,
  STOREFRONT_UNITS_MAX: CAP_NOT_MET,
};

/**
 * The server as it is meant to run: every caller is asked who it is and counted, and a reaction hears of every reservation.
 * Rows that compare the app with itself have it on both sides.
 */
export const GUARDED: Readonly<Record<string, string>> = {
  AUTH: 'on',
  HOLDFAST_ADMIN_KEY: ADMIN_KEY,
  BENCH_RELAY: '1',
  ...LIMITS,
};
