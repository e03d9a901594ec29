/**
 * Names this process in the home's file names, so that whoever comes later can tell a dead supervisor's leftovers from a
 * living one's: `<pid>-<start time>-<world>`. The world is the boot and the pid namespace: a pid of another container
 * or of an earlier boot says nothing here.
 */

import { createHash } from 'node:crypto';
import { hasEnded, processIdentity } from '../groups.ts';
import { platform } from '../platform.ts';

export type Verdict = 'ours' | 'living' | 'dead' | 'foreign';

export interface Owner {
  /** Of this process. */
  readonly name: string;
  /** What became of the process that a name ends in; `foreign` when nobody here can know, null when it names none. */
  judge(name: string): Verdict | null;
}

export function createOwner(): Owner {
  const self = processIdentity(process.pid);
  const world = createHash('sha256').update(`${self?.bootId} ${platform.pidNamespace()}`).digest('hex').slice(0, 8);
  const name = `${process.pid}-${self?.startTime ?? ''}-${world}`;
  return {
    name,
    judge(other) {
      const [, pid = '', startTime = '', itsWorld] = /(?:^|-)(\d+)-([A-Za-z0-9]*)-([0-9a-f]{8})$/.exec(other) ?? [];
      if (itsWorld === undefined) return null;
      if (itsWorld !== world) return 'foreign';
      if (Number(pid) === process.pid && startTime === self?.startTime) return 'ours';
      return hasEnded(Number(pid), (its) => its === startTime) ? 'dead' : 'living';
    },
  };
}
