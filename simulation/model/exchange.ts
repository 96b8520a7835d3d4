import type { Exchange } from '../../src/shared/http/exchange.ts';

/** As much of an HTTP exchange as the door looks at. */
export function exchangeFor(
  request: { kind: string },
  key: string | null,
): { exchange: Exchange; sentHeaders: Set<string> } {
  const sentHeaders = new Set<string>();
  const reply = {
    code: () => reply,
    headers: () => reply,
    header: (name: string) => {
      sentHeaders.add(name);
      return reply;
    },
  };
  const headers = key === null ? {} : { 'idempotency-key': key };
  const received = { method: 'POST', url: `/${request.kind}`, headers, jsonBody: request };
  return { exchange: { request: received, reply } as unknown as Exchange, sentHeaders };
}
