import type { ValidateFunction } from 'ajv/dist/2020.js';
import type { EventDefinition, Upcaster } from '../kernel/domain-event.ts';
import type { Failure } from './failure.ts';
import { Upcasting } from './upcasting.ts';
import { validatorOf } from './event-schemas.ts';

/** An event from outside in the newest version of its type. */
export interface ReceivedEvent {
  readonly type: string;
  readonly data: unknown;
}

/**
 * Reads events that others have made. They are held to the schema of their own version, and then read as the newest:
 * who sends them may be years behind.
 */
export class ReceivedEvents {
  private readonly validators = new Map<string, ReadonlyMap<number, ValidateFunction>>();
  private readonly upcasting: Upcasting;

  /** @throws Error as Upcasting does */
  constructor(definitions: readonly EventDefinition[], upcasters: readonly Upcaster[]) {
    this.upcasting = new Upcasting(definitions, upcasters);
    for (const { type, version, payload } of definitions) {
      this.validators.set(type, new Map([...(this.validators.get(type) ?? []), [version, validatorOf(payload)]]));
    }
  }

  /** @returns why it cannot be read, when it cannot: whatever came, it never throws */
  read(type: unknown, version: unknown, data: unknown): ReceivedEvent | Failure {
    const versions = typeof type === 'string' ? this.validators.get(type) : undefined;
    if (typeof type !== 'string' || versions === undefined) {
      return { code: 'UNKNOWN_TYPE', detail: `type must be one of ${[...this.validators.keys()].join(', ')}` };
    }
    if (!isVersion(version)) return invalid('version must be a whole number from 1');
    const validate = versions.get(version);
    if (validate === undefined) {
      return { code: 'UNKNOWN_VERSION', detail: `Nobody here knows version ${version} of ${type}` };
    }
    return validate(data) ? this.upcast(type, version, data) : invalid(faultsOf(validate));
  }

  private upcast(type: string, version: number, data: unknown): ReceivedEvent | Failure {
    try {
      return { type, data: this.upcasting.toNewest(type, version, data).data };
    } catch {
      // What the old version allowed and the new one does not.
      return invalid(`data of version ${version} cannot be read as the newest`);
    }
  }
}

function isVersion(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

function invalid(detail: string): Failure {
  return { code: 'VALIDATION_FAILED', detail };
}

function faultsOf({ errors }: ValidateFunction): string {
  const [first] = errors ?? [];
  return `data${(first?.instancePath ?? '').replaceAll('/', '.')} ${first?.message ?? 'is not as documented'}`;
}
