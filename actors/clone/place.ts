import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** One rename: a checkout is there whole or not at all. Where another was first, theirs is as good. */
export async function moveIntoPlace(tree: string, dir: string): Promise<void> {
  await mkdir(dirname(dir), { recursive: true });
  await rename(tree, dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
}
