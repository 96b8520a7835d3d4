// Breaks: agent-imports-along-the-table
import type { FeedView } from '../../sync/contract.ts';

export type Followed = FeedView;
