/** A folder as launchers see it: names and small texts, nothing outside of it, nothing of what an installer put there. */

import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { FileView } from '../launchers/plan.ts';

export interface FileViewOptions {
  /**
   * Also lists what an install made and `resolve` needs: of every virtual environment `bin/*` and the files of its
   * packages' `*.dist-info`. Default false.
   */
  readonly installed?: boolean;
  /** Most files listed, the shallow ones first; default 20 000. */
  readonly limit?: number;
}

/** Never sources. What a compiler may have put beside them (`dist`, `build`, `target`) is listed: an entry may be there. */
const SKIPPED = new Set(
  `.git .hg .svn node_modules bower_components __pycache__ .tox .nox .mypy_cache .pytest_cache .ruff_cache .cache
  .gradle .idea .vscode .eggs .yarn .pnpm-store`.split(/\s+/),
);
const MiB = 1024 * 1024;

/** Read at once and kept: a view stands for one moment of the folder. Texts are read at first need. */
export function createFileView(folder: string, { installed = false, limit = 20_000 }: FileViewOptions = {}): FileView {
  const root = realpathSync(folder);
  const files = listFiles(root, installed, limit);
  const texts = new Map<string, string | undefined>();
  return {
    files,
    has(path) {
      const inside = below(root, path);
      // The last link may leave the folder (`.venv/bin/python` does); a way through one may not.
      if (inside === null || inside === root) return inside === root;
      return isInside(root, dirname(inside)) && statIfThere(inside) !== null;
    },
    read(path) {
      if (!texts.has(path)) texts.set(path, readText(root, path));
      return texts.get(path);
    },
  };
}

function readText(root: string, path: string): string | undefined {
  const inside = below(root, path);
  if (inside === null || !isInside(root, inside)) return undefined;
  const found = statIfThere(inside);
  if (!found?.isFile() || found.size > MiB) return undefined;
  try {
    // Editors on Windows begin a file with a mark that JSON and YAML parsers refuse.
    return readFileSync(inside, 'utf8').replace(/^\uFEFF/, '');
  } catch {
    return undefined;
  }
}

/** Level by level, so that the limit costs the deepest files and not the last in the alphabet. */
function listFiles(root: string, installed: boolean, limit: number): readonly string[] {
  const files: string[] = [];
  let level = [''];
  while (level.length > 0 && files.length < limit) {
    const next: string[] = [];
    for (const folder of level) {
      const entries = readFolder(join(root, folder));
      const path = (name: string) => (folder === '' ? name : `${folder}/${name}`);
      if (folder !== '' && entries.some(({ name }) => name === 'pyvenv.cfg')) {
        if (installed) files.push(...listVirtualEnvironment(root, folder));
        continue;
      }
      for (const entry of entries) {
        if (entry.isDirectory()) {
          if (!SKIPPED.has(entry.name)) next.push(path(entry.name));
        } else if (entry.isFile() || isLinkedFile(root, path(entry.name), entry)) {
          files.push(path(entry.name));
        }
      }
    }
    level = next;
  }
  return files.slice(0, limit).sort();
}

/** Only what tells which programs were installed; a virtual environment has thousands of other files. */
function listVirtualEnvironment(root: string, folder: string): string[] {
  const files = (path: string) =>
    readFolder(join(root, path)).flatMap((entry) => (entry.isDirectory() ? [] : [`${path}/${entry.name}`]));
  const folders = (path: string) =>
    readFolder(join(root, path)).flatMap((entry) => (entry.isDirectory() ? [`${path}/${entry.name}`] : []));
  const packages = folders(`${folder}/lib`).flatMap((python) => folders(`${python}/site-packages`));
  return [
    `${folder}/pyvenv.cfg`,
    ...files(`${folder}/bin`),
    ...packages.filter((path) => path.endsWith('.dist-info')).flatMap(files),
  ];
}

/** Links to files inside are files; links to folders are not followed: they may go round. */
const isLinkedFile = (root: string, path: string, entry: Dirent): boolean =>
  entry.isSymbolicLink() && isInside(root, join(root, path)) && statIfThere(join(root, path))?.isFile() === true;

/** Absolute path, or null for one that climbs out. */
function below(root: string, path: string): string | null {
  const absolute = join(root, path);
  return path.startsWith('/') || path.includes('\0') || !isSelfOrBelow(root, absolute) ? null : absolute;
}

const isSelfOrBelow = (root: string, path: string) =>
  path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);

/** After every link on the way was followed. */
function isInside(root: string, path: string): boolean {
  try {
    return isSelfOrBelow(root, realpathSync(path));
  } catch {
    return false;
  }
}

function statIfThere(path: string) {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function readFolder(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}
