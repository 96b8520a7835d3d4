import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { correlationIdOf, traceparentOf } from './correlation-id.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

function aRequest(headers: IncomingHttpHeaders = {}): IncomingMessage {
  return { headers } as IncomingMessage;
}

describe('correlationIdOf', () => {
  it('takes a good one over, up to 128 characters', () => {
    const longest = 'x'.repeat(128);
    expect(correlationIdOf(aRequest({ 'x-correlation-id': longest }))).toBe(longest);
  });

  it('makes a new one for each request that has none, and always the same for one', () => {
    const [one, other] = [aRequest(), aRequest()];
    expect(correlationIdOf(one)).not.toBe(correlationIdOf(other));
    expect(correlationIdOf(one)).toBe(correlationIdOf(one));
  });
});

describe('traceparentOf', () => {
  it.each([`00-${TRACE}-${PARENT}-01`, `00-${TRACE}-${PARENT}-00`])('takes %s', (given) => {
    expect(traceparentOf({ traceparent: given })).toBe(given);
  });

  it('takes of a later version the part that it knows', () => {
    const known = `01-${TRACE}-${PARENT}-01`;
    expect(traceparentOf({ traceparent: `${known}-more` })).toBe(known);
  });

  it.each([
    undefined,
    '',
    `ff-${TRACE}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01-more`,
    `00-${TRACE}-${PARENT}-1`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `01-${TRACE}-${PARENT}-011`,
  ])('passes over %s', (given) => {
    expect(traceparentOf(given === undefined ? {} : { traceparent: given })).toBeNull();
  });
});
