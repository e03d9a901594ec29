/** The gateway's own token, made when it listens off loopback and its owner gave none; kept in the home. */

import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { atomicWrite } from '../../../actors/store/atomic-write.ts';
import { withHomeErrors } from '../../../actors/store/home-error.ts';
import { supervisorError } from '../../errors.ts';

/** 256 random bits as URL-safe text of 43 characters. */
export const createToken = (): string => randomBytes(32).toString('base64url');

export interface StoredToken {
  readonly token: string;
  /** Made just now: its owner has not seen it yet. */
  readonly created: boolean;
  /** File in the home, mode 0600. */
  readonly path: string;
}

/** The token of that home, made at first. Rejects with HOME_UNUSABLE, HOME_DISK_FULL. */
export function loadOrCreateToken(home: string): Promise<StoredToken> {
  return withHomeErrors(async () => {
    const path = join(home, 'token');
    const known = await load(path);
    if (known !== null) return { token: known, created: false, path };
    await mkdir(home, { recursive: true, mode: 0o700 });
    const token = createToken();
    const temp = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
    await atomicWrite(temp, `${token}\n`);
    try {
      // Unlike a rename it fails where another process was first: there is one token, whoever asks.
      await link(temp, path);
      return { token, created: true, path };
    } catch (error) {
      const theirs = (error as NodeJS.ErrnoException).code === 'EEXIST' ? await load(path) : null;
      if (theirs === null) throw error;
      return { token: theirs, created: false, path };
    } finally {
      await rm(temp, { force: true });
    }
  });
}

async function load(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const token = text.trim();
  if (!/^[\x21-\x7e]{16,}$/.test(token)) {
    throw supervisorError('HOME_UNUSABLE', {
      message: `${path} holds no token.`,
      hint: 'Remove that file; a new token is made.',
    });
  }
  // Restored from a backup, perhaps.
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
  return token;
}
