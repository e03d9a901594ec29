/** Running a plugin as another user; only root may. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createFailure } from '../../machines/failure.ts';
import { FailureError } from '../failure-error.ts';
import { onPath } from '../runtimes/find.ts';

export interface User {
  readonly name: string | null;
  readonly uid: number;
  readonly gid: number;
  /** From the list of users; null for a number that isn't in it. */
  readonly home: string | null;
}

/** `name`, `uid` or `uid:gid`. CONFIG_USER when there is no such user, or we are not root. */
export async function findUser(text: string): Promise<User> {
  if (process.getuid?.() !== 0) throw badUser(`Only root can run a plugin as another user (${text}).`);
  const [who = '', group] = text.split(':');
  const entry = await getent(who);
  const uid = entry?.uid ?? (/^\d+$/.test(who) ? Number(who) : null);
  if (uid === null) throw badUser(`There is no user '${who}' on this machine.`);
  const gid = group === undefined ? (entry?.gid ?? uid) : Number(group);
  return { name: entry?.name ?? null, uid, gid, home: entry?.home ?? null };
}

/** `getent` also knows users that are in no file (LDAP). */
async function getent(who: string) {
  const line = await promisify(execFile)('getent', ['passwd', who]).then(
    ({ stdout }) => stdout.split('\n')[0] ?? '',
    () => '',
  );
  const [name, , uid, gid, , home] = line.split(':');
  if (name === undefined || uid === undefined || gid === undefined || home === undefined) return null;
  return { name, uid: Number(uid), gid: Number(gid), home };
}

/** Words that go before a command. Supplementary groups are ours and are dropped. CONFIG_USER without `setpriv`. */
export async function userWords({ uid, gid }: User, path: string): Promise<readonly string[]> {
  const [setpriv] = await onPath('setpriv', { PATH: path });
  if (setpriv === undefined) {
    throw badUser('The program setpriv is not installed.', 'Install util-linux, or leave the user out.');
  }
  return [setpriv, `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--inh-caps=-all'];
}

/** Its own home and name in place of ours, and no temp folder of ours. */
export function userEnv({ name, home, uid }: User, given: Readonly<Record<string, string>>): Record<string, string> {
  const { TMPDIR: _, ...env } = given;
  return { ...env, HOME: home ?? '/', USER: name ?? String(uid), LOGNAME: name ?? String(uid) };
}

/** CONFIG_USER when that user can't enter the folder: a home is private to its owner. */
export async function requireEntry(words: readonly string[], dir: string, user: string): Promise<void> {
  const [program = '', ...args] = words;
  await promisify(execFile)(program, [...args, 'test', '-r', dir, '-a', '-x', dir]).catch(() => {
    throw badUser(
      `The user '${user}' can't enter ${dir}, where the plugin runs.`,
      'Add a sandbox (--sandbox): it shows the plugin its own folders, wherever they are.',
    );
  });
}

const badUser = (message: string, hint?: string) => new FailureError(createFailure('CONFIG_USER', { message, hint }));
