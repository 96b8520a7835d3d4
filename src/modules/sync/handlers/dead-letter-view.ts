import type { DeadLetterRow } from '../../../shared/outbox/dead-letter.table.ts';
import type { DeadLetterView } from '../contract.ts';

/** A dead letter without what only its consumer needs. */
export function toDeadLetterView(letter: DeadLetterRow): DeadLetterView {
  const { id, eventId, consumer, locationId, orderId, sequence, type, data, code, detail, attempts } = letter;
  const { status, reason, createdAt, closedAt, version } = letter;
  return {
    id,
    eventId,
    consumer,
    locationId,
    orderId,
    sequence,
    type,
    data,
    code,
    detail,
    attempts,
    status,
    reason,
    createdAt,
    closedAt,
    version,
  };
}
