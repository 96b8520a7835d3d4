// Breaks: sync-contract-is-plain
import type { Feed } from './domain/feed.ts';

export type FeedView = Feed;
