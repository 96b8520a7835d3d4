import type { ValidateFunction } from 'ajv/dist/2020.js';
import { currentContext } from '../kernel/context.ts';
import type { DomainEvent, EventDefinition } from '../kernel/domain-event.ts';
import type { Ids } from '../kernel/ids.ts';
import type { EventRow } from './event-log.ts';
import { validatorOf } from './event-schemas.ts';

/**
 * Turns what aggregates recorded into rows of the event log, and refuses what does not match its schema. Of each type only
 * the newest version is recorded; the others are there for reading what was stored (upcasting.ts).
 */
export class EventRecorder {
  private readonly validators = new Map<string, ValidateFunction>();

  /** @throws Error when a type and version is defined twice */
  constructor(
    definitions: readonly EventDefinition[],
    private readonly ids: Ids,
  ) {
    const names = definitions.map(({ type, version }) => nameOf(type, version));
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) {
      throw new Error(`The event ${twice} is defined twice`);
    }
    for (const { type, version, payload } of definitions) {
      if (definitions.every((other) => other.type !== type || other.version <= version)) {
        this.validators.set(nameOf(type, version), validatorOf(payload));
      }
    }
  }

  /**
   * @throws Error when the event's type and version is unknown or its data does not match: a bug of ours, found
   *   before anything wrong is stored
   */
  toRow(event: DomainEvent): EventRow {
    const validate = this.validators.get(nameOf(event.type, event.version));
    if (validate === undefined) {
      throw new Error(
        `There is no event ${event.type} version ${event.version}, or a newer version has taken its place`,
      );
    }
    if (!validate(event.data)) {
      const problems = (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
      throw new Error(
        `The event ${event.type} version ${event.version} does not match its schema: ${problems.join('; ')}`,
      );
    }
    const context = currentContext();
    const { clientId, keyId = null, address = null, correlationId, traceparent } = context;
    const { origin = null, causationId = null } = context;
    return {
      eventId: this.ids.next(),
      type: event.type,
      version: event.version,
      subject: event.subject,
      subjectVersion: event.subjectVersion,
      locationId: event.locationId,
      payload: JSON.stringify(event.data),
      occurredAt: event.occurredAt,
      correlationId,
      clientId,
      keyId,
      address,
      origin,
      causationId,
      traceparent,
    };
  }
}

function nameOf(type: string, version: number): string {
  return `${type}@${version}`;
}
