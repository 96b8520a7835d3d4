import type { ValidateFunction } from 'ajv/dist/2020.js';
import type { EventDefinition, Upcaster } from '../kernel/domain-event.ts';
import { validatorOf } from './event-schemas.ts';

/** An event's payload in the newest version of its type. */
export interface NewestPayload {
  readonly version: number;
  readonly data: unknown;
}

/** The versions of one type, each with the step to the next; the newest has none. */
interface Chain {
  readonly oldest: number;
  readonly newest: number;
  readonly steps: ReadonlyMap<number, Upcaster['upcast']>;
  readonly matches: ValidateFunction;
}

/**
 * Reads old events as new ones: whoever reads the log sees each event in the newest version of its type, and knows no
 * other (docs/event-versioning.md). What is stored is never changed.
 */
export class Upcasting {
  private readonly chains: ReadonlyMap<string, Chain>;

  /**
   * @param definitions every version of every type that the log may still hold
   * @throws Error when versions of a type leave a hole, or a step between two of them is missing, given twice, or leads
   *   from nowhere
   */
  constructor(definitions: readonly EventDefinition[], upcasters: readonly Upcaster[]) {
    const types = new Set(definitions.map(({ type }) => type));
    this.chains = new Map([...types].map((type) => [type, chainOf(type, definitions, upcasters)]));
    const stray = upcasters.find(({ type }) => !types.has(type));
    if (stray !== undefined) {
      throw new Error(`There is an upcaster for ${stray.type}, but no such event`);
    }
  }

  /** @returns undefined when there is no such type */
  newestVersionOf(type: string): number | undefined {
    return this.chains.get(type)?.newest;
  }

  /**
   * @throws Error when the type or version is unknown (written by a newer server, or removed too early), or when a step
   *   gives what the newest schema does not allow
   */
  toNewest(type: string, version: number, data: unknown): NewestPayload {
    const chain = this.chains.get(type);
    if (chain?.newest === version) {
      return { version, data };
    }
    if (chain === undefined || version < chain.oldest || version > chain.newest) {
      throw new Error(`Nobody here knows the event ${type} version ${version}`);
    }
    let upcast = data;
    for (let from = version; from < chain.newest; from += 1) {
      upcast = chain.steps.get(from)?.(upcast);
    }
    if (!chain.matches(upcast)) {
      throw new Error(`The upcasters make of ${type} version ${version} what version ${chain.newest} does not allow`);
    }
    return { version: chain.newest, data: upcast };
  }
}

const ANYTHING = {};

function chainOf(type: string, definitions: readonly EventDefinition[], upcasters: readonly Upcaster[]): Chain {
  const versions = definitions.filter((one) => one.type === type).sort((a, b) => a.version - b.version);
  const oldest = versions[0]?.version ?? 1;
  const last = versions.at(-1);
  const steps = new Map<number, Upcaster['upcast']>();
  for (const { fromVersion, upcast } of upcasters.filter((one) => one.type === type)) {
    if (steps.has(fromVersion) || !versions.some(({ version }) => version === fromVersion)) {
      throw new Error(`The upcaster of ${type} from version ${fromVersion} is given twice or leads from nowhere`);
    }
    steps.set(fromVersion, upcast);
  }
  versions.forEach(({ version }, index) => {
    const isNewest = index === versions.length - 1;
    if (version !== oldest + index || steps.has(version) === isNewest) {
      throw new Error(`The versions of ${type} are no chain: look at version ${version} and its upcaster`);
    }
  });
  return { oldest, newest: last?.version ?? oldest, steps, matches: validatorOf(last?.payload ?? ANYTHING) };
}
