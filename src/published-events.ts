import {
  INVENTORY_EVENTS,
  StockCommitted,
  StockHeld,
  StockHoldShortened,
  StockIncomingChanged,
  StockLow,
  StockOversold,
  StockReleased,
} from './modules/inventory/contract.ts';
import { RESERVATION_EVENTS } from './modules/reservation/contract.ts';
import { LettersLeftWaiting, SYNC_EVENTS } from './modules/sync/contract.ts';
import { ACCESS_EVENTS } from './shared/access/events.ts';
import type { EventDefinition } from './shared/kernel/domain-event.ts';
import type { PublishedEvents } from './shared/outbox/outbox.module.ts';

/**
 * Every version of every event that the log may still hold, and the steps between them. A module that has more than one
 * version of an event exports its upcasters beside its events (docs/event-versioning.md).
 */
export const PUBLISHED_EVENTS: PublishedEvents = {
  events: [...INVENTORY_EVENTS, ...RESERVATION_EVENTS, ...SYNC_EVENTS, ...ACCESS_EVENTS],
  upcasters: [],
};

/**
 * What follows from something that the audit has anyway: the reservation that holds, the transfer that is on its way, the
 * movement that oversells. Whoever adds an event that is an act of its own adds nothing here.
 */
const CONSEQUENCES: readonly EventDefinition[] = [
  StockHeld,
  StockHoldShortened,
  StockReleased,
  StockCommitted,
  StockIncomingChanged,
  StockOversold,
  StockLow,
  LettersLeftWaiting,
];

/** Types of events that the audit keeps (docs/audit.md). */
export const AUDITED_EVENT_TYPES: readonly string[] = PUBLISHED_EVENTS.events
  .filter((definition) => !CONSEQUENCES.includes(definition))
  .map(({ type }) => type);
