import { rm } from 'node:fs/promises';
import type { Store } from './store/store.ts';

/**
 * Gives work a temp folder of its own inside the home and removes it, however the work ends: killed installers leave
 * what they unpacked in their `TMPDIR`. One whose supervisor was killed as well is swept at the next start.
 */
export async function withTemp<T>(
  store: Pick<Store, 'makeTemp'>,
  prefix: string,
  work: (dir: string) => Promise<T>,
): Promise<T> {
  const dir = await store.makeTemp(prefix);
  try {
    return await work(dir);
  } finally {
    // What can't be removed now takes nothing from the work, and is swept by a later start.
    await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }).catch(() => undefined);
  }
}
