/** The home folder itself: made private, marked with its format, refused when it is somebody else's. */

import { chmod, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createFailure } from '../../machines/failure.ts';
import { exists } from '../exists.ts';
import { FailureError } from '../failure-error.ts';
import { atomicWrite } from './atomic-write.ts';

/** Number in the file `format`; raised when the layout changes, with a migration from the one before. */
const HOME_FORMAT = 1;

/** What may stand in a home that has no format yet: what users put there beforehand, and another process's beginnings. */
const EXPECTED = /^(config\.ya?ml|tmp|locks|daemon\.(lock|sock)|format\..*\.tmp|lost\+found|\..*)$/;

export async function openHome(home: string): Promise<void> {
  await makeFolder(home);
  const format = await readFormat(home);
  if (format === null) {
    const strangers = (await readdir(home)).filter((name) => !EXPECTED.test(name) && name !== 'format');
    if (strangers.length > 0) throw unusable(home, `is not empty and not a home of mcp-supervisor (${strangers[0]})`);
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
  if (format === null) await atomicWrite(join(home, 'format'), `${HOME_FORMAT}\n`);
  // Only leaves the home once its format is known to be ours.
  await mkdir(join(home, 'tmp'), { recursive: true });
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

async function readFormat(home: string): Promise<number | null> {
  const text = await readFile(join(home, 'format'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  if (!/^\d+\s*$/.test(text)) throw unusable(home, `has a file 'format' that holds no number`);
  return Number(text);
}

const unusable = (home: string, why: string) =>
  new FailureError(
    createFailure('HOME_UNUSABLE', {
      message: `The folder ${home} ${why}.`,
      hint: 'Choose another home with MCP_SUPERVISOR_HOME, or empty that folder.',
      data: { home },
    }),
  );
