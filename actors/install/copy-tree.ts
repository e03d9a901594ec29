import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, readlink, realpath, symlink } from 'node:fs/promises';
import { dirname, join, posix, relative, sep } from 'node:path';

export interface CopyOptions {
  /** Leaves out what an installer makes (`node_modules`, venvs), wherever somebody committed it. */
  readonly withoutInstalled: boolean;
  readonly signal: AbortSignal;
}

/**
 * Copies a checkout to where it is installed: by reference where the file system can, writable for us. Links that lead
 * out of the tree are left out and returned (below the tree, sorted); so are sockets and devices, silently.
 */
export async function copyTree(from: string, to: string, options: CopyOptions): Promise<string[]> {
  const root = await realpath(from);
  const leftOut: string[] = [];

  async function copyDir(source: string, target: string): Promise<void> {
    options.signal.throwIfAborted();
    await mkdir(target, { recursive: true, mode: 0o755 });
    const entries = await readdir(source, { withFileTypes: true });
    await Promise.all(
      entries.map(async (entry) => {
        const path = join(source, entry.name);
        if (entry.isSymbolicLink()) {
          if (await staysInside(root, path)) await symlink(await readlink(path), join(target, entry.name));
          else leftOut.push(relative(root, path));
        } else if (entry.isDirectory()) {
          if (options.withoutInstalled && (await isInstalled(path, entry.name))) return;
          await copyDir(path, join(target, entry.name));
        } else if (entry.isFile()) {
          await copyFile(path, join(target, entry.name), constants.COPYFILE_FICLONE);
          // A checkout is read-only; installers and builds write beside and over what they find.
          const { mode } = await lstat(path);
          if ((mode & 0o200) === 0) await chmod(join(target, entry.name), (mode & 0o777) | 0o600);
        }
      }),
    );
  }

  await copyDir(root, to);
  return leftOut.sort();
}

async function isInstalled(dir: string, name: string): Promise<boolean> {
  if (name === 'node_modules' || name === '.venv') return true;
  return name === 'venv' && (await readdir(dir)).includes('pyvenv.cfg');
}

/** Where the link leads is asked of the kernel: by its text alone `a/../..` can't be judged when `a` is a link too. */
async function staysInside(root: string, link: string): Promise<boolean> {
  const target = await readlink(link);
  // Absolute ones lead out of the copy even when they lead into the original.
  if (target.startsWith('/')) return false;
  const inside = (path: string) => path === root || path.startsWith(root + sep);
  try {
    return inside(await realpath(link));
  } catch {
    // Dangling until something is built. Steps up come first in a plain path, and we stand in a real folder.
    return posix.normalize(target) === target.replace(/^\.\//, '') && inside(join(dirname(link), target));
  }
}
