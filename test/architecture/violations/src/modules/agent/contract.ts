// Breaks: agent-contract-is-plain
import type { Shelf } from './domain/shelf.ts';

export type ShelfView = Shelf;
