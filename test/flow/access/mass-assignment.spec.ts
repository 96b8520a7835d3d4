import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GuardedApp, startGuardedApp } from '../../support/guarded-app.ts';
import { faultsOfProblem, freshKey, RawBody } from '../../support/http.ts';
import { aRefusingWorld, refusedCalls, REFUSING_ENVIRONMENT } from '../../support/refused-calls.ts';
import { filledPath, type RefusedCall } from '../../support/refusals.ts';
import { describeOnBothEngines } from '../../support/services.ts';
import { Shop } from '../../support/shop.ts';
import { rowsOfTenant } from '../../support/tenant-rows.ts';

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly contentSchema?: Schema;
}

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

const DOCUMENT = JSON.parse(readFileSync(join(__dirname, '../../../docs/openapi.json'), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

/** Every member that any answer or request of the document has, so that one that is new is tried without a word here. */
const MEMBERS: readonly string[] = membersOf(DOCUMENT.components.schemas);

/** Members of the language, of rows, and in other spellings. */
// prettier-ignore
const OTHERS = [
  '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'tenant_id', 'client_id', 'tenant', 'client', 'on_hand',
  'OnHand', 'VERSION', 'isAdmin', 'admin', 'roles', 'hash', 'keyId', 'createdBy', '$set', '$where', '',
];

function membersOf(schemas: unknown): string[] {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { properties } = value as { properties?: Record<string, unknown> };
    if (typeof properties === 'object') Object.keys(properties).forEach((name) => found.add(name));
    Object.values(value).forEach(look);
  };
  look(schemas);
  return [...found].sort();
}

describeOnBothEngines("A member that is not the caller's to give", (engine) => {
  let app: GuardedApp;
  let calls: [operation: string, call: RefusedCall][];

  beforeAll(async () => {
    app = await startGuardedApp(engine, REFUSING_ENVIRONMENT);
    const shop = new Shop();
    shop.open({ ...app.running, api: app.admin });
    const world = await aRefusingWorld(shop);
    calls = Object.entries(refusedCalls(world)).filter(
      (entry): entry is [string, RefusedCall] => !('suite' in entry[1]) && entry[1].right.body !== undefined,
    );
  });

  afterAll(() => app.close());

  /** Without the keys of the imports, which are carried out, with refused rows. */
  const rows = async () => ({
    ...(await rowsOfTenant(engine, app.running.databaseUrl, 'default')),
    idempotency_keys: null,
  });

  it('is refused by name in every body, at every depth, and changes nothing', async () => {
    const before = await rows();
    const faults: string[] = [];
    let tried = 0;
    for (const [operation, { right }] of calls) {
      const [method = '', path = ''] = operation.split(' ');
      const { params, contentType = 'application/json' } = right;
      for (const place of placesIn(right.body as Record<string, unknown>)) {
        const known = declared(operation, place.path, contentType);
        for (const names of chunks([...MEMBERS, ...OTHERS].filter((name) => !known.has(name)))) {
          tried += names.length;
          const raw = new RawBody(JSON.stringify(place.with(names)), contentType);
          const answer = await app.admin.send(method, filledPath(path, params), raw, { key: freshKey() });
          const at = `${operation}, ${place.path}`;
          if (path.endsWith('/import')) {
            if (!REFUSED_ROW.test(answer.text)) faults.push(`${at}: ${answer.text}`);
            continue;
          }
          faults.push(...faultsOfProblem(answer, 400, 'VALIDATION_FAILED').map((fault) => `${at}: ${fault}`));
          const { errors = [] } = answer.body as { errors?: { field: string }[] };
          const told = errors.map(({ field }) => field);
          const silent = names.filter((name) => !told.some((field) => field.endsWith(name)));
          if (silent.length > 0) faults.push(`${at}: nothing is said of ${silent.join(', ')}`);
        }
      }
    }
    expect(faults).toEqual([]);
    expect(tried).toBeGreaterThan(3_000);
    expect(await rows()).toEqual(before);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

const REFUSED_ROW = /"outcome":"refused","code":"VALIDATION_FAILED"/;

/** As many as one answer tells of. */
function chunks(names: readonly string[]): string[][] {
  const all = [...names];
  const found: string[][] = [];
  while (all.length > 0) found.push(all.splice(0, 20));
  return found;
}

/** Of the schemas that the body, or an object in its list `place`, may have. */
function declared(operation: string, place: string, contentType = 'application/json'): ReadonlySet<string> {
  const [method = '', path = ''] = operation.split(' ');
  const schema = DOCUMENT.paths[path]?.[method.toLowerCase()]?.requestBody?.content[contentType]?.schema;
  const body = alternatives(schema?.contentSchema ?? schema ?? {});
  const there =
    place === 'body' ? body : body.flatMap(({ properties }) => alternatives(properties?.[place]?.items ?? {}));
  return new Set(there.flatMap(({ properties = {} }) => Object.keys(properties)));
}

function alternatives(schema: Schema): Schema[] {
  if (schema.$ref !== undefined)
    return alternatives(DOCUMENT.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});
  return schema.oneOf === undefined ? [schema] : schema.oneOf.flatMap(alternatives);
}

interface Place {
  readonly path: string;
  with(names: readonly string[]): object;
}

/**
 * The body itself, and the first object of each list in it. Events of stores and shops are facts, which are never refused: one
 * with too much in it becomes a dead letter (store-events.spec.ts, order-events.spec.ts).
 */
function placesIn(body: Record<string, unknown>): Place[] {
  const lists = Object.entries(body).filter(
    ([name, value]) => name !== 'events' && Array.isArray(value) && typeof value[0] === 'object',
  );
  return [
    { path: 'body', with: (names) => withMembers(body, names) },
    ...lists.map(([list, items]) => ({
      path: list,
      with: (names: readonly string[]) => {
        const [first, ...rest] = items as object[];
        return { ...body, [list]: [withMembers(first ?? {}, names), ...rest] };
      },
    })),
  ];
}

/** A literal could not have a member that is called `__proto__`. */
function withMembers(body: object, names: readonly string[]): object {
  const copy = structuredClone(body);
  for (const name of names) Object.defineProperty(copy, name, { value: 1, enumerable: true });
  return copy;
}
