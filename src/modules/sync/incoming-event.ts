import { hashOfJson } from '../../shared/kernel/json-content.ts';
import { faultOfEvent, isScalar, scalarOf, shallow, withDataWithin } from './as-it-came.ts';
import type { IncomingEvent } from './contract.ts';
import { STORE_EVENT_DATA_MAX } from './domain/store-event-types.ts';

const MEMBERS: ReadonlySet<string> = new Set(['id', 'sequence', 'type', 'version', 'occurredAt', 'data']);

/** An event of a store as it came, whatever it holds; its id and sequence are known to be right. */
export function toIncomingEvent(item: unknown): IncomingEvent {
  const event = item as Readonly<Record<string, unknown>> & { readonly id: string; readonly sequence: number };
  const { id, sequence, type, version, occurredAt, data } = event;
  const contentHash = hashOfJson([type, version, occurredAt, data]);
  const fault = faultOfEvent(event, MEMBERS);
  const content =
    fault === null && isScalar(type) && isScalar(version) && isScalar(occurredAt)
      ? { type, version, occurredAt, data, fault }
      : {
          type: scalarOf(type),
          version: scalarOf(version),
          occurredAt: scalarOf(occurredAt),
          data: shallow(data),
          fault,
        };
  return { id, sequence, contentHash, content: withDataWithin(content, STORE_EVENT_DATA_MAX) };
}
