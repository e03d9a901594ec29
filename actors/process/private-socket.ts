import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../store/store.ts';

export interface PrivateSocket {
  readonly path: string;
  remove(): Promise<void>;
}

/** `sun_path` holds 104 bytes on macOS and 108 on Linux, with the closing zero. */
const LONGEST_PATH = 100;

/** A path for a Unix socket in a fresh folder that only its owner enters; in the home, or where that is too long in /tmp. */
export async function createPrivateSocket(store: Store): Promise<PrivateSocket> {
  const choices = [() => store.makeTemp('socket'), () => mkdtemp(join(tmpdir(), 'mcps-')), () => mkdtemp('/tmp/mcps-')];
  for (const makeFolder of choices) {
    const folder = await makeFolder();
    const remove = () => rm(folder, { recursive: true, force: true });
    const path = join(folder, 's');
    if (Buffer.byteLength(path) <= LONGEST_PATH) {
      await chmod(folder, 0o700);
      return { path, remove };
    }
    await remove();
  }
  throw new Error('no folder is short enough for a Unix socket');
}
