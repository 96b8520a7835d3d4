import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { ENVELOPE_FILE, fileOf, SCHEMA_FOLDER } from '../../scripts/event-schemas/published-schema.ts';
import { PUBLISHED_EVENTS } from '../../src/published-events.ts';
import { type CloudEvent, CloudEventSchema, toCloudEvent } from '../../src/shared/outbox/cloud-event.ts';
import { readEvent } from '../../src/shared/outbox/stored-event.ts';
import { Upcasting } from '../../src/shared/outbox/upcasting.ts';
import { recordedEvents, recordedFiles } from '../support/recorded-events.ts';

const { events, upcasters } = PUBLISHED_EVENTS;
const ROOT = join(__dirname, '..', '..');

/** Says what is wrong; null when nothing is. */
function faultOf(schema: object, value: unknown): string | null {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  return ajv.validate(schema, value) ? null : ajv.errorsText();
}

function published(file: string): object {
  return JSON.parse(readFileSync(join(ROOT, SCHEMA_FOLDER, file), 'utf8')) as object;
}

describe('Events that were recorded in their time', () => {
  const upcasting = new Upcasting(events, upcasters);

  it('are there for every type and version', () => {
    expect(recordedFiles().sort()).toEqual(events.map(fileOf).sort());
    const empty = events.map(fileOf).filter((file) => recordedEvents(file).length === 0);
    expect(empty).toEqual([]);
  });

  it.each(events.map((definition) => [fileOf(definition), definition] as const))(
    '%s: are still what was published, and are read in the newest version of their type',
    (file, { type }) => {
      const newest = events.find((one) => one.type === type && one.version === upcasting.newestVersionOf(type));
      for (const row of recordedEvents(file)) {
        expect(faultOf(published(file), JSON.parse(row.payload))).toBeNull();
        const event = readEvent(upcasting, row);
        expect(event.version).toBe(newest?.version);
        expect(faultOf(newest?.payload ?? {}, event.data)).toBeNull();
        expect(faultOf(published(fileOf({ type, version: event.version })), event.data)).toBeNull();
      }
    },
  );

  it('go out as CloudEvents 1.0 that match their schema and name that of their data', () => {
    const sent = events.flatMap((definition) =>
      recordedEvents(fileOf(definition)).map((row) => toCloudEvent(readEvent(upcasting, row))),
    );
    expect(sent.length).toBeGreaterThan(events.length);
    for (const event of sent) {
      const throughJson = JSON.parse(JSON.stringify(event)) as CloudEvent;
      expect(throughJson).toEqual(event);
      expect(faultOf(CloudEventSchema, event)).toBeNull();
      expect(faultOf(published(ENVELOPE_FILE), event)).toBeNull();
      expect(published(fileOf({ type: event.type, version: event.dataversion }))).toMatchObject({
        $id: event.dataschema,
      });
    }
  });
});

describe('toCloudEvent', () => {
  const [row] = recordedEvents('inventory.stock.moved.v1.json');
  const event = readEvent(new Upcasting(events, upcasters), row!);

  it('tells what an event is, whose, when, and where it comes from', () => {
    expect(toCloudEvent(event)).toEqual({
      specversion: '1.0',
      id: event.eventId,
      source: 'urn:holdfast:inventory',
      type: 'inventory.stock.moved',
      subject: 'stock/MUG-RED/W1',
      time: '2026-03-01T10:00:00.000Z',
      datacontenttype: 'application/json',
      dataschema: 'urn:holdfast:event:inventory.stock.moved:v1',
      data: event.data,
      dataversion: 1,
      subjectversion: 1,
      locationid: 'W1',
      correlationid: event.correlationId,
    });
  });

  it('has what only some events have, under names that CloudEvents allows', () => {
    const full = toCloudEvent({ ...event, origin: 'S1', causationId: 'E0', traceparent: '00-0-0-01' });
    expect(full).toMatchObject({ origin: 'S1', causationid: 'E0', traceparent: '00-0-0-01' });
    expect(Object.keys(full).filter((name) => !/^[a-z0-9]{1,20}$/.test(name))).toEqual([]);
    expect(Object.values(toCloudEvent({ ...event, locationId: null }))).not.toContain(null);
  });
});
