import { faultOfItem } from '../../shared/http/json-body.ts';
import { hashOfJson } from '../../shared/kernel/json-content.ts';
import type { EventContent, IncomingEvent } from './contract.ts';
import { STORE_EVENT_DATA_MAX } from './domain/store-event-types.ts';

const MEMBERS: ReadonlySet<string> = new Set(['id', 'sequence', 'type', 'version', 'occurredAt', 'data']);

/** Longer texts are no type, version or time; they are not kept. */
const TEXT_KEPT_MAX = 200;
/** What nests deeper is not kept: nobody could show it. */
const DEPTH_KEPT_MAX = 32;

/**
 * An event as it came, whatever it holds; its id and sequence are known to be right. What of it is too large or too deep
 * to be kept is left out, and its content says so.
 */
export function toIncomingEvent(item: unknown): IncomingEvent {
  const event = item as Readonly<Record<string, unknown>> & { readonly id: string; readonly sequence: number };
  const { id, sequence, type, version, occurredAt, data } = event;
  const contentHash = hashOfJson([type, version, occurredAt, data]);
  const fault = faultOfEvent(event);
  if (fault === null && isScalar(type) && isScalar(version) && isScalar(occurredAt)) {
    return { id, sequence, contentHash, content: keptOf({ type, version, occurredAt, data, fault }) };
  }
  const scalars = { type: scalarOf(type), version: scalarOf(version), occurredAt: scalarOf(occurredAt) };
  const kept = isWithin(data, DEPTH_KEPT_MAX) ? data : null;
  return { id, sequence, contentHash, content: keptOf({ ...scalars, data: kept, fault }) };
}

function faultOfEvent(event: Readonly<Record<string, unknown>>): string | null {
  const written = faultOfItem(event);
  if (written !== undefined) return printable(`${written.field} ${written.message}`);
  const unknown = Object.keys(event).find((name) => !MEMBERS.has(name));
  return unknown === undefined ? null : printable(`${unknown.slice(0, TEXT_KEPT_MAX)} is not known here`);
}

/** A name may be anything; a text that is stored and shown may not. */
function printable(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\u2028\u2029]/gu, '\ufffd');
}

function keptOf(content: EventContent): EventContent {
  const { data } = content;
  if (typeof data !== 'object' && typeof data !== 'string') return content;
  if (JSON.stringify(data).length <= STORE_EVENT_DATA_MAX) return content;
  return { ...content, data: null, fault: `data is longer than ${STORE_EVENT_DATA_MAX} characters, and is not kept` };
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' ? value.length <= TEXT_KEPT_MAX : typeof value !== 'object';
}

function scalarOf(value: unknown): unknown {
  return isScalar(value) ? value : null;
}

function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((member) => isWithin(member, depth - 1));
}
