import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { centreUnder, ServerProcess } from './start-process.ts';

const run = promisify(execFile);

/** What the system answers instead of doing what it was asked for. */
export interface DiskFault {
  readonly name: string;
  /** libfiu's names of the calls. SQLite writes with `pwrite`, and nothing else in the process does. */
  readonly calls: string;
  readonly errno: number;
}

const EIO = 5;
const EMFILE = 24;
const ENOSPC = 28;

export const SYNC_FAILS: DiskFault = { name: 'every sync fails (EIO)', calls: 'posix/io/sync/*', errno: EIO };
export const WRITE_FAILS: DiskFault = {
  name: 'no write finds space (ENOSPC)',
  calls: 'posix/io/rw/pwrite',
  errno: ENOSPC,
};
export const READ_FAILS: DiskFault = { name: 'every read fails (EIO)', calls: 'posix/io/rw/pread', errno: EIO };
export const OPEN_FAILS: DiskFault = {
  name: 'nothing can be opened (EMFILE)',
  calls: 'posix/io/oc/open',
  errno: EMFILE,
};
/** Only a checkpoint asks for it. */
export const TRUNCATE_FAILS: DiskFault = {
  name: 'no file can be cut (EIO)',
  calls: 'posix/io/rw/ftruncate',
  errno: EIO,
};

/** A server whose system calls fail when a test says so (libfiu, loaded before the C library). */
export class ServerOnBadDisk {
  private constructor(
    readonly server: ServerProcess,
    private readonly folder: string,
  ) {}

  static async start(env: Readonly<Record<string, string>>): Promise<ServerOnBadDisk> {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-fiu-'));
    const program = centreUnder('fiu-run', '-x', '-f', join(folder, 'fiu'));
    return new ServerOnBadDisk(await ServerProcess.start(env, 64, program), folder);
  }

  /** @param probability of each call to fail; 1: all do */
  async fail({ calls, errno }: DiskFault, probability = 1): Promise<void> {
    const fault = `name=${calls},failnum=1,failinfo=${errno}`;
    await this.tell(probability < 1 ? `enable_random ${fault},probability=${probability}` : `enable ${fault}`);
  }

  async mend({ calls }: DiskFault): Promise<void> {
    await this.tell(`disable name=${calls}`);
  }

  async kill(): Promise<string> {
    const { output } = await this.server.kill();
    rmSync(this.folder, { recursive: true });
    return output;
  }

  private async tell(command: string): Promise<void> {
    await run('fiu-ctrl', ['-f', join(this.folder, 'fiu'), '-c', command, String(this.server.pid)]);
  }
}
