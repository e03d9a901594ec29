/** The user's `.netrc`: logins by host, as curl, git, pip and Go read them. */

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** The login for this host (a name without its port); null when the file has none, or there is no file. */
export async function netrcLogin(
  { NETRC, HOME = homedir() }: Readonly<Record<string, string | undefined>>,
  hostname: string,
): Promise<Login | null> {
  const text = await readFile(NETRC || join(HOME, '.netrc'), 'utf8').catch(() => '');
  // A macro ends with an empty line, and may hold any words.
  const entriesText = text.replace(/(^|\s)macdef\s[\s\S]*?(\n\s*\n|$)/g, '\n').replace(/^\s*#.*$/gm, '');
  const entries: { machine: string | null; login?: string; password?: string }[] = [];
  for (const [word, name, value] of entriesText.matchAll(WORDS)) {
    if (word === 'default') entries.push({ machine: null });
    else if (name === 'machine') entries.push({ machine: unquoted(value) });
    else if (name !== undefined) Object.assign(entries.at(-1) ?? {}, { [name]: unquoted(value) });
  }
  const found = entries.find(({ machine }) => machine === null || machine === hostname);
  return found?.password === undefined ? null : { username: found.login ?? '', password: found.password };
}

/** A name with its value, or any other word. */
const WORDS = /(machine|login|password|account)\s+("(?:\\.|[^"\\])*"|\S+)|\S+/g;

const unquoted = (word = ''): string => (/^".*"$/s.test(word) ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word);
