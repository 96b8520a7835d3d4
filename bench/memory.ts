import { readFileSync } from 'node:fs';

/**
 * Memory that a process has in RAM, in megabytes.
 * @returns NaN where there is no /proc
 */
export function residentMegabytesOf(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) / 1024;
  } catch {
    return Number.NaN;
  }
}
