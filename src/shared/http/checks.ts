import { getMetadataStorage } from 'class-validator';
import { type FieldsClass, fieldsOf, type Rule } from './fields.ts';

/** One field that class-validator would look at, with all that it would do. */
export interface Check {
  readonly name: string;
  readonly verdict: Rule;
}

const OWN_VALIDATION = 'field';

/**
 * What class-validator has been told of a class, found out once: `validateSync` looks it up, groups and filters it anew
 * for each object, which took 10 to 20 µs where the rules themselves take less than one.
 * @returns the checks in the order in which class-validator tells what is wrong; one field has one rule
 * @throws Error for a field whose rules are not those of fields.ts: they would be passed over
 */
export function checksOf(type: FieldsClass): readonly Check[] {
  const shapes = fieldsOf(type);
  const names = new Set<string>();
  for (const { propertyName, name } of getMetadataStorage().getTargetValidationMetadatas(type, '', false, false)) {
    if (name !== OWN_VALIDATION || !shapes.has(propertyName)) {
      throw new Error(`Bug: ${type.name}.${propertyName} has a rule that is not one of fields.ts`);
    }
    names.add(propertyName);
  }
  return [...names].flatMap((name) => {
    const shape = shapes.get(name);
    return shape === undefined ? [] : [{ name, verdict: shape.verdict }];
  });
}
