import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '../../src/shared/http/error-codes.ts';
import { documentedCodes } from '../support/documented-codes.ts';
import { faultsOfProblem, freshKey } from '../support/http.ts';
import { aRefusingWorld, refusedCalls, REFUSING_ENVIRONMENT } from '../support/refused-calls.ts';
import {
  nameOf,
  ORDER,
  pairsOf,
  placeOf,
  type RefusedCall,
  sendSpoiled,
  type Spoiling,
  spoilingsOf,
} from '../support/refusals.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { useShop } from '../support/shop.ts';

/** From here on a request has been read, and the database is asked. */
const ASKS_THE_DATABASE = (ORDER as readonly string[]).indexOf('VALIDATION_FAILED');

/*
 * Made of the OpenAPI document and test/support/refused-calls.ts: for each call each of its errors, and every two of
 * them that can apply together. Every answer is also held against the document by `Api`.
 */
describeOnBothEngines('Every call', (engine) => {
  const shop = useShop(engine, REFUSING_ENVIRONMENT);
  const calls: { operation: string; call: RefusedCall; spoilings: Spoiling[] }[] = [];

  beforeAll(async () => {
    const world = await aRefusingWorld(shop);
    const usedKey = freshKey();
    await shop.api.put('/v1/products/other', { name: 'Other' }, { key: usedKey });
    const documented = documentedCodes();
    for (const [operation, call] of Object.entries(refusedCalls(world))) {
      if ('suite' in call) continue;
      const spoilings = spoilingsOf(operation, call, documented.get(operation) ?? new Set(), usedKey);
      // The first part is the same on both engines, and has nothing to do with either.
      const first = engine === 'sqlite' ? 0 : ASKS_THE_DATABASE;
      calls.push({ operation, call, spoilings: spoilings.filter((spoiling) => placeOf(spoiling) >= first) });
    }
  });

  /** What is wrong with the answer to a request that is spoiled so, when it has to tell of the first. */
  async function faultsOf(operation: string, call: RefusedCall, spoilings: readonly Spoiling[]): Promise<string[]> {
    const answer = await sendSpoiled(shop.api, operation, call, spoilings);
    const { code } = spoilings[0]!;
    const faults = faultsOfProblem(answer, ERROR_CODES[code].status, code);
    return faults.map((fault) => `${operation}, ${spoilings.map(nameOf).join(' and ')}: ${fault}`);
  }

  it('answers each of its errors', async () => {
    const faults: string[] = [];
    for (const { operation, call, spoilings } of calls) {
      for (const spoiling of spoilings) faults.push(...(await faultsOf(operation, call, [spoiling])));
    }
    expect(calls.length).toBeGreaterThan(20);
    expect(faults).toEqual([]);
  });

  it('tells of two errors the one that comes first', async () => {
    const faults: string[] = [];
    let pairs = 0;
    for (const { operation, call, spoilings } of calls) {
      for (const pair of pairsOf(spoilings)) {
        pairs += 1;
        faults.push(...(await faultsOf(operation, call, pair)));
      }
    }
    expect(pairs).toBeGreaterThan(engine === 'sqlite' ? 1_000 : 100);
    expect(faults).toEqual([]);
  });

  it('is refused for nothing but what it was spoiled with', async () => {
    const faults: string[] = [];
    for (const { operation, call } of calls) {
      const { status, text } = await sendSpoiled(shop.api, operation, call, []);
      if (status >= 300) faults.push(`${operation}: ${status} ${text}`);
    }
    expect(faults).toEqual([]);
  });
});

describe('The order of errors', () => {
  it('is that of docs/errors.md', () => {
    const page = readFileSync(join(__dirname, '../../docs/errors.md'), 'utf8');
    const list = /^The first in this order:\n\n([^]*?)\n\n/m.exec(page)?.[1] ?? '';
    const told = [...list.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code);
    const places = ORDER.map((name) => name.split(' ')[0]);
    // The states of a reservation are told by their prefix there, and exclude each other.
    expect(places.filter((code) => !/^(RESERVATION|ALREADY)_/.test(code ?? ''))).toEqual(told);
  });
});
