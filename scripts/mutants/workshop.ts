import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** How the suites ended: null where every test of them passed. */
export type Killed = { readonly by: string; readonly suite: string } | null;

/** Longest time of one test with a mutant: one that makes a test wait for ever is found, too. */
const TEST_MAX_MS = 60_000;
/** Longest time of all suites of one mutant. */
const RUN_MAX_MS = 600_000;

interface JestReport {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** A copy of the project, as it stands in the working tree, to break and to mend. */
export class Workshop {
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'holdfast-mutants-'));

  constructor(private readonly root: string) {
    const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
    for (const file of files.toString().split('\0')) {
      if (file === '' || !existsSync(path.join(root, file))) continue;
      mkdirSync(path.dirname(path.join(this.folder, file)), { recursive: true });
      copyFileSync(path.join(root, file), path.join(this.folder, file));
    }
    symlinkSync(path.join(root, 'node_modules'), path.join(this.folder, 'node_modules'));
  }

  /** @throws Error when the patch does not fit the sources */
  apply(patch: string): void {
    execFileSync('git', ['apply', '-C1', patch], { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
  }

  undo(patch: string): void {
    execFileSync('git', ['apply', '-C1', '--reverse', patch], { cwd: this.folder });
  }

  /** Runs the suites, the first that fails being the last. With CI=true, so that none of them is skipped. */
  async run(suites: readonly string[]): Promise<Killed> {
    const report = path.join(this.folder, 'report.json');
    rmSync(report, { force: true });
    const jest = path.join('node_modules', 'jest', 'bin', 'jest.js');
    const ended = await this.spawn([
      jest,
      ...['--bail=1', '--maxWorkers=1', `--testTimeout=${TEST_MAX_MS}`, '--json', `--outputFile=${report}`],
      ...['--forceExit', '--runTestsByPath', ...suites],
    ]);
    if (!ended) return { by: `nothing ended within ${RUN_MAX_MS / 1000} s`, suite: suites.join(', ') };
    if (!existsSync(report)) return { by: 'the test runner itself failed', suite: suites.join(', ') };
    const { success, testResults } = JSON.parse(readFileSync(report, 'utf8')) as JestReport;
    if (success) return null;
    const [failed] = testResults.filter(({ message }) => message !== '');
    const test = failed?.assertionResults.find(({ status }) => status === 'failed');
    const suite = path.relative(this.folder, failed?.name ?? '');
    return { by: test?.fullName ?? 'the suite cannot be run', suite };
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** @returns whether it ended by itself */
  private spawn(args: readonly string[]): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const env = { ...process.env, CI: 'true', LONG: '' };
      // A group of its own: servers that a suite has started end with it.
      const child = spawn(process.execPath, args, { cwd: this.folder, env, stdio: 'ignore', detached: true });
      const kill = (): void => {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      };
      let inTime = true;
      const timer = setTimeout(() => {
        inTime = false;
        kill();
      }, RUN_MAX_MS);
      child.on('error', reject);
      child.on('exit', () => {
        clearTimeout(timer);
        resolve(inTime);
      });
    });
  }
}
