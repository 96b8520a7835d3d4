// Breaks: every-module-stands-in-the-table
import { UNLISTED } from '../contract.ts';

export const known = UNLISTED;
