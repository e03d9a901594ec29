/** A local folder as a source: copied into the home as it is now, never written to. */

import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, stat, symlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Source } from '../../launchers/plan.ts';
import type { Checkout } from '../../machines/contracts.ts';
import { createFailure } from '../../machines/failure.ts';
import type { ActorContext } from '../context.ts';
import { FailureError } from '../failure-error.ts';
import { withTemp } from '../with-temp.ts';
import { type FolderFile, isFolderOrScript, listFolder } from './folder-files.ts';
import { moveIntoPlace, removeCheckout } from './place.ts';
import { requireSubdir } from './subdir.ts';

type FolderSource = Extract<Source, { kind: 'folder' }>;

/** Files copied at once. */
const WIDTH = 16;

/** The copy of the folder's present state, made unless it is there. CLONE_NOT_FOUND when the folder is missing. */
export async function copyFolder(
  context: ActorContext,
  source: FolderSource,
  signal: AbortSignal,
  plugin: string,
): Promise<Checkout> {
  const { store } = context;
  const found = await stat(source.path).catch(() => null);
  if (found === null || !isFolderOrScript(source.path, found)) {
    throw new FailureError(
      createFailure('CLONE_NOT_FOUND', {
        message: `${source.path} ${found === null ? 'does not exist' : 'is not a folder'}.`,
        hint:
          found === null
            ? 'Check the path for a typing error.'
            : `Give the folder that it is in, or run it as it is: -- ${source.path}`,
        data: { path: source.path },
      }),
    );
  }
  const { files, leavers, fingerprint } = await listFolder(source.path, store.home, context.limits.maxFiles);
  const dir = store.checkoutDir(source, fingerprint);
  const checkout = { dir, commit: fingerprint, committedAt: null };
  if (await stat(dir).catch(() => null)) return checkout;
  if (leavers.length > 0) {
    context.log.warn({ plugin, links: leavers }, 'links that leave the folder were not copied');
  }
  return withTemp(store, 'copy', async (temp) => {
    const tree = join(temp, 'tree');
    await mkdir(tree);
    await copyFiles(found.isDirectory() ? source.path : dirname(source.path), tree, files, signal);
    await requireSubdir(tree, source);
    await moveIntoPlace(tree, dir);
    await forgetOlder(dir, context, plugin);
    return checkout;
  });
}

/**
 * Milliseconds, longer than any install lasts. An earlier copy of a folder is nobody's: survey compares with the folder
 * as it is now, and a plugin runs in a tree of its own. Only an install that began before the edit may still read it.
 */
const OUTDATED_AFTER = 60 * 60_000;

/** Removes earlier copies, or every edit would leave one for ever. Nothing here fails a copy that has succeeded. */
async function forgetOlder(current: string, { log, store }: ActorContext, plugin: string): Promise<void> {
  const all = dirname(current);
  for (const name of await readdir(all).catch(() => [])) {
    const dir = join(all, name);
    const made = await stat(dir).catch(() => null);
    if (dir === current || made === null || Date.now() - made.mtimeMs < OUTDATED_AFTER) continue;
    await removeCheckout(store, dir).catch((error: unknown) =>
      log.debug({ plugin, dir, error: String(error) }, 'an old copy is kept for now'),
    );
  }
}

async function copyFiles(from: string, tree: string, files: readonly FolderFile[], signal: AbortSignal): Promise<void> {
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) {
    await mkdir(join(tree, folder), { recursive: true });
  }
  for (let at = 0; at < files.length; at += WIDTH) {
    signal.throwIfAborted();
    // Settled, not raced: nothing may write into the temp folder once it is being removed.
    const copies = await Promise.allSettled(files.slice(at, at + WIDTH).map((file) => copyOne(from, tree, file)));
    const failed = copies.find((copy) => copy.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}

/** With its mode and time; by reference where the file system can (COPYFILE_FICLONE). */
async function copyOne(from: string, tree: string, { path, link, mtimeMs }: FolderFile): Promise<void> {
  const target = join(tree, path);
  if (link !== null) {
    await symlink(link, target);
    return;
  }
  try {
    await copyFile(join(from, path), target, constants.COPYFILE_FICLONE);
    await utimes(target, mtimeMs / 1000, mtimeMs / 1000);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw error;
    throw new FailureError(
      createFailure('CLONE_FAILED', {
        message: `${join(from, path)} could not be copied: ${message}.`,
        hint: 'Make it readable, or leave it out by .gitignore.',
      }),
      { cause: error },
    );
  }
}
