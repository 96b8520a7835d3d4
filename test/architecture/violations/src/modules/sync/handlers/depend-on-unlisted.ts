// Breaks: sync-imports-along-the-table
import { UNLISTED } from '../../unlisted/contract.ts';

export const borrowed = UNLISTED;
