import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Store } from '../store/store.ts';
import { withTemp } from '../with-temp.ts';

/** One rename: a checkout is there whole or not at all. Where another was first, theirs is as good. */
export async function moveIntoPlace(tree: string, dir: string): Promise<void> {
  await mkdir(dirname(dir), { recursive: true });
  await rename(tree, dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
}

/** One rename too, out of its place: half a checkout would be taken for a whole one. */
export function removeCheckout(store: Pick<Store, 'makeTemp'>, dir: string): Promise<void> {
  return withTemp(store, 'old', async (temp) => {
    await rename(dir, join(temp, 'tree')).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  });
}
