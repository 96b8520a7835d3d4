import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program of the system that makes a process's surroundings bad. */
interface Tool {
  /** The package of Debian that has it. */
  readonly package: string;
  readonly isThere: () => boolean;
}

/** Where Debian puts the library; the dynamic linker writes the name of the processor's folder for `$LIB`. */
export const FAKETIME_LIBRARY = '/usr/$LIB/faketime/libfaketime.so.1';

const TOOLS = {
  libfiu: { package: 'fiu-utils', isThere: () => isInPath('fiu-run') && isInPath('fiu-ctrl') },
  // Its library lies under a path of the processor's, so its program stands for it.
  libfaketime: { package: 'faketime', isThere: () => isInPath('faketime') },
} satisfies Record<string, Tool>;

/**
 * A suite that needs a tool: it runs where the tool is, else it is skipped and its name says why.
 * @throws Error with CI=true and no tool: there, a skipped suite would pass for a proof
 */
export function describeWith(tool: keyof typeof TOOLS, name: string, suite: () => void): void {
  const { isThere, package: debian } = TOOLS[tool];
  if (isThere()) {
    describe(name, suite);
    return;
  }
  if (process.env['CI'] === 'true') throw new Error(`CI=true, but there is no ${tool}: apt-get install ${debian}`);
  describe.skip(`${name} (skipped: no ${tool}; apt-get install ${debian})`, suite);
}

function isInPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}
