// Breaks: no-development-dependencies-in-the-program
import type { Arbitrary } from 'fast-check';

export type Known = Arbitrary<unknown>;
