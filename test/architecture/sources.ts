import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Paths of all files below a folder, relative to it; folders for which `enters` says no are left out. */
export function filesBelow(folder: string, enters: (path: string) => boolean = () => true): string[] {
  const files: string[] = [];
  const walk = (current: string): void => {
    for (const entry of readdirSync(current, { withFileTypes: true })) {
      const path = relative(folder, join(current, entry.name));
      if (entry.isDirectory()) {
        if (enters(path)) walk(join(current, entry.name));
      } else if (entry.isFile()) {
        files.push(path);
      }
    }
  };
  walk(folder);
  return files.sort();
}

/** The module that a path below `src` belongs to, or null for shared and the root. */
export function moduleOf(path: string): string | null {
  return /^modules\/([^/]+)\//.exec(path)?.[1] ?? null;
}
