import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Source } from '../../launchers/plan.ts';
import { createFailure } from '../../machines/failure.ts';
import { FailureError } from '../failure-error.ts';

/** CLONE_SUBDIR_NOT_FOUND unless the source's subfolder is a folder of the tree. */
export async function requireSubdir(tree: string, source: Source): Promise<void> {
  if (source.subdir === '' || (await isFolder(join(tree, source.subdir)))) return;
  throw new FailureError(
    createFailure('CLONE_SUBDIR_NOT_FOUND', {
      message: `There is no folder '${source.subdir}' in ${placeOf(source)}.`,
      hint: await nearest(tree, source.subdir),
      data: { subdir: source.subdir },
    }),
  );
}

function placeOf(source: Source): string {
  switch (source.kind) {
    case 'git':
      return source.ref === null ? source.url : `${source.url} at ${source.ref}`;
    case 'folder':
      return source.path;
    case 'archive':
      return source.location;
    case 'package':
      return `the package ${source.name}`;
    case 'command':
      return source.cwd;
    case 'remote':
      return source.url;
  }
}

/** Folders to choose from in a sentence; more would be no help. */
const MOST_NAMED = 12;

/** What the nearest folder that is there holds. */
async function nearest(tree: string, subdir: string): Promise<string | undefined> {
  let above = dirname(subdir);
  while (above !== '.' && !(await isFolder(join(tree, above)))) above = dirname(above);
  const entries = await readdir(join(tree, above), { withFileTypes: true }).catch(() => []);
  const names = entries.flatMap((entry) => (entry.isDirectory() && !entry.name.startsWith('.') ? [entry.name] : []));
  if (names.length === 0) return undefined;
  const more = names.length > MOST_NAMED ? ' …' : '';
  return `${above === '.' ? 'Its folders are' : `The folders in ${above} are`} ${names.sort().slice(0, MOST_NAMED).join(', ')}${more}.`;
}

export const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
