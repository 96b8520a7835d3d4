import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PUBLISHED_EVENTS } from '../../src/published-events.ts';
import type { EventDefinition } from '../../src/shared/kernel/domain-event.ts';
import { ROOT } from './cruise.ts';

const MODULES = join(ROOT, 'src', 'modules');
const PAGE = readFileSync(join(ROOT, 'docs', 'events.md'), 'utf8');

describe('docs/events.md', () => {
  let published: EventDefinition[];
  beforeAll(async () => {
    published = await eventsOfContracts();
  });

  it('has each event of the contracts with its version and the members of its payload, and no other', () => {
    expect(published.length).toBeGreaterThan(10);
    expect(descriptionsOn(PAGE).sort()).toEqual(published.map(describeDefinition).sort());
  });

  it('says of each event when it happens', () => {
    const silent = sectionsOf(PAGE).filter(({ text }) => !/^Version \d+\. \S/m.test(text));
    expect(silent.map(({ type }) => type)).toEqual([]);
  });

  it('is compared in a way that sees a member left out, one that may be null, and another version', () => {
    const [first = ''] = descriptionsOn(PAGE);
    const section = PAGE.slice(PAGE.indexOf('### '));
    for (const changed of [
      section.replace(/^\| `sku`.*\n/m, ''),
      section.replace(/^(\| `sku` +\|) id /m, '$1 id or null '),
      section.replace('Version 1.', 'Version 2.'),
    ]) {
      expect(changed).not.toBe(section);
      expect(descriptionsOn(changed)[0]).not.toBe(first);
    }
  });
});

describe('The events that the event log knows', () => {
  it('are all that the contracts define', async () => {
    expect(new Set(PUBLISHED_EVENTS.events)).toEqual(new Set(await eventsOfContracts()));
  });

  it('are named after the module that publishes them', async () => {
    for (const name of publishers()) {
      const foreign = (await eventsOf(name)).filter(({ type }) => !type.startsWith(`${name}.`));
      expect(foreign.map(({ type }) => type)).toEqual([]);
    }
  });
});

function modules(): string[] {
  return readdirSync(MODULES).filter((name) => existsSync(join(MODULES, name, 'contract.ts')));
}

/** The modules, and what of shared publishes events. */
function publishers(): string[] {
  return [...modules(), 'access'];
}

async function eventsOfContracts(): Promise<EventDefinition[]> {
  return (await Promise.all(publishers().map(eventsOf))).flat();
}

async function eventsOf(name: string): Promise<EventDefinition[]> {
  const file = name === 'access' ? join(ROOT, 'src/shared/access/events.ts') : join(MODULES, name, 'contract.ts');
  const contract = (await import(file)) as Record<string, unknown>;
  return Object.values(contract).filter(isEvent);
}

function isEvent(value: unknown): value is EventDefinition {
  return typeof value === 'object' && value !== null && 'type' in value && 'version' in value && 'payload' in value;
}

/** `type@version: members`, a member that may be null with a question mark. */
function describeDefinition({ type, version, payload }: EventDefinition): string {
  const { properties } = payload as unknown as { properties: Record<string, { anyOf?: { type?: string }[] }> };
  const members = Object.entries(properties).map(([name, schema]) =>
    schema.anyOf?.some((one) => one.type === 'null') === true ? `${name}?` : name,
  );
  return `${type}@${version}: ${members.join(', ')}`;
}

/** The same, as the page says it: a heading, the version, a table of members. */
function descriptionsOn(page: string): string[] {
  return sectionsOf(page).map(({ type, text }) => {
    const version = /^Version (\d+)\./m.exec(text)?.[1] ?? 'none';
    const rows = [...text.matchAll(/^\| `(\w+)` +\| ([^|]+?) +\|/gm)];
    const members = rows.map(([, name = '', kind = '']) => (kind.endsWith(' or null') ? `${name}?` : name));
    return `${type}@${version}: ${members.join(', ')}`;
  });
}

/** The parts of the page under headings of the third level: one for each event. */
function sectionsOf(page: string): { type: string; text: string }[] {
  return page
    .split(/^(?=#{1,3} )/m)
    .filter((part) => part.startsWith('### '))
    .map((part) => {
      const [heading = '', ...lines] = part.split('\n');
      return { type: heading.slice('### '.length), text: lines.join('\n') };
    });
}
