/**
 * What of a local folder is the plugin's: the same list for the copy and, without a child process, for survey's look
 * whether anything changed. Left out are `.git`, `node_modules`, Python's caches and virtual environments, what
 * .gitignore names and git does not track, links that leave the folder, and the home itself.
 */

import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import type { Ignore } from 'ignore';
import { createFailure } from '../../machines/failure.ts';
import { FailureError } from '../failure-error.ts';
import { trackedFiles } from './git-index.ts';

export interface FolderFile {
  /** Below the folder, '/' between the parts. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly executable: boolean;
  /** Where a symbolic link points, relative to its own folder; null for a file. */
  readonly link: string | null;
}

export interface FolderListing {
  /** Sorted by path. */
  readonly files: readonly FolderFile[];
  /** Links that were left out because they leave the folder. */
  readonly leavers: readonly string[];
  /** Changes when a file of the list appears, goes, or changes its size or time. */
  readonly fingerprint: string;
}

/** More than any plugin has: somebody named their home folder or a disk. */
const MOST_FILES = 200_000;
/** What runs by itself; everything else that is no folder needs one around it. */
const SCRIPT = /\.(py|[cm]?js)$/;
/** Entries between two breaths of the event loop, about 5 ms. */
const BATCH = 500;

const SKIPPED = new Set(['.git', 'node_modules', '__pycache__']);

/** Whether the path is a source of its own: a folder, or one script. */
export const isFolderOrScript = (path: string, found: Stats): boolean =>
  found.isDirectory() || (found.isFile() && SCRIPT.test(path));

/**
 * Rejects with ENOENT or ENOTDIR when it is no folder, and with CLONE_TOO_LARGE when it is far too large. Of a script's
 * folder it is the one file: a script that needs others is a folder's.
 */
export async function listFolder(folder: string, home: string, mostFiles = MOST_FILES): Promise<FolderListing> {
  const root = await realpath(folder);
  if (SCRIPT.test(folder) && lstatSync(root).isFile()) return listScript(root, basename(folder));
  const realHome = await realpath(home).catch(() => home);
  const { layers, tracked } = await repositoryOf(root);
  const files: FolderFile[] = [];
  const leavers: string[] = [];
  let seen = 0;

  async function walk(below: string, layersAbove: readonly Layer[], trackedOnly: boolean): Promise<void> {
    const entries = readdirSync(join(root, below), { withFileTypes: true });
    const names = new Set(entries.map(({ name }) => name));
    // A virtual environment: its scripts hold absolute paths, a copy of it is of no use.
    if (below !== '' && names.has('pyvenv.cfg')) return;
    const rules = names.has('.gitignore') && !trackedOnly ? await readLayer(root, below) : null;
    const inner = rules === null ? layersAbove : [rules, ...layersAbove];
    for (const entry of entries) {
      seen += 1;
      if (seen % BATCH === 0) await breathe();
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      const absolute = join(root, path);
      if (SKIPPED.has(entry.name) || absolute === realHome) continue;
      const isFolder = entry.isDirectory();
      const ignored = trackedOnly || isIgnored(inner, isFolder ? `${absolute}/` : absolute);
      if (isFolder) {
        if (!ignored || tracked.has(`${path}/`)) await walk(path, inner, ignored);
      } else if ((!ignored || tracked.has(path)) && (entry.isFile() || entry.isSymbolicLink())) {
        add(path, absolute);
      }
    }
  }

  function add(path: string, absolute: string): void {
    const { size, mtimeMs, mode } = lstatSync(absolute);
    const isLink = (mode & 0o170000) === 0o120000;
    const link = isLink ? linkInside(root, folder, absolute) : null;
    if (isLink && link === null) {
      leavers.push(path);
      return;
    }
    files.push({ path, size, mtimeMs, executable: (mode & 0o100) !== 0, link });
    if (files.length > mostFiles) {
      throw new FailureError(
        createFailure('CLONE_TOO_LARGE', {
          message: `${folder} holds more than ${mostFiles} files.`,
          hint: 'Name the folder of the plugin itself; limits.maxFiles allows more.',
        }),
      );
    }
  }

  await walk('', layers, false);
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, leavers, fingerprint: fingerprintOf(files) };
}

