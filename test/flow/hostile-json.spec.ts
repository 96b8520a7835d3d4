import { faultsOfProblem, freshKey, problemOf, RawBody } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, stockPath, useShop } from '../support/shop.ts';

const DEEP = 100_000;

/** Bytes that are no JSON, or JSON that nobody should send; `OK` stands where an honest value would be fine. */
const HOSTILE_BODIES: readonly (readonly [string, string | Buffer])[] = [
  ['nothing', ''],
  ['spaces', '   \n'],
  ['a word', 'lines'],
  ['half an object', '{"lines":['],
  ['a trailing comma', '{"quantity":1,}'],
  ['single quotes', "{'quantity':1}"],
  ['a comment', '{/* one */"quantity":1}'],
  ['two documents', '{}{}'],
  ['text after the end', '{} x'],
  ['null', 'null'],
  ['true', 'true'],
  ['a number', '1'],
  ['a string', '"{}"'],
  ['a list', '[{"quantity":1}]'],
  ['a zero byte', '{"quantity":\u00001}'],
  ['a zero byte after the end', '{}\u0000'],
  ['a byte that is no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['an overlong UTF-8 slash', Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d])],
  ['a surrogate in UTF-8', Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])],
  ['UTF-16', Buffer.from('{"quantity":1}', 'utf16le')],
  ['deep lists', `{"lines":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`],
  ['deep objects', `${'{"lines":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`],
  ['deep lists that never end', '['.repeat(DEEP)],
  ['deep lists in an unknown field', `{"x":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ['an unknown field', '{"OK":1,"hack":true}'],
  ['__proto__ as a field', '{"OK":1,"__proto__":{"quantity":5,"counted":5}}'],
  ['constructor as a field', '{"OK":1,"constructor":{"prototype":{"admin":true}}}'],
  ['an escaped __proto__', '{"OK":1,"\\u005f_proto__":{}}'],
  ['a field named twice', '{"OK":1,"OK":1}'],
  ['a field named twice, once in disguise', '{"OK":1,"\\u004fK":1}'],
  ['an empty field name', '{"OK":1,"":1}'],
  ['a lone surrogate as a field name', '{"OK":1,"\\ud800":1}'],
  ['sixty thousand fields', `{${Array.from({ length: 60_000 }, (_, i) => `"f${i}":1`).join(',')}}`],
];

/** Within the size limit, and more wrong than one answer can tell. */
const HOSTILE_CROWDS: readonly (readonly [string, string])[] = [
  ['a list of half a million numbers', `{"lines":[${'1,'.repeat(500_000)}1]}`],
  ['a list of 340,000 empty objects', `{"lines":[${'{},'.repeat(340_000)}{}]}`],
  ['a list where a number belongs', `{"ttlSeconds":[${'1,'.repeat(500_000)}1]}`],
];

/** Spellings of a number that is none, is not whole or is out of every range. */
// prettier-ignore
const HOSTILE_NUMBERS = [
  '0.5', '1.5', '-1.5', '1e-7', '-0', '-0.0', '0e0', '1e400', '-1e400', '1e21', '9007199254740992', '9007199254740993',
  '18446744073709551616', '1000001', '-1000001', '1e7', 'NaN', 'Infinity', '-Infinity', '+1', '01', '1.', '.5', '0x10',
  '1_000', '1n', '"1"', '"0x1"', '""', 'true', 'false', '[]', '[1]', '{}', '{"valueOf":1}', '9'.repeat(400),
];

/** Texts that are no id. */
// prettier-ignore
const HOSTILE_IDS = [
  '""', '" "', '"a b"', '"a/b"', '"."', '".."', '"é"', '"a\\u0000"', '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"a\\n"',
  '"\u2028"', '"😀"', '"%41"', '"a,b"', '"\'; DROP TABLE holds;--"', '"$ne"', `"${'x'.repeat(65)}"`, '1', '1.5', 'true', '[]',
  '["a"]', '{}', '{"$gt":""}',
];

/** Texts that are no reason, reference or name. */
// prettier-ignore
const HOSTILE_TEXTS = [
  '"\\u0000"', '"a\\u0001b"', '"\\u001f"', '"\\u007f"', '"\\u009f"', '"\\ud83d"', '"a\\udc00"', '"a\\r\\nb"', '"\\t"', '1', 'false', '[]',
  '{}', `"${'x'.repeat(501)}"`, `"${'x'.repeat(100_000)}"`,
];

describeOnBothEngines('Hostile bodies', (engine) => {
  const shop = useShop(engine);
  let id: string;

  beforeAll(async () => {
    await shop.location({}, 'L');
    await shop.product({}, 'P');
    await shop.receive('P', 'L', 2_000);
    id = (await shop.reserve([{ sku: 'P', quantity: 3 }], { cartId: 'C', ttlSeconds: 14_400 })).id;
    const paid = await shop.reserve([{ sku: 'P', quantity: 4 }]);
    await shop.confirm(paid.id, 'O');
  });

  interface Target {
    readonly method: string;
    readonly path: string;
    /** An honest body; `#` is replaced by the hostile value. */
    readonly numbers: readonly string[];
    readonly ids: readonly string[];
    readonly texts: readonly string[];
    /** All fields are optional, so that an empty body or object is fine. */
    readonly optional?: boolean;
    /** Numbers that this one takes although others do not. */
    readonly takes?: readonly string[];
  }

  function targets(): Target[] {
    const one = `/v1/reservations/${id}`;
    return [
      {
        method: 'POST',
        path: '/v1/reservations',
        numbers: ['{"lines":[{"sku":"P","quantity":#}]}', '{"lines":[{"sku":"P","quantity":1}],"ttlSeconds":#}'],
        ids: [
          '{"lines":[{"sku":#,"quantity":1}]}',
          '{"lines":[{"sku":"P","quantity":1,"locationId":#}]}',
          '{"lines":[{"sku":"P","quantity":1}],"cartId":#}',
        ],
        texts: [],
      },
      {
        method: 'PUT',
        path: `${one}/lines`,
        numbers: ['{"lines":[{"sku":"P","quantity":#}]}', '{"lines":[{"sku":"P","quantity":1}],"ttlSeconds":#}'],
        ids: ['{"lines":[{"sku":#,"quantity":1}]}', '{"lines":[{"sku":"P","quantity":1,"locationId":#}]}'],
        texts: [],
      },
      { method: 'POST', path: `${one}/refresh`, numbers: ['{"ttlSeconds":#}'], ids: [], texts: [], optional: true },
      { method: 'POST', path: `${one}/confirm`, numbers: [], ids: ['{"orderId":#}'], texts: [] },
      { method: 'POST', path: `${one}/cancel`, numbers: [], ids: [], texts: ['{"reason":#}'], optional: true },
      { method: 'POST', path: `${one}/fulfil`, numbers: [], ids: ['{"locationId":#}'], texts: [], optional: true },
      {
        method: 'POST',
        path: stockPath('P', 'L', '/movements'),
        numbers: ['{"type":"RECEIPT","quantity":#}', '{"type":"ADJUSTMENT","quantity":#}'],
        ids: [],
        texts: ['{"type":"RECEIPT","quantity":1,"reason":#}', '{"type":"RECEIPT","quantity":1,"reference":#}'],
      },
      {
        method: 'POST',
        path: stockPath('P', 'L', '/counts'),
        numbers: ['{"counted":#}'],
        ids: [],
        texts: ['{"counted":1,"reason":#}'],
        takes: ['0e0'],
      },
      {
        method: 'PUT',
        path: stockPath('P', 'L', '/policy'),
        numbers: ['{"safetyStock":#}'],
        ids: [],
        texts: [],
        takes: ['0e0'],
      },
      {
        method: 'PUT',
        path: '/v1/locations/L',
        numbers: ['{"name":"x","kind":"STORE","priority":#}'],
        ids: [],
        texts: ['{"name":#,"kind":"STORE"}'],
        takes: ['0e0'],
      },
      {
        method: 'PUT',
        path: '/v1/products/P',
        numbers: ['{"name":"x","lowStockThreshold":#}'],
        ids: [],
        texts: ['{"name":#}'],
        takes: ['0e0'],
      },
    ];
  }

  /** Sends each body and lists every answer that is not a clear 400, and every balance that moved. */
  async function attack(
    bodies: readonly { target: Target; what: string; bytes: string | Buffer }[],
  ): Promise<string[]> {
    const before = await shop.everything();
    const faults: string[] = [];
    for (const { target, what, bytes } of bodies) {
      const answer = await shop.api.send(target.method, target.path, new RawBody(bytes), { key: freshKey() });
      const found = faultsOfProblem(answer, 400, 'VALIDATION_FAILED');
      if (found.length > 0) faults.push(`${target.method} ${target.path} ${what}: ${found.join('; ')}`);
    }
    expect(bodies.length).toBeGreaterThan(0);
    expect(await shop.everything()).toEqual(before);
    return faults;
  }

  const fill = (templates: readonly string[], values: readonly string[]) =>
    templates.flatMap((template) => values.map((value) => template.replace('#', () => value)));

  it('that are no JSON or no honest JSON are refused on every route', async () => {
    const bodies = targets().flatMap((target) =>
      HOSTILE_BODIES.filter(([what]) => !(target.optional === true && what === 'nothing')).map(([what, bytes]) => ({
        target,
        what,
        bytes,
      })),
    );
    expect(await attack(bodies)).toEqual([]);
  });

  it('with far more members than allowed are refused, and the answer stays short', async () => {
    for (const { method, path } of targets()) {
      for (const [what, bytes] of HOSTILE_CROWDS) {
        const answer = await shop.api.send(method, path, new RawBody(bytes), { key: freshKey() });
        // They are counted, but not read.
        const { errors } = problemOf(answer, 400, 'VALIDATION_FAILED');
        expect([what, path, errors]).toEqual([
          what,
          path,
          [{ field: 'body', message: expect.stringMatching(/^has more than \d+ members and items/) as string }],
        ]);
      }
    }
  });

  it('with numbers that are none, not whole or out of range are refused in every field', async () => {
    const bodies = targets().flatMap((target) =>
      fill(
        target.numbers,
        HOSTILE_NUMBERS.filter((value) => !(target.takes ?? []).includes(value)),
      ).map((bytes) => ({
        target,
        what: bytes.slice(0, 90),
        bytes,
      })),
    );
    expect(await attack(bodies)).toEqual([]);
  });

  it('with ids that are none are refused in every field', async () => {
    const bodies = targets().flatMap((target) =>
      fill(target.ids, HOSTILE_IDS).map((bytes) => ({ target, what: bytes.slice(0, 90), bytes })),
    );
    expect(await attack(bodies)).toEqual([]);
  });

  it('with texts that are none are refused in every field', async () => {
    const bodies = targets().flatMap((target) =>
      fill(target.texts, HOSTILE_TEXTS).map((bytes) => ({ target, what: bytes.slice(0, 90), bytes })),
    );
    expect(await attack(bodies)).toEqual([]);
  });

  it('leave no trace in the objects of the server', async () => {
    const body = new RawBody('{"ttlSeconds":60,"__proto__":{"ttlSeconds":1,"active":false,"polluted":1}}');
    await shop.api.send('POST', `/v1/reservations/${id}/refresh`, body);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(bodyOf(await shop.api.get(`/v1/reservations/${id}`))).not.toHaveProperty('polluted');
  });

  it('do not keep honest ones out: whole numbers in any spelling', async () => {
    await shop.product({}, 'SPELLED');
    for (const value of ['1', '1.0', '1e0', '10e-1', '0.1e1', '1.000000']) {
      const body = new RawBody(`{"type":"RECEIPT","quantity":${value}}`);
      expect([value, (await shop.api.post(stockPath('SPELLED', 'L', '/movements'), body)).status]).toEqual([
        value,
        201,
      ]);
    }
    expect((await shop.stock('SPELLED', 'L')).onHand).toBe(6);
    expect((await shop.api.post(stockPath('SPELLED', 'L', '/counts'), new RawBody('{"counted":0}'))).status).toBe(201);
  });
});
