import type { FastifyRequest } from 'fastify';
import type { HeaderRule } from '../../../shared/http/answered-stream.ts';
import { formatFeedCursor, isFeedCursor, parseFeedCursor } from '../feed-cursor.ts';

/*
 * Server-Sent Events as the HTML standard has them. An id without data tells a client nothing but from where to go on; so
 * the cursor moves while there is nothing to tell, too.
 */

export const EVENT_STREAM_TYPE = 'text/event-stream';
export const EVENT_STREAM_CONTENT_TYPE = `${EVENT_STREAM_TYPE}; charset=utf-8`;

/** How long a client shall wait before it comes back, in milliseconds. */
const RECONNECT_MS = 1_000;

const DATA = '\ndata: ';

export const LAST_EVENT_ID: HeaderRule = {
  name: 'Last-Event-ID',
  isRight: isFeedCursor,
  what: 'must be the id of an event of a feed',
};

/** The first thing that a stream says, so that its reader knows at once that it is open, and from where on. */
export function openingFrame(position: number): string {
  return `: open\nretry: ${RECONNECT_MS}\nid: ${formatFeedCursor(position)}\n\n`;
}

/** @param data JSON text, so it has no line ends */
export function toFrame(position: number, data: string): string {
  return `id: ${formatFeedCursor(position)}${DATA}${data}\n\n`;
}

/** @param frame from `toFrame` */
export function dataOfFrame(frame: Buffer): string {
  return frame.toString('utf8', frame.indexOf(DATA) + DATA.length, frame.length - 2);
}

export function heartbeatFrame(position: number): string {
  return `: still here\nid: ${formatFeedCursor(position)}\n\n`;
}

/** @returns from where the caller wants to go on; null: from now */
export function positionOf({ headers }: FastifyRequest, after: string | undefined): number | null {
  // A browser that comes back asks for the same URL again, and tells by the header how far it came since.
  const given = headers['last-event-id'] ?? after;
  return typeof given === 'string' ? parseFeedCursor(given) : null;
}
