/** Where the daemon of a home listens: `daemon.sock` in it, or a shorter path that `daemon.path` names. */

import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atomicWrite } from '../../../actors/store/atomic-write.ts';
import { supervisorError } from '../../errors.ts';

/** `sun_path` holds 104 bytes on macOS and 108 on Linux, with the zero at its end. */
const LONGEST = 103;

const direct = (home: string) => join(home, 'daemon.sock');
const pointer = (home: string) => join(home, 'daemon.path');
const fits = (path: string) => Buffer.byteLength(path) <= LONGEST;

/** Where to look for it; null when nothing says so. */
export async function findSocket(home: string): Promise<string | null> {
  if (fits(direct(home))) return direct(home);
  const path = await readFile(pointer(home), 'utf8').catch(() => null);
  return path?.trim() || null;
}

/** Where the one who holds the claim listens; makes what it takes. */
export async function makeSocketPath(home: string, env: NodeJS.ProcessEnv): Promise<string> {
  if (fits(direct(home))) return direct(home);
  const name = `${createHash('sha256').update(home).digest('hex').slice(0, 16)}.sock`;
  const places = [env.XDG_RUNTIME_DIR, tmpdir(), '/tmp'].flatMap((place) => place || []);
  const folder = places
    .map((place) => join(place, `mcp-supervisor-${process.getuid?.() ?? ''}`))
    .find((each) => fits(join(each, name)));
  if (folder === undefined)
    throw unusable(home, 'its path is too long for a socket, and so are those of the temporary folders');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Others may write beside it: one that they made is no place for a door into this home.
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0) {
    throw unusable(home, `${folder}, which would hold its socket, is not a private folder of this user`);
  }
  const path = join(folder, name);
  await atomicWrite(pointer(home), `${path}\n`, `${pointer(home)}.${process.pid}`);
  return path;
}

const unusable = (home: string, why: string) =>
  supervisorError('HOME_UNUSABLE', {
    message: `The daemon can not listen in ${home}: ${why}.`,
    hint: 'Choose a home with a shorter path.',
  });
