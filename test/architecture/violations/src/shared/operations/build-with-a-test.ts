// Breaks: no-tests-or-scripts-in-the-program
import { aThing } from '../../../test/support/builders.ts';

export const thing = aThing;
