import { readFileSync } from 'node:fs';

/** Linux reports CPU time to programs in hundredths of a second, whatever its kernel counts in. */
const TICKS_PER_SECOND = 100;

/**
 * CPU time that a process has used, all its threads, in user and kernel mode, in seconds (steps of 10 ms).
 * @returns NaN where there is no /proc
 */
export function cpuSecondsOf(pid: number): number {
  try {
    return cpuSecondsIn(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return Number.NaN;
  }
}

/** utime and stime are fields 14 and 15; the name in field 2 may contain spaces and brackets. */
export function cpuSecondsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
