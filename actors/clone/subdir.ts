import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Source } from '../../launchers/plan.ts';
import { createFailure } from '../../machines/failure.ts';
import { FailureError } from '../failure-error.ts';

/** CLONE_SUBDIR_NOT_FOUND unless the source's subfolder is a folder of the tree. */
export async function requireSubdir(tree: string, source: Source): Promise<void> {
  if (source.subdir === '' || (await isFolder(join(tree, source.subdir)))) return;
  const ref = source.kind === 'git' && source.ref !== null ? ` at ${source.ref}` : '';
  const place = source.kind === 'git' ? `${source.url}${ref}` : source.path;
  throw new FailureError(
    createFailure('CLONE_SUBDIR_NOT_FOUND', {
      message: `There is no folder '${source.subdir}' in ${place}.`,
      data: { subdir: source.subdir },
    }),
  );
}

export const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
