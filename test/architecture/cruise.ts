import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');
export const VIOLATIONS = join(import.meta.dirname, 'violations');

const RULES_FILE = join(ROOT, '.dependency-cruiser.cjs');
const BINARY = join(ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
  readonly to: string;
}

export interface Cruise {
  readonly violations: readonly Violation[];
  /** Every file that was seen, relative to the cruised folder; packages and built-in modules as well. */
  readonly files: readonly string[];
  readonly dependencyCount: number;
}

/** The rules as `npm run boundaries` applies them. */
export function ruleNames(): string[] {
  const { forbidden } = createRequire(import.meta.url)(RULES_FILE) as { forbidden: { name: string }[] };
  return forbidden.map((rule) => rule.name);
}

/** The modules that the table names, recognised by the first rule that it generates for each. */
export function modulesUnderRules(): string[] {
  return ruleNames().flatMap((name) => /^(.+)-imports-only-contracts$/.exec(name)?.[1] ?? []);
}

/**
 * Runs dependency-cruiser over `src` of a folder, in a process of its own: it consists of ES modules that find their
 * parsers at run time, which Jest's module loader does not support.
 */
export async function cruiseSourcesOf(folder: string): Promise<Cruise> {
  const args = [BINARY, 'src', '--config', RULES_FILE, '--output-type', 'json'];
  const report = JSON.parse(await outputOf(args, folder)) as {
    summary: { violations: Violation[]; totalDependenciesCruised: number };
    modules: { source: string }[];
  };
  return {
    violations: report.summary.violations,
    files: report.modules.map((module) => module.source),
    dependencyCount: report.summary.totalDependenciesCruised,
  };
}

/** The exit code is the number of violations, so only silence is a failure. */
function outputOf(args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd, maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) => {
      if (stdout.startsWith('{')) {
        resolve(stdout);
      } else {
        reject(new Error(`dependency-cruiser gave no report: ${stderr}`, { cause: error }));
      }
    });
  });
}
