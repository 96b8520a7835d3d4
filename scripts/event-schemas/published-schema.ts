import type { EventDefinition } from '../../src/shared/kernel/domain-event.ts';
import { CloudEventSchema, schemaIdOf } from '../../src/shared/outbox/cloud-event.ts';

/** A JSON Schema as plain JSON. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Where the published schemas are, from the root of the repository. */
export const SCHEMA_FOLDER = 'docs/events/schemas';
export const ENVELOPE_FILE = 'envelope.v1.json';

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

export function fileOf({ type, version }: Pick<EventDefinition, 'type' | 'version'>): string {
  return `${type}.v${version}.json`;
}

/**
 * The schema of an event's data as consumers get it. It is the one that the event log applies, opened: what it does not
 * name is allowed, because later events of the same version may have more (docs/event-versioning.md).
 */
export function publishedSchema({ type, version, payload }: EventDefinition): JsonSchema {
  return { $schema: DIALECT, $id: schemaIdOf(type, version), title: `${type} version ${version}`, ...opened(payload) };
}

/** The schema of what goes around the data. */
export function envelopeSchema(): JsonSchema {
  return {
    $schema: DIALECT,
    $id: 'urn:holdfast:event-envelope:v1',
    title: 'CloudEvents 1.0',
    ...opened(CloudEventSchema),
  };
}

export function textOf(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** As plain JSON, without what closes objects. */
function opened(schema: object): JsonSchema {
  return JSON.parse(
    JSON.stringify(schema, (name, value: unknown) =>
      name === 'additionalProperties' && value === false ? undefined : value,
    ),
  ) as JsonSchema;
}
