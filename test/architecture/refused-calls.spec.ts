import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { documentedCodes } from '../support/documented-codes.ts';
import { refusedCalls, type RefusingWorld } from '../support/refused-calls.ts';
import { NOT_OF_THE_REQUEST, spoilingsOf } from '../support/refusals.ts';
import { ROOT } from './cruise.ts';

/** Any name will do where nothing is asked for. */
const NOWHERE: RefusingWorld = {
  placeId: 'place',
  otherPlaceId: 'other',
  sku: 'sku',
  fullSku: 'full',
  awaitedSku: 'awaited',
  cartId: 'cart',
  reservations: {
    active: 'R1',
    capped: 'R2',
    cancelled: 'R3',
    expired: 'R4',
    confirmed: 'R5',
    fulfilled: 'R6',
    notOnHand: 'R7',
  },
  tenantId: 'T1',
  keyId: 'K1',
  deadLetterId: 'D1',
  reconciliationId: 'C1',
  orderId: 'O1',
  transfers: { inTransit: 'T1', cancelled: 'T2', received: 'T3', toFull: 'T4', fromFull: 'T5' },
};

/*
 * test/flow/error-pairs.spec.ts brings every documented error of every call about. What it leaves out is found here:
 * an operation or a code that docs/openapi.json has needs a place in test/support/refused-calls.ts.
 */
describe('test/support/refused-calls.ts', () => {
  const calls = refusedCalls(NOWHERE);
  const documented = documentedCodes();

  it('has every operation of the OpenAPI document, and no other', () => {
    expect(documented.size).toBeGreaterThan(20);
    expect(Object.keys(calls).sort()).toEqual([...documented.keys()].sort());
  });

  it('brings about every error that is documented for one', () => {
    const missing: string[] = [];
    for (const [operation, codes] of documented) {
      const call = calls[operation];
      if (call === undefined || 'suite' in call) continue;
      const provoked = new Set<string>(spoilingsOf(operation, call, codes, 'used').map(({ code }) => code));
      for (const code of codes) {
        if (!provoked.has(code) && !NOT_OF_THE_REQUEST.includes(code)) missing.push(`${operation}: ${code}`);
      }
    }
    expect(missing).toEqual([]);
  });

  it('names only suites that there are', () => {
    const suites = Object.values(calls).flatMap((call) => ('suite' in call ? [call.suite] : []));
    expect(suites.filter((suite) => !existsSync(join(ROOT, 'test', 'flow', suite)))).toEqual([]);
  });
});
