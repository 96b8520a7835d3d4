import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { IsInt, validateSync } from 'class-validator';
import { checksOf } from '../../src/shared/http/checks.ts';
import { type FieldsClass, fieldsOf, IdField, QuantityField } from '../../src/shared/http/fields.ts';
import { counts } from '../support/counts.ts';
import { Random, SEED } from '../support/random.ts';

/*
 * Requests are checked by what class-validator knows of their classes, and not by class-validator itself, which is slow.
 * So for each class and whatever its fields hold, both have to say the same, in the same order.
 */

const ROUNDS = counts(60, 3000);

/** What a field may hold that one rule or another minds. */
const VALUES: readonly unknown[] = [
  ...[undefined, null, true, false, 0, -0, 1, 1.5, -1, 2, 100, 14_400, 14_401, 1e6, 1e6 + 1, Number.NaN, Infinity],
  ...[
    '',
    ' ',
    '.',
    '..',
    'a',
    'A:b._-9',
    'x'.repeat(64),
    'x'.repeat(65),
    'y'.repeat(500),
    '🛒'.repeat(500),
    'z'.repeat(501),
  ],
  ...['\u0000', '\u2028', '\ud800', '1', 'true', 'low', 'STORE', 'RECEIPT', '2026-11-22T09:00:00.000Z', '2026-11-22'],
  ...[[], [1], ['a'], Array(201).fill('a'), [[]], {}, { a: 1 }],
];

/** Every class of fields that a controller can name. */
async function classesOfRequests(): Promise<FieldsClass[]> {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.dto.ts'));
  const exported = await Promise.all(
    files.map((file) => import(join(process.cwd(), 'src', file)) as Promise<Readonly<Record<string, unknown>>>),
  );
  return exported
    .flatMap((one) => Object.values(one))
    .filter((one): one is FieldsClass => typeof one === 'function' && one.prototype instanceof Object)
    .filter((type) => fieldsOf(type).size > 0);
}

class Parent {
  @IdField()
  id!: string;
}

class Child extends Parent {
  @QuantityField({ min: 1, max: 9, optional: true })
  units = 1;
}

class Grandchild extends Child {
  @IdField({ nullable: true })
  place: string | null = null;
}

class WithForeignRule {
  @IsInt()
  @IdField()
  id!: string;
}

type Told = { readonly field: string; readonly message: string }[];

function byClassValidator(instance: object): Told {
  return validateSync(instance, { forbidUnknownValues: false }).map(({ property, constraints }) => ({
    field: property,
    message: Object.values(constraints ?? {})[0] ?? '',
  }));
}

function byChecks(type: FieldsClass, instance: object): Told {
  const values = instance as Readonly<Record<string, unknown>>;
  return checksOf(type).flatMap(({ name, verdict }) => {
    const message = verdict(values[name]);
    return message === null ? [] : [{ field: name, message }];
  });
}

function filled(type: FieldsClass, random: Random): object {
  const instance = new type() as Record<string, unknown>;
  for (const name of fieldsOf(type).keys()) {
    if (random.chance(80)) instance[name] = VALUES[random.whole(0, VALUES.length - 1)];
  }
  return instance;
}

describe('the checks of a class of fields', () => {
  it(`say what class-validator says, of every class of requests, seed ${SEED}`, async () => {
    const random = new Random(SEED);
    const classes = await classesOfRequests();
    expect(classes.length).toBeGreaterThan(40);
    for (const type of [...classes, Child, Grandchild]) {
      for (let round = 0; round < ROUNDS; round += 1) {
        const instance = filled(type, random);
        expect({ of: type.name, says: byChecks(type, instance) }).toEqual({
          of: type.name,
          says: byClassValidator(instance),
        });
      }
    }
  });

  it('are refused when class-validator knows more than they do', () => {
    expect(() => checksOf(WithForeignRule)).toThrow('WithForeignRule.id has a rule that is not one of fields.ts');
  });
});
