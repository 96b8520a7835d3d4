import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Where the mutants are, from the root of the project. */
export const MUTANTS = 'test/mutants';

/** A bug made by hand, kept as a patch of the sources, which the tests have to find. */
export interface Mutant {
  readonly name: string;
  /** Its patch, from the root of the project. */
  readonly patch: string;
  /** What would happen to whoever runs a server with it. */
  readonly story: string;
  /** Test files that find it, from the root of the project; at least one. */
  readonly suites: readonly string[];
}

const HEAD = /^Story: (?<story>.+)\nKilled by: (?<suites>.+)\n\n--- a\//;

/**
 * @param root of the project
 * @throws Error when one of them does not begin as the README beside them says
 */
export function readMutants(root: string): Mutant[] {
  return readdirSync(path.join(root, MUTANTS))
    .filter((file) => file.endsWith('.patch'))
    .sort()
    .map((file) => {
      const patch = path.join(MUTANTS, file);
      const head = HEAD.exec(readFileSync(path.join(root, patch), 'utf8'))?.groups;
      if (head === undefined) throw new Error(`${patch} has to begin with its story and the suites that kill it`);
      const { story = '', suites = '' } = head;
      return { name: path.basename(file, '.patch'), patch, story, suites: suites.split(', ') };
    });
}
