// Breaks: reservation-imports-along-the-table
import type { FeedView } from '../../sync/contract.ts';

export type Borrowed = FeedView;
