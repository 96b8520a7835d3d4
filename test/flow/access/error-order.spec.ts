import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '../../../src/shared/http/error-codes.ts';
import { documentedCodes } from '../../support/documented-codes.ts';
import { type GuardedApp, startGuardedApp } from '../../support/guarded-app.ts';
import { type Api, faultsOfProblem, freshKey } from '../../support/http.ts';
import { aRefusingWorld, refusedCalls, REFUSING_ENVIRONMENT } from '../../support/refused-calls.ts';
import { nameOf, type RefusedCall, sendSpoiled, type Spoiling, spoilingsOf } from '../../support/refusals.ts';
import { Shop } from '../../support/shop.ts';

const DOCUMENT = JSON.parse(readFileSync(join(__dirname, '../../../docs/openapi.json'), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly 'x-roles'?: readonly string[] }>>>>;
};

/*
 * The pairs of errors whose first one is about who asks: error-pairs.spec.ts has all others. What the second one is makes no
 * difference to the database, so one engine tells all.
 */
describe('Whoever may not call', () => {
  let app: GuardedApp;
  const calls: { operation: string; call: RefusedCall; spoilings: Spoiling[] }[] = [];

  beforeAll(async () => {
    app = await startGuardedApp('sqlite', { ...REFUSING_ENVIRONMENT, METRICS_OPEN: 'off' });
    const shop = new Shop();
    shop.open({ ...app.running, api: app.admin });
    const world = await aRefusingWorld(shop);
    const usedKey = freshKey();
    await app.admin.put('/v1/products/other', { name: 'Other' }, { key: usedKey });
    const documented = documentedCodes();
    for (const [operation, call] of Object.entries(refusedCalls(world))) {
      if ('suite' in call || operation.includes(' /health/')) continue;
      const spoilings = spoilingsOf(operation, call, documented.get(operation) ?? new Set(), usedKey);
      calls.push({ operation, call, spoilings });
    }
  });

  afterAll(() => app.close());

  /** @param passing errors that are told first */
  async function faultsOf(
    code: 'UNAUTHENTICATED' | 'FORBIDDEN',
    apiFor: (operation: string) => Api,
    passing: readonly string[],
  ): Promise<string[]> {
    const faults: string[] = [];
    let pairs = 0;
    for (const { operation, call, spoilings } of calls) {
      for (const spoiling of spoilings.filter((one) => !passing.includes(nameOf(one)))) {
        pairs += 1;
        const answer = await sendSpoiled(apiFor(operation), operation, call, [spoiling]);
        const found = faultsOfProblem(answer, ERROR_CODES[code].status, code);
        faults.push(...found.map((fault) => `${operation}, ${code} and ${nameOf(spoiling)}: ${fault}`));
      }
    }
    expect(pairs).toBeGreaterThan(200);
    return faults;
  }

  it('is told 401 before anything that is wrong with the request', async () => {
    expect(await faultsOf('UNAUTHENTICATED', () => app.anonymous, [])).toEqual([]);
  });

  it('is told 403 before it, but for a path or method that there is not, which has no roles', async () => {
    const [platform, auditor, storefront] = [
      await app.as({ role: 'platform' }),
      await app.as({ role: 'auditor' }),
      await app.as({ role: 'storefront' }),
    ];
    const apiFor = (operation: string) => {
      const roles = rolesOf(operation);
      if (!roles.includes('platform')) return platform;
      return roles.includes('auditor') ? storefront : auditor;
    };
    expect(await faultsOf('FORBIDDEN', apiFor, ['NOT_FOUND route', 'METHOD_NOT_ALLOWED'])).toEqual([]);
  });
});

/** By the document's own x-roles. */
function rolesOf(operation: string): readonly string[] {
  const [method = '', path = ''] = operation.split(' ');
  return DOCUMENT.paths[path]?.[method.toLowerCase()]?.['x-roles'] ?? [];
}
