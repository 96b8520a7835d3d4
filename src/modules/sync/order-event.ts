import { isId, isPlainText } from '../../shared/http/fields.ts';
import { QUANTITY_MAX } from '../inventory/contract.ts';
import { LINES_MAX, type WantedLine } from '../reservation/contract.ts';
import type { OrderEventContent } from './contract.ts';
import { readOccurredAt } from './domain/occurred-at.ts';

/** What an event says, once it is known to be as documented. */
export type ReadOrderEvent =
  | { readonly type: 'order.created'; readonly lines: readonly WantedLine[] }
  | { readonly type: 'order.created'; readonly reservationId: string }
  | { readonly type: 'order.paid' }
  | { readonly type: 'order.shipped'; readonly locationId: string | null }
  | { readonly type: 'order.cancelled'; readonly reason: string | null };

type Members = Readonly<Record<string, unknown>>;
/** Of an event, all that is wrong: e.g. `data.lines[0].sku must be an id`. */
type Faults = string[];

/**
 * Reads an event of an order. Members of `data` that are not named here are the shop's own: they have no schema that
 * could tell a mistake from an addition, so they are kept with the event and not looked at.
 * @returns what it says, or all that is wrong with it
 */
export function readOrderEvent(content: OrderEventContent): ReadOrderEvent | { faults: Faults } {
  const { type, occurredAt, data, fault } = content;
  const faults: Faults = fault === null ? [] : [fault];
  if (readOccurredAt(occurredAt) === null) {
    faults.push('occurredAt must be an instant in UTC, as 2026-11-22T09:00:00.000Z');
  }
  const members = isObject(data) ? data : {};
  if (!isObject(data)) faults.push('data must be an object');
  const said = readData(type, members, isObject(data) ? faults : []);
  if (said === null) faults.push('type must be order.created, order.paid, order.shipped or order.cancelled');
  return said === null || faults.length > 0 ? { faults } : said;
}

function readData(type: unknown, data: Members, faults: Faults): ReadOrderEvent | null {
  switch (type) {
    case 'order.created':
      return { type, ...readHold(data, faults) };
    case 'order.paid':
      return { type };
    case 'order.shipped':
      return { type, locationId: readIdOrNull('data.locationId', data['locationId'], faults) };
    case 'order.cancelled':
      return { type, reason: readReason(data['reason'] ?? null, faults) };
    default:
      return null;
  }
}

/** Its lines, or the reservation that has them already. */
function readHold(data: Members, faults: Faults): { lines: readonly WantedLine[] } | { reservationId: string } {
  const lines = data['lines'] ?? null;
  const reservationId = data['reservationId'] ?? null;
  if ((lines === null) === (reservationId === null)) {
    faults.push('data must have lines or a reservationId, and not both');
    return { lines: [] };
  }
  if (reservationId === null) return { lines: readLines(lines, faults) };
  return { reservationId: readIdOrNull('data.reservationId', reservationId, faults) ?? '' };
}

function readLines(lines: unknown, faults: Faults): WantedLine[] {
  if (!Array.isArray(lines) || lines.length < 1 || lines.length > LINES_MAX) {
    faults.push(`data.lines must be a list of 1 to ${LINES_MAX}`);
    return [];
  }
  return lines.map((line: unknown, index) => readLine(`data.lines[${index}]`, line, faults));
}

function readLine(name: string, line: unknown, faults: Faults): WantedLine {
  const { sku, quantity, locationId } = isObject(line) ? line : ({} as Members);
  if (!isId(sku)) faults.push(`${name}.sku must be an id`);
  if (!isQuantity(quantity)) faults.push(`${name}.quantity must be a whole number from 1 to ${QUANTITY_MAX}`);
  return {
    sku: sku as string,
    quantity: quantity as number,
    locationId: readIdOrNull(`${name}.locationId`, locationId, faults),
  };
}

function readIdOrNull(name: string, value: unknown, faults: Faults): string | null {
  if (value === undefined || value === null || isId(value)) return value ?? null;
  faults.push(`${name} must be an id`);
  return null;
}

function readReason(reason: unknown, faults: Faults): string | null {
  if (reason === null || isPlainText(reason)) return reason;
  faults.push('data.reason must be a text of 1 to 500 characters');
  return null;
}

function isQuantity(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= QUANTITY_MAX;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
