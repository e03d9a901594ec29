/** Which of several fitting Pythons a project was made with. */

import { join, upwards } from '../paths.ts';
import type { Evidence, FileView, Tool } from '../plan.ts';

export interface PreferredPython {
  /** PEP 440; null leaves the choice. */
  readonly specifier: string | null;
  readonly evidence: readonly Evidence[];
}

/** `.python-version`, else what fastmcp.json names, else the newest that the lock has binary packages for. */
export function preferredPython(
  view: FileView,
  dir: string,
  uvLock: string | null,
  configured: string | null,
): PreferredPython {
  const file = upwards(dir)
    .flatMap((folder) => [join(folder, '.python-version'), join(folder, 'runtime.txt')])
    .find((each) => view.files.includes(each));
  const named = file === undefined ? undefined : /(?:^|python-|cpython-)3\.(\d+)/m.exec(view.read(file) ?? '')?.[1];
  if (file !== undefined && named !== undefined) {
    return {
      specifier: `==3.${named}.*`,
      evidence: [{ file, says: `names Python 3.${named}: taken where it is there` }],
    };
  }
  if (configured !== null) return { specifier: configured, evidence: [] };
  const newest = uvLock === null ? null : newestWithWheels(view.read(uvLock) ?? '');
  return newest === null || uvLock === null
    ? { specifier: null, evidence: [] }
    : {
        specifier: `<3.${newest + 1}`,
        evidence: [{ file: uvLock, says: `has binary packages up to Python 3.${newest}` }],
      };
}

/** The newest minor for which every locked package with wheels of its own per version has one; null when none has. */
export function newestWithWheels(lock: string): number | null {
  let newest: number | null = null;
  for (const block of lock.split(/^\[\[package\]\]$/m)) {
    // Wheels for the stable ABI and pure ones serve later versions, too.
    if (/-(?:py3|py2\.py3)-none-|-abi3-/.test(block)) continue;
    const minors = [...block.matchAll(/-cp3(\d+)-cp3\d+-/g)].map((match) => Number(match[1]));
    if (minors.length === 0) continue;
    const most = Math.max(...minors);
    // Left behind by its makers: built from source with any newer Python.
    if (most < 10) continue;
    newest = newest === null ? most : Math.min(newest, most);
  }
  return newest;
}

/** What most projects of these years run on, and have binary packages for. */
const USUAL = 12;

/**
 * The Python to try when the one that was taken turned out to be too old or too new: the usual minor, or the lowest that the
 * project takes above it; none when it takes only older ones.
 */
export function usualPython(specifier: string | null): Tool[] {
  const minors = (pattern: RegExp) => [...(specifier ?? '').matchAll(pattern)].map((match) => Number(match[1]));
  const minor = Math.max(USUAL, ...minors(/(?:>=|~=|==|\^|~|>)\s*3\.(\d+)/g));
  const upper = Math.min(...minors(/<\s*3\.(\d+)/g));
  const exact = minors(/==\s*3\.(\d+)/g);
  return minor >= upper || exact.some((each) => each !== minor) ? [] : [{ name: 'python', version: `==3.${minor}.*` }];
}
