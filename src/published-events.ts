import { INVENTORY_EVENTS } from './modules/inventory/contract.ts';
import { RESERVATION_EVENTS } from './modules/reservation/contract.ts';
import { SYNC_EVENTS } from './modules/sync/contract.ts';
import { ACCESS_EVENTS } from './shared/access/events.ts';
import type { PublishedEvents } from './shared/outbox/outbox.module.ts';

/**
 * Every version of every event that the log may still hold, and the steps between them. A module that has more than one
 * version of an event exports its upcasters beside its events (docs/event-versioning.md).
 */
export const PUBLISHED_EVENTS: PublishedEvents = {
  events: [...INVENTORY_EVENTS, ...RESERVATION_EVENTS, ...SYNC_EVENTS, ...ACCESS_EVENTS],
  upcasters: [],
};
