/** Who lives with a cookie of a home (`actors/cookie`): `<home>.<owner>.<plugin>.<generation>.<random>`. Linux only. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

export interface Carrier {
  readonly pid: number;
  /** Clock ticks since boot: with the pid it names the process for good. */
  readonly startTime: string;
  /** Group that it is in. */
  readonly group: number;
  /** Pid of the supervisor that started it, or its parent. */
  readonly owner: number;
  /** Hash, as `hashOf` makes it of the plugin's name. */
  readonly plugin: string;
  /** 0 for the jobs of clone and install. */
  readonly generation: number;
}

export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 10);

/** Zombies are no carriers: they have no environment any more. */
export function carriersOf(home: string): readonly Carrier[] {
  const mark = `MCP_SUPERVISOR_COOKIE=${hashOf(home)}.`;
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const environment = readFileSync(`/proc/${name}/environ`, 'latin1');
      const at = environment.indexOf(mark);
      if (at === -1) return [];
      const [cookie = ''] = environment.slice(at + mark.length).split('\0', 1);
      const [owner = '', plugin = '', generation = ''] = cookie.split('.');
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      // After the name in brackets: state, parent, group, session … and the start time as field 22.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const [group, startTime] = [Number(fields[2]), fields[19] ?? ''];
      const from = Number.parseInt(owner, 10);
      return [{ pid: Number(name), startTime, group, owner: from, plugin, generation: Number(generation) }];
    } catch {
      // It has ended in between.
      return [];
    }
  });
}
