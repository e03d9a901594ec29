/**
 * Writes what an archive says into an empty folder, and nothing anywhere else: the one policy for every format. A
 * hostile archive is refused as a whole rather than repaired. Links come last, so that nothing is written through one.
 */

import { link, lstat, mkdir, open, readdir, rename, rm, symlink, utimes } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { Limits } from '../../context.ts';
import { archiveFailure, unsafe } from './archive-failure.ts';
import type { ArchiveEntry } from './entry.ts';

export interface Unpacked {
  /** Of the newest file; null when the archive has no times that can be true. */
  readonly newest: Date | null;
}

export interface TreeWriter {
  take(entry: ArchiveEntry): Promise<void>;
  /**
   * Makes the links, and says what was unpacked. `strip` takes a single folder that holds everything for the tree itself:
   * hosts and packers put one around what they pack.
   */
  finish(strip: boolean): Promise<Unpacked>;
}

/** File systems end at 255 bytes a name and 4096 a path; what comes near is no plugin. */
const MOST_NAME = 255;
const MOST_PATH = 1024;
const MOST_DEPTH = 64;

/** Source packs 3 to 10 to 1; deflate ends at about 1000. The first bytes are free: a small archive may hold one log. */
const MOST_RATIO = 200;
const RATIO_FROM = 64 * 1024 * 1024;

export interface TreeWriterOptions {
  /** Absolute path of an empty folder. */
  readonly tree: string;
  /** Bytes of the archive itself. */
  readonly packed: number;
  readonly limits: Pick<Limits, 'maxFiles' | 'maxSource'>;
  readonly signal: AbortSignal;
}

export function createTreeWriter({ tree, packed, limits, signal }: TreeWriterOptions): TreeWriter {
  const links: { readonly path: string; readonly target: string }[] = [];
  const hardLinks: { readonly path: string; readonly target: string }[] = [];
  let entries = 0;
  let bytes = 0;
  let newest = 0;

  function count(size: number): void {
    bytes += size;
    if (bytes > limits.maxSource) {
      throw tooLarge(`holds more than ${limits.maxSource} bytes`, { maxSource: limits.maxSource });
    }
    if (bytes > RATIO_FROM && bytes > packed * MOST_RATIO) {
      throw tooLarge(`holds more than ${MOST_RATIO} times its own ${packed} bytes`, { ratio: MOST_RATIO });
    }
  }

  async function writeFile(path: string, entry: ArchiveEntry): Promise<void> {
    const target = join(tree, path);
    await makeFolder(path, dirname(target));
    // No link exists yet, so the path leads nowhere else. Of two entries with one name the later counts, as in tar.
    const file = await open(target, 'w', 0o644).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EISDIR' || error.code === 'ENOTDIR' ? unsafe(path, 'is a file and a folder') : error;
    });
    let executable = (entry.mode ?? 0) & 0o111;
    try {
      let first = true;
      for await (const chunk of entry.content()) {
        signal.throwIfAborted();
        count(chunk.byteLength);
        if (first && entry.mode === null && isProgram(chunk)) executable = 0o111;
        first = false;
        await file.writeFile(chunk);
      }
      // Never more than that: no setuid, no group or world write.
      await file.chmod(executable === 0 ? 0o644 : 0o755);
    } finally {
      await file.close();
    }
    const time = entry.mtime?.getTime() ?? Number.NaN;
    if (!isPlausible(time)) return;
    newest = Math.max(newest, time);
    await utimes(target, time / 1000, time / 1000);
  }

  async function makeFolder(path: string, folder: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' || error.code === 'ENOTDIR' ? unsafe(path, 'is below a file') : error;
    });
  }

  return {
    async take(entry) {
      signal.throwIfAborted();
      entries += 1;
      if (entries > limits.maxFiles) {
        throw tooLarge(`holds more than ${limits.maxFiles} files`, { maxFiles: limits.maxFiles });
      }
      const path = safePath(entry.path);
      // Nobody's repository: what git would run from there is not the plugin.
      if (path === '' || path.split('/').some((part) => part.toLowerCase() === '.git')) return;
      switch (entry.kind) {
        case 'file':
          return writeFile(path, entry);
        case 'folder':
          return makeFolder(path, join(tree, path));
        case 'link':
          links.push({ path, target: entry.target });
          return;
        case 'hardlink':
          hardLinks.push({ path, target: safePath(entry.target) });
          return;
        case 'other':
          throw unsafe(entry.path, 'is a device, a pipe or a socket');
      }
    },
    async finish(strip) {
      for (const { path, target } of hardLinks) {
        const from = join(tree, target);
        const found = await lstat(from).catch(() => null);
        if (!found?.isFile()) throw unsafe(path, `is a hard link to ${JSON.stringify(target)}, which is no file of it`);
        await makeFolder(path, dirname(join(tree, path)));
        await link(from, join(tree, path)).catch(unlessThere);
      }
      // A link may lead to the folder around, but not out of what becomes the tree.
      const folder = strip ? await takeOut(tree, links) : '';
      for (const { path, target } of links) {
        if (!path.startsWith(folder)) continue;
        const here = path.slice(folder.length);
        const straight = safeTarget(here, target);
        await makeFolder(path, dirname(join(tree, here)));
        // Below a link that was made before, this one would lie elsewhere.
        if (await leadsThroughLink(tree, here)) throw unsafe(path, 'is below a link');
        await symlink(straight, join(tree, here)).catch(unlessThere);
      }
      return { newest: newest === 0 ? null : new Date(newest) };
    },
  };
}

