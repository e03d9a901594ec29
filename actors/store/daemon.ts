/**
 * The claim to be the one daemon of a home: the kernel's lock on `daemon.lock`, on a descriptor that we keep, so that it
 * is free the moment its holder dies. What the file says of the holder is for people; only the lock decides.
 */

import { closeSync, fchmodSync, ftruncateSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createFailure } from '../../machines/failure.ts';
import { FailureError } from '../failure-error.ts';
import { hasEnded, processIdentity } from '../groups.ts';
import type { Locker } from './lockers.ts';
import { noLocker, openLockFile, runLocker } from './locks.ts';
import type { DaemonClaim, DaemonHolder, DaemonInfo } from './store.ts';

/** A locker that doesn't wait, and how it says that another process has the lock. */
interface Trier extends Locker {
  readonly busy: number;
}

const TRIERS: readonly Trier[] = [
  { program: 'flock', args: ['-n', '-E', '75', '3'], busy: 75 },
  // BusyBox knows no -E.
  { program: 'flock', args: ['-n', '3'], busy: 1 },
  { program: 'perl', args: ['-e', 'open(my $file, "+<&=", 3) or exit 1; flock($file, 6) or exit 75'], busy: 75 },
];

/** A holder writes its name within microseconds after it has the lock; looked for so often, so many ms apart. */
const LOOKS = 20;
const PAUSE = 50;

/** Rejects with HOME_DAEMON_RUNNING, naming pid and since when, while another process holds the claim. */
export async function claimDaemon(path: string, info: DaemonInfo, now: () => number): Promise<DaemonClaim> {
  let said: DaemonHolder | null = null;
  for (let look = 0; look < LOOKS; look += 1) {
    const file = openLockFile(path);
    try {
      if (await tryLock(file)) return keep(file, info, now);
      said = readHolder(file);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    closeSync(file);
    // Not yet written, or a dead holder's: whoever has the lock now is about to say so, or gone.
    const { pid, startTime } = said ?? { pid: 0, startTime: '' };
    if (said !== null && !hasEnded(pid, (its) => its === startTime)) break;
    await delay(PAUSE);
  }
  throw running(said);
}

async function tryLock(file: number): Promise<boolean> {
  for (const trier of TRIERS) {
    const status = await runLocker(trier, file, new AbortController().signal);
    if (status === 0) return true;
    if (status === trier.busy) return false;
  }
  throw noLocker();
}

function keep(file: number, { version }: DaemonInfo, now: () => number): DaemonClaim {
  const startTime = processIdentity(process.pid)?.startTime ?? '';
  const holder: DaemonHolder = { pid: process.pid, startTime, since: new Date(now()).toISOString(), version };
  fchmodSync(file, 0o600);
  ftruncateSync(file, 0);
  writeSync(file, `${JSON.stringify(holder)}\n`);
  let held = true;
  return {
    holder,
    release() {
      if (!held) return;
      held = false;
      // The file stays: whoever waits for a lock on it would otherwise hold one that nobody else sees.
      try {
        ftruncateSync(file, 0);
      } finally {
        closeSync(file);
      }
    },
  };
}

function readHolder(file: number): DaemonHolder | null {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as DaemonHolder;
    return Number.isSafeInteger(holder.pid) && typeof holder.since === 'string' ? holder : null;
  } catch {
    return null;
  }
}

const running = (holder: DaemonHolder | null) =>
  new FailureError(
    createFailure('HOME_DAEMON_RUNNING', {
      message:
        holder === null
          ? 'A daemon runs on this home already.'
          : `A daemon runs on this home already: process ${holder.pid}, since ${holder.since}.`,
      data: { ...holder },
    }),
  );
