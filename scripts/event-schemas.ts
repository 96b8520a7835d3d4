import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PUBLISHED_EVENTS } from '../src/published-events.ts';
import { incompatibilities } from './event-schemas/compatibility.ts';
import {
  ENVELOPE_FILE,
  envelopeSchema,
  fileOf,
  type JsonSchema,
  publishedSchema,
  SCHEMA_FOLDER,
  textOf,
} from './event-schemas/published-schema.ts';

/*
 * Writes the JSON Schemas of all events to docs/events/schemas. A schema that is published already is only ever replaced
 * by a compatible one; run from the root of the repository.
 */

/** @returns what keeps the schema from being published */
function publish(file: string, schema: JsonSchema): string[] {
  const path = join(SCHEMA_FOLDER, file);
  if (existsSync(path)) {
    const published = JSON.parse(readFileSync(path, 'utf8')) as JsonSchema;
    const problems = incompatibilities(published, schema);
    if (problems.length > 0) return problems.map((problem) => `${file}: ${problem}`);
  }
  writeFileSync(path, textOf(schema));
  return [];
}

mkdirSync(SCHEMA_FOLDER, { recursive: true });
const problems = [
  ...publish(ENVELOPE_FILE, envelopeSchema()),
  ...PUBLISHED_EVENTS.events.flatMap((definition) => publish(fileOf(definition), publishedSchema(definition))),
];
if (problems.length > 0) {
  console.error(`Not compatible; give the event a new version (docs/event-versioning.md):\n  ${problems.join('\n  ')}`);
  process.exitCode = 1;
} else {
  console.log(`${SCHEMA_FOLDER}: ${PUBLISHED_EVENTS.events.length} events and the envelope`);
}
