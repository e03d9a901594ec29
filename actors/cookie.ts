/**
 * The mark on every process that we start: an environment variable, inherited by whatever it starts in turn, by which
 * processes that left their group are found again. It reads `<home>.<owner>.<plugin>.<generation>.<random>`, so a part
 * of it up to a dot names everything of a home, of a supervisor or of a plugin.
 */

import { createHash, randomBytes } from 'node:crypto';
import { processIdentity } from './groups.ts';

export interface CookieOf {
  /** Absolute path of the home. */
  readonly home: string;
  readonly plugin: string;
  /** Start that it belongs to; 0 for clone and install jobs. */
  readonly generation: number;
}

/** A fresh one for each process that we spawn. */
export const createCookie = ({ home, plugin, generation }: CookieOf): string =>
  `${pluginCookies(home, plugin)}${generation}.${randomBytes(6).toString('hex')}`;

/** What every cookie of this plugin under this supervisor starts with; ends in a dot. */
export const pluginCookies = (home: string, plugin: string): string => `${ownerCookies(home)}${hash(plugin)}.`;

/** What every cookie of this supervisor on this home starts with; ends in a dot. */
export const ownerCookies = (home: string): string => `${hash(home)}.${owner()}.`;

/** Our own pid and start time, so that a later process with our pid is not taken for us. */
const owner = () => `${process.pid}-${processIdentity(process.pid)?.startTime ?? '0'}`;

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 10);