function listScript(file: string, name: string): FolderListing {
  const { size, mtimeMs, mode } = lstatSync(file);
  const files = [{ path: name, size, mtimeMs, executable: (mode & 0o100) !== 0, link: null }];
  return { files, leavers: [], fingerprint: fingerprintOf(files) };
}

function fingerprintOf(files: readonly FolderFile[]): string {
  const hash = createHash('sha256');
  for (const { path, size, mtimeMs, executable, link } of files) {
    hash.update(`${path}\0${size}\0${mtimeMs}\0${executable}\0${link ?? ''}\n`);
  }
  return hash.digest('hex').slice(0, 40);
}

/** The link's target relative to the link, or null when it is outside of the folder. */
function linkInside(root: string, given: string, link: string): string | null {
  const target = readlinkSync(link);
  const absolute = resolve(dirname(link), target);
  for (const top of new Set([root, resolve(given)])) {
    const inside = relative(top, absolute);
    if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) continue;
    return isAbsolute(target) ? relative(dirname(link), join(root, inside)) || '.' : target;
  }
  return null;
}

// ---- .gitignore ----

/** The rules of one .gitignore, for paths below its folder. */
interface Layer {
  readonly folder: string;
  readonly rules: Ignore;
}

/** Deepest first: the nearest file that says something about the path decides. */
function isIgnored(layers: readonly Layer[], absolute: string): boolean {
  for (const { folder, rules } of layers) {
    const { ignored, unignored } = rules.test(absolute.slice(folder.length + 1));
    if (ignored || unignored) return ignored;
  }
  return false;
}

async function readLayer(root: string, below: string, file = '.gitignore'): Promise<Layer | null> {
  const folder = join(root, below);
  const text = await readFile(join(folder, file), 'utf8').catch(() => null);
  if (text === null) return null;
  // CommonJS that also carries itself as `default`; only that one is callable by its types.
  const { default: ignore } = (await import('ignore')).default;
  return { folder, rules: ignore({ allowRelativePaths: true }).add(text) };
}

/** Rules that reach the folder from above, and what its repository tracks: `x/y` files, `x/` their folders. */
async function repositoryOf(root: string): Promise<{ layers: readonly Layer[]; tracked: ReadonlySet<string> }> {
  const none = { layers: [], tracked: new Set<string>() };
  const repository = await findRepository(root);
  if (repository === null) return none;
  const { top, gitDir } = repository;
  const between = relative(top, root).split(sep).filter(Boolean);
  const above: (Layer | null)[] = [await readLayer(top, '', join(relative(top, gitDir), 'info', 'exclude'))];
  for (let depth = 0; depth < between.length; depth += 1) {
    above.unshift(await readLayer(top, between.slice(0, depth).join('/')));
  }
  const layers = above.filter((layer) => layer !== null);
  // Somebody who names an ignored folder (a build's output) means its content all the same.
  if (between.length > 0 && isIgnored(layers, `${root}/`)) return none;
  const prefix = between.length === 0 ? '' : `${between.join('/')}/`;
  const tracked = new Set<string>();
  for (const path of await trackedFiles(gitDir)) {
    if (!path.startsWith(prefix)) continue;
    const own = path.slice(prefix.length);
    tracked.add(own);
    for (let at = own.indexOf('/'); at !== -1; at = own.indexOf('/', at + 1)) tracked.add(own.slice(0, at + 1));
  }
  return { layers, tracked };
}

async function findRepository(from: string): Promise<{ top: string; gitDir: string } | null> {
  for (let top = from; ; top = dirname(top)) {
    const git = join(top, '.git');
    const found = lstatSync(git, { throwIfNoEntry: false });
    if (found?.isDirectory()) return { top, gitDir: git };
    if (found?.isFile()) {
      // A worktree or a submodule.
      const [, gitDir] = /^gitdir: (.+)$/m.exec(await readFile(git, 'utf8')) ?? [];
      if (gitDir !== undefined) return { top, gitDir: resolve(top, gitDir) };
    }
    if (top === dirname(top)) return null;
  }
}