/** The path below the tree, '/' between its parts; CLONE_UNSAFE_ARCHIVE for one that could be elsewhere. */
export function safePath(path: string): string {
  if (/[\0\\]/.test(path)) throw unsafe(path, 'has a backslash or a zero byte in its name');
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) throw unsafe(path, 'has an absolute path');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw unsafe(path, 'leaves the archive');
  const isLong = Buffer.byteLength(path) > MOST_PATH || parts.some((part) => Buffer.byteLength(part) > MOST_NAME);
  if (isLong || parts.length > MOST_DEPTH) throw unsafe(path, 'has a path that is too long or too deep');
  return parts.join('/');
}

/**
 * A relative target inside the tree, written straight: steps up first. Then each link ends inside whatever the others are,
 * because steps up are taken from a real folder.
 */
function safeTarget(path: string, target: string): string {
  const straight = target.replace(/^(\.\/)+/, '').replace(/\/+$/, '') || '.';
  const leaves =
    straight.startsWith('/') ||
    /[\0\\]/.test(straight) ||
    posix.normalize(straight) !== straight ||
    /^\.\.(\/|$)/.test(posix.join(posix.dirname(path), straight));
  if (leaves) throw unsafe(path, `is a link to ${JSON.stringify(target.slice(0, 200))}, outside of the archive`);
  return straight;
}

/** What a Finder adds to a zip is nobody's content. */
const NOISE = new Set(['__MACOSX', '.DS_Store']);

/** Moves the content of a single folder up; `name/` of that folder, '' where there is none or a link is beside it. */
async function takeOut(tree: string, links: readonly { readonly path: string }[]): Promise<string> {
  const entries = (await readdir(tree, { withFileTypes: true })).filter(({ name }) => !NOISE.has(name));
  const [only, ...others] = entries;
  if (only === undefined || others.length > 0 || !only.isDirectory()) return '';
  const top = `${only.name}/`;
  if (links.some(({ path }) => !path.startsWith(top) && !NOISE.has(path.split('/')[0] ?? ''))) return '';
  // Aside first: it may hold an entry of its own name.
  const aside = `${tree}.inner`;
  await rename(join(tree, only.name), aside);
  await rm(tree, { recursive: true });
  await rename(aside, tree);
  return top;
}

async function leadsThroughLink(tree: string, path: string): Promise<boolean> {
  for (let above = posix.dirname(path); above !== '.'; above = posix.dirname(above)) {
    if ((await lstat(join(tree, above))).isSymbolicLink()) return true;
  }
  return false;
}

/** Packed on Windows or by a library, archives know no permissions: scripts with `#!`, ELF and Mach-O are programs. */
function isProgram(start: Uint8Array): boolean {
  const magic = Buffer.from(start.subarray(0, 4)).toString('hex');
  return magic.startsWith('2321') || /^(7f454c46|cffaedfe|cafebabe|feedfacf)$/.test(magic);
}

/** Packers that want the same bytes every time write 1980 or 1985. */
const isPlausible = (time: number): boolean => time > Date.UTC(2000) && time <= Date.now() + 86_400_000;

const tooLarge = (problem: string, data: Readonly<Record<string, unknown>>) =>
  archiveFailure('CLONE_TOO_LARGE', `${problem}`, data);

const unlessThere = (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EEXIST') throw error;
};
