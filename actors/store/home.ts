/** The home folder itself: made private, marked with its format, refused when it is somebody else's. */

import { chmod, mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createFailure } from '../../machines/failure.ts';
import { exists } from '../exists.ts';
import { FailureError } from '../failure-error.ts';
import { atomicWrite } from './atomic-write.ts';
import type { Owner } from './owner.ts';
import { tempPath } from './temp.ts';

/** Number in the file `format`; raised when the layout changes, with a migration from the one before. */
const HOME_FORMAT = 1;

/** What may stand in a home that has no format yet: what users put there beforehand, and another process's beginnings. */
const EXPECTED =
  /^(config\.(ya?ml|jsonc?)|token(\..*)?|tmp|locks|daemon\.(lock|sock|path|log)|format\..*|lost\+found|\..*)$/;

/** By any of these a home is known whose format was lost, as long as nobody else's files are in it. */
const EVIDENCE = ['plugins', 'checkouts', 'envs', 'ledger'];
const OURS = /^(plugins|checkouts|envs|ledger|data|runtimes|certificates|logs)$/;

export async function openHome(home: string, owner: Owner): Promise<void> {
  await makeFolder(home);
  const format = await readFormat(home);
  if (format === null) {
    const strangers = (await readdir(home)).filter((name) => !EXPECTED.test(name) && name !== 'format');
    if (strangers.length > 0) throw unusable(home, `is not empty and not a home of mcp-supervisor (${strangers[0]})`);
  } else if (format === 'broken') {
    const names = await readdir(home);
    const isOurs = names.every((name) => name === 'format' || OURS.test(name) || EXPECTED.test(name));
    if (!isOurs || !EVIDENCE.some((name) => names.includes(name)))
      throw unusable(home, `has a file 'format' that holds no number`);
    // Somebody else may have set it aside already.
    await rename(join(home, 'format'), join(home, `format.broken-${Date.now()}`)).catch(() => undefined);
  } else if (format > HOME_FORMAT) {
    throw new FailureError(
      createFailure('HOME_NEWER', {
        message: `${home} has format ${format}; this version reads up to ${HOME_FORMAT}.`,
        data: { home, format },
      }),
    );
  }
  // Facts name the user's private folders, and plugins keep data here.
  if (((await stat(home)).mode & 0o077) !== 0) await chmod(home, 0o700);
  // Only made once its format is known to be ours.
  const tmp = join(home, 'tmp');
  await mkdir(tmp, { recursive: true });
  if (typeof format !== 'number')
    await atomicWrite(join(home, 'format'), `${HOME_FORMAT}\n`, tempPath(tmp, 'format', owner));
}

/** Not `recursive`: where a folder can't hold others (`/proc`), Node then tries for ever. */
async function makeFolder(path: string, again = true): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return requireFolder(path);
    if (code !== 'ENOENT' || !again) throw unusable(path, `can not be made (${code})`);
    // Another process may be making it at the same time.
    if (!(await exists(dirname(path)))) await makeFolder(dirname(path));
    await makeFolder(path, false);
  }
}

async function requireFolder(path: string): Promise<void> {
  if (!(await stat(path)).isDirectory()) throw unusable(path, 'is a file or a device');
}

/** Null when there is none; `broken` when it is no file, or holds no number. */
async function readFormat(home: string): Promise<number | 'broken' | null> {
  const text = await readFile(join(home, 'format'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    if (error.code === 'EISDIR') return '';
    throw error;
  });
  if (text === null) return null;
  return /^\d+\s*$/.test(text) ? Number(text) : 'broken';
}

const unusable = (home: string, why: string) =>
  new FailureError(
    createFailure('HOME_UNUSABLE', {
      message: `The folder ${home} ${why}.`,
      hint: 'Choose another home with MCP_SUPERVISOR_HOME, or empty that folder.',
      data: { home },
    }),
  );
