import { jest } from '@jest/globals';
import fc from 'fast-check';
import { FIELD_ERRORS_MAX } from './http-error.ts';
import { faultOfItem, type JsonBody, parseJsonBody } from './json-body.ts';

const DEPTH_MAX = 16;
const VALUES_MAX = 1_000_000;

function parse(text: string | Buffer): JsonBody {
  return parseJsonBody(Buffer.from(text as string), { depthMax: DEPTH_MAX, valuesMax: VALUES_MAX });
}

describe('parseJsonBody', () => {
  it('reads an object as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5, noUnicodeString: false })), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!/-0(?![0-9.])/.test(text) && text.isWellFormed() && !text.includes('\\ud'));
        expect(parse(text)).toEqual({ value: JSON.parse(text) as unknown, errors: [] });
      }),
    );
  });

  it.each([
    ['', 'is not valid JSON'],
    ['{', 'is not valid JSON'],
    ['{"a":NaN}', 'is not valid JSON'],
    ['{"a":1,}', 'is not valid JSON'],
    ["{'a':1}", 'is not valid JSON'],
    ['{"a":"\u0001"}', 'is not valid JSON'],
    ['\ufeff{}', 'is not valid JSON'],
    ['{} {}', 'is not valid JSON'],
    ['null', 'must be a JSON object'],
    ['[]', 'must be a JSON object'],
    ['"text"', 'must be a JSON object'],
    ['1', 'must be a JSON object'],
  ])('refuses %j as a whole', (text, message) => {
    expect(parse(text)).toEqual({ value: undefined, errors: [{ field: 'body', message }] });
  });

  it('does not quote the body in its message', () => {
    expect(JSON.stringify(parse('{"password": hunter2}').errors)).not.toContain('hunter2');
  });

  it.each([[[0xff]], [[0xc0, 0xaf]], [[0xed, 0xa0, 0x80]], [[0xf4, 0x90, 0x80, 0x80]], [[0xe2, 0x82]]])(
    'refuses the bytes %j, which are no UTF-8',
    (bytes) => {
      const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')]);
      expect(parse(body).errors).toEqual([{ field: 'body', message: 'is not valid UTF-8' }]);
    },
  );

  it.each([
    ['{"a":1,"a":1}', 'a'],
    ['{"a":{"b":1,"c":2,"b":3}}', 'b'],
    ['{"a":[{"x":1},{"x":1,"x":2}]}', 'x'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
    ['{"a" \n :1,"b":"a:","a"\t:2}', 'a'],
    ['{"":1,"":2}', ''],
  ])('finds the name that %s has twice', (text, field) => {
    expect(parse(text).errors).toEqual([{ field, message: 'is given more than once' }]);
  });

  it.each([
    '{"a":{"x":1},"b":{"x":1}}',
    '{"a":"{\\"a\\":1}","b":"a:a:"}',
    '{"a":["a","a"],"b":"\\\\"}',
    '{"a\\"":1,"a":2}',
  ])('sees that %s has no name twice', (text) => {
    expect(parse(text).errors).toEqual([]);
  });

  it('finds duplicates wherever they are planted', () => {
    const objects = fc.dictionary(fc.string({ unit: 'grapheme-ascii' }), fc.jsonValue({ maxDepth: 2 }), { minKeys: 1 });
    fc.assert(
      fc.property(objects, (value) => {
        const text = JSON.stringify(value);
        const [name] = Object.keys(value);
        const planted = `${text.slice(0, -1)},${JSON.stringify(name)}:null}`;
        expect(parse(planted).errors.map(({ message }) => message)).toContain('is given more than once');
      }),
    );
  });

  it.each([
    ['{"lines":[{"quantity":-0}]}', 'lines[0].quantity', 'must not be minus zero'],
    ['{"a":-0.0}', 'a', 'must not be minus zero'],
    ['{"a":-1e-400}', 'a', 'must not be minus zero'],
    ['{"a":[1,1e400]}', 'a[1]', 'is beyond the range of numbers'],
    ['{"a":-1e400}', 'a', 'is beyond the range of numbers'],
    ['{"a":"\\ud800"}', 'a', 'has a lone surrogate, which is no character'],
    ['{"a":"\\udc00x"}', 'a', 'has a lone surrogate, which is no character'],
    ['{"a":{"\\ud800":1}}', 'a', 'has a member name with a lone surrogate'],
  ])('refuses what %s holds', (text, field, message) => {
    expect(parse(text).errors).toEqual([{ field, message }]);
  });

  it('lists everything that is wrong', () => {
    expect(parse('{"a":-0,"b":"\\ud800","c":1,"c":1e999}').errors).toHaveLength(4);
  });

  it('takes the deepest nesting allowed and refuses the next', () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect(parse(nested(DEPTH_MAX)).errors).toEqual([]);
    expect(parse(nested(DEPTH_MAX + 1)).errors).toEqual([
      { field: `a${'[0]'.repeat(DEPTH_MAX - 1)}`, message: 'is nested deeper than 16 levels' },
    ]);
  });

  it('survives nesting that would exhaust the stack', () => {
    const levels = 200_000;
    expect(parse(`{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`).errors).toHaveLength(1);
    expect(parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`).errors).toHaveLength(1);
  });

  describe('of a body that would cost much', () => {
    const limits = { depthMax: DEPTH_MAX, valuesMax: 1_000 };
    const many = (item: string | ((index: number) => string)) =>
      Array.from({ length: 1_001 }, (_, index) => (typeof item === 'string' ? item : item(index))).join(',');

    afterEach(() => {
      jest.restoreAllMocks();
    });

    it.each([
      ['objects', `{"a":[${many('{}')}]}`],
      ['lists', `{"a":[${many('[]')}]}`],
      ['numbers', `{"a":[${many('-0')}]}`],
      ['texts', `{"a":[${many('"\\\\"')}]}`],
      ['members', `{${many((index) => `"${index}":1`)}}`],
      ['members of one name', `{${many('"a":1')}}`],
      ['levels of lists', `{"a":${'['.repeat(1_001)}${']'.repeat(1_001)}}`],
      ['levels of objects', `${'{"a":'.repeat(1_001)}1${'}'.repeat(1_001)}`],
      ['lists that never end', '['.repeat(1_001)],
      ['commas', ','.repeat(1_001)],
    ])('reads nothing when it has too many %s', (_what, text) => {
      const read = jest.spyOn(JSON, 'parse');
      const { value, errors } = parseJsonBody(Buffer.from(text), limits);
      expect(read).not.toHaveBeenCalled();
      expect(value).toBeUndefined();
      expect(errors).toEqual([
        {
          field: 'body',
          message: 'has more than 1000 members and items; no right body of this call has so many',
        },
      ]);
    });

    it('reads as many as it may have, whatever its texts hold', () => {
      // An object, a list, 997 commas in it and one behind it.
      const items = Array.from({ length: 998 }, () => '"[{,:\\\\\\"[{"').join(',');
      expect(parseJsonBody(Buffer.from(`{"a":[${items}],"b":1}`), limits).errors).toEqual([]);
      expect(parseJsonBody(Buffer.from(`{"a":[${items}],"b":1,"c":1}`), limits).value).toBeUndefined();
    });

    it.each([
      ['members', `{${many('"\ud800":1')}}`],
      ['items', `{"a":[${many('-0')}]}`],
      ['places', `{"a":[${many(`${'['.repeat(DEPTH_MAX)}${']'.repeat(DEPTH_MAX)}`)}]}`],
    ])('stops looking when more %s are wrong than an answer tells', (_what, text) => {
      expect(parse(text).errors.length).toBeLessThanOrEqual(FIELD_ERRORS_MAX + 1);
    });
  });

  it('keeps __proto__ a member like any other', () => {
    const { value } = parse('{"__proto__":{"polluted":true}}');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('parseJsonBody of a list whose items stand each for themselves', () => {
  function read(text: string): { body: JsonBody; faults: (string | undefined)[] } {
    const limits = { depthMax: DEPTH_MAX, valuesMax: VALUES_MAX };
    const body = parseJsonBody(Buffer.from(text), limits, new Set(['items']));
    const { items } = body.value as { items: unknown[] };
    const faults = items.map((item) => {
      const fault = typeof item === 'object' && item !== null ? faultOfItem(item) : undefined;
      return fault === undefined ? undefined : `${fault.field} ${fault.message}`;
    });
    return { body, faults };
  }

  it('tells what is wrong with how an item is written of that item alone', () => {
    const deep = `${'['.repeat(20)}${']'.repeat(20)}`;
    const { body, faults } = read(`{"items":[
      {"a":1},
      {"a":1,"b":{"c":1,"c":2}},
      {"a":-0},
      {"a":1e999},
      {"a":{"b":["\\ud800"]}},
      {"a":${deep}},
      {"a":"{\\"a\\":1,\\"a\\":1}"},
      7
    ]}`);
    expect(body.errors).toEqual([]);
    expect(faults).toEqual([
      undefined,
      'b.c is given more than once',
      'a must not be minus zero',
      'a is beyond the range of numbers',
      'a.b[0] has a lone surrogate, which is no character',
      expect.stringMatching(/^a.* is nested deeper than 16 levels$/),
      undefined,
      undefined,
    ]);
  });

  it('still tells what is wrong with the body around them', () => {
    expect(read('{"items":[{"a":1,"a":2}],"items":[{"a":1}]}').body.errors).toEqual([
      { field: 'items', message: 'is given more than once' },
    ]);
    expect(read('{"other":-0,"items":[{"a":-0}]}').body.errors).toEqual([
      { field: 'other', message: 'must not be minus zero' },
    ]);
  });

  it('looks at no other list so', () => {
    const { body } = read('{"items":[],"others":[{"a":-0}]}');
    expect(body.errors).toEqual([{ field: 'others[0].a', message: 'must not be minus zero' }]);
  });
});
