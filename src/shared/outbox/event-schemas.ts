import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** One for the process: it compiles a schema once, however many readers and recorders ask, and that is most of a start. */
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });

/** @param schema not changed afterwards, and the same object each time: that is what it is known by */
export function validatorOf(schema: object): ValidateFunction {
  return ajv.compile(schema);
}
