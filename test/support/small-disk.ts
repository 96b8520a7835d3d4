import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of a test's own that can really be full. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  /**
   * @returns null where mounting is not allowed
   * @throws Error with CI=true: there, a skipped suite would pass for a proof
   */
  static mount(bytes: number): SmallDisk | null {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-disk-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder], { stdio: 'ignore' });
      return new SmallDisk(folder);
    } catch (error) {
      rmdirSync(folder);
      if (process.env['CI'] === 'true') throw new Error('CI=true, but no small disk can be mounted', { cause: error });
      return null;
    }
  }

  /** @param leftBytes what stays free */
  fill(leftBytes: number): void {
    const { bavail, bsize } = statfsSync(this.folder);
    writeFileSync(this.filler, Buffer.alloc(bavail * bsize - leftBytes));
  }

  /** Gives back what `fill` took. */
  empty(): void {
    rmSync(this.filler);
  }

  unmount(): void {
    execFileSync('umount', [this.folder]);
    rmSync(this.folder, { recursive: true });
  }

  private get filler(): string {
    return join(this.folder, 'filler');
  }
}

/** A suite on a disk of this size, or one that is skipped where none can be mounted, and says so. */
export function describeOnSmallDisk(name: string, bytes: number, suite: (disk: SmallDisk) => void): void {
  const disk = SmallDisk.mount(bytes);
  if (disk === null) {
    describe.skip(`${name} (skipped: may not mount a small disk)`, () => {
      it.todo('needs a disk');
    });
    return;
  }
  describe(name, () => {
    suite(disk);
    // Behind the hooks of the suite, which stop what runs on it.
    afterAll(() => {
      disk.unmount();
    });
  });
}
