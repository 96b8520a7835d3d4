// Breaks: agent-imports-only-contracts
import type { Feed } from '../../sync/domain/feed.ts';

export type Stolen = Feed;
