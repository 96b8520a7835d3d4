export { Random } from '../../scripts/random.ts';

/** The seed of this run: printed by the suites that draw from it, set by TEST_SEED to see a run again. */
export const SEED = Number(process.env.TEST_SEED ?? 20_261_122);
