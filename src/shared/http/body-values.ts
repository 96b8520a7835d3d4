import { type FieldsClass, type FieldShape, fieldsOf } from './fields.ts';

/** So many wrong ones beyond all right ones are still told one by one; more are not worth the reading. */
const VALUES_TO_SPARE = 10_000;

/** Where a list's items may be anything: more than a thousand events with what they say. */
const VALUES_MAX_OF_ANYTHING = 100_000;

/** @returns most members, items, objects and lists together that a body of these fields is read with */
export function bodyValuesMax(type: FieldsClass): number {
  return Math.min(valuesOf(type) + VALUES_TO_SPARE, VALUES_MAX_OF_ANYTHING);
}

/** The most that a right one holds: itself and its members with what they hold. */
function valuesOf(type: FieldsClass): number {
  let values = 1;
  for (const shape of fieldsOf(type).values()) values += valuesOfField(shape);
  return values;
}

function valuesOfField({ items, eachItem, itemsMax }: FieldShape): number {
  if (itemsMax === undefined) return 1;
  if (items !== undefined) return 1 + itemsMax * valuesOf(items());
  return eachItem !== undefined ? 1 + itemsMax : VALUES_MAX_OF_ANYTHING;
}
