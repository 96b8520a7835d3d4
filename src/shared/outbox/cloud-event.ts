import { type Static, Type } from 'typebox';
import { toIsoInstant } from '../kernel/clock.ts';
import type { StoredEvent } from './stored-event.ts';

const instant = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' });

/**
 * An event outside of the process: CloudEvents 1.0 in its JSON format, with the extensions of its primer for tracing and a
 * few of our own. Attributes that an event does not have are left out: CloudEvents knows no null.
 */
export const CloudEventSchema = Type.Object(
  {
    specversion: Type.Literal('1.0'),
    id: Type.String({
      minLength: 1,
      description: 'Names the event, for ever: a second one with the same id is a repeat.',
    }),
    source: Type.String({ minLength: 1, description: 'The module that published it.' }),
    type: Type.String({ minLength: 1, description: '<module>.<aggregate>.<what happened>' }),
    subject: Type.String({ minLength: 1, description: 'The aggregate that it happened to.' }),
    time: Type.String({ ...instant, description: 'When it was decided.' }),
    datacontenttype: Type.Literal('application/json'),
    dataschema: Type.String({ minLength: 1, description: 'The $id of the JSON Schema of the data.' }),
    data: Type.Unknown({ description: 'The payload, in the newest version of its type.' }),
    dataversion: Type.Integer({ minimum: 1, description: 'The version of the data, which dataschema names too.' }),
    subjectversion: Type.Integer({ minimum: 1, description: 'The version of the aggregate after it.' }),
    locationid: Type.Optional(Type.String({ minLength: 1, description: 'The location that it is about.' })),
    origin: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'The location whose store reported it; absent: the centre decided it.',
      }),
    ),
    correlationid: Type.String({ minLength: 1, description: 'The request that it belongs to.' }),
    causationid: Type.Optional(Type.String({ minLength: 1, description: 'The event that it follows from.' })),
    traceparent: Type.Optional(Type.String({ minLength: 1, description: 'W3C trace context of the request.' })),
  },
  { additionalProperties: false },
);
export type CloudEvent = Static<typeof CloudEventSchema>;

/** The `$id` of the schema that is published in docs/events/schemas. */
export function schemaIdOf(type: string, version: number): string {
  return `urn:holdfast:event:${type}:v${version}`;
}

export function toCloudEvent(event: StoredEvent): CloudEvent {
  return { ...toEnvelope(event), data: event.data };
}

/**
 * The same as JSON text, without reading the data and writing them again.
 * @param dataText JSON text of data in the newest version of their type
 */
export function writeCloudEvent(event: Omit<StoredEvent, 'data'>, dataText: string): string {
  return `${JSON.stringify(toEnvelope(event)).slice(0, -1)},"data":${dataText}}`;
}

function toEnvelope(event: Omit<StoredEvent, 'data'>): Omit<CloudEvent, 'data'> {
  const { eventId, type, version, subject, subjectVersion, occurredAt, correlationId } = event;
  const { locationId, origin, causationId, traceparent } = event;
  return {
    specversion: '1.0',
    id: eventId,
    source: `urn:holdfast:${type.slice(0, type.indexOf('.'))}`,
    type,
    subject,
    time: toIsoInstant(occurredAt),
    datacontenttype: 'application/json',
    dataschema: schemaIdOf(type, version),
    dataversion: version,
    subjectversion: subjectVersion,
    ...(locationId === null ? {} : { locationid: locationId }),
    ...(origin === null ? {} : { origin }),
    correlationid: correlationId,
    ...(causationId === null ? {} : { causationid: causationId }),
    ...(traceparent === null ? {} : { traceparent }),
  };
}
