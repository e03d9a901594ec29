/**
 * Locks between all processes on a home: `flock(2)` on a file, which the kernel frees when its holder dies, on whatever
 * machine, container or user the home is shared by. Node has no call for it, so a small program takes the lock on *our*
 * open file and ends: the lock belongs to the open file, which we keep (1.4 ms). Abstract sockets would cost less, but
 * two containers with one home would not see each other's, and any user could take the name.
 */

import { spawn } from 'node:child_process';
import { closeSync, openSync, rmdirSync } from 'node:fs';
import { createFailure } from '../../machines/failure.ts';
import { FailureError } from '../failure-error.ts';
import { platform } from '../platform.ts';
import { isExhausted } from '../process/spawn-failure.ts';
import { withHomeErrors } from './home-error.ts';
import { GAVE_UP, type Locker } from './lockers.ts';

export interface Locks {
  /** Runs work under the lock of that file; in the order of asking inside a process, in the kernel's between processes. */
  withLock<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

/** `prepare` sees to it that the files' folder is there; called before every locking, when its turn has come. */
export function createLocks(prepare: () => Promise<unknown>, lockers: readonly Locker[] = platform.lockers): Locks {
  const queues = new Map<string, Promise<unknown>>();
  /** The first one that works here. */
  let chosen = 0;

  async function lockFile(path: string, signal: AbortSignal): Promise<() => void> {
    const file = await withHomeErrors(async () => {
      await prepare();
      return openLockFile(path);
    });
    try {
      while (chosen < lockers.length) {
        const tried = chosen;
        const status = await runLocker(lockers[tried]!, file, signal);
        if (status === 0) return () => closeSync(file);
        // Somebody else may have found out at the same time.
        if (status !== GAVE_UP && chosen === tried) chosen += 1;
      }
    } catch (error) {
      closeSync(file);
      throw error;
    }
    closeSync(file);
    chosen = 0;
    throw noLocker();
  }

  return {
    async withLock(path, signal, work) {
      signal.throwIfAborted();
      const before = queues.get(path);
      let leave = () => {};
      const left = new Promise<void>((resolve) => {
        leave = resolve;
      });
      const tail = Promise.all([before, left]);
      queues.set(path, tail);
      try {
        if (before !== undefined) await unlessAborted(before, signal);
        const unlock = await lockFile(path, signal);
        try {
          return await work();
        } finally {
          unlock();
        }
      } finally {
        leave();
        if (queues.get(path) === tail) queues.delete(path);
      }
    },
  };
}

export const noLocker = () =>
  new FailureError(
    createFailure('HOME_UNUSABLE', {
      message: 'No program could lock a file of the home.',
      hint: 'Install flock (util-linux) or perl.',
    }),
  );

/** Its descriptor, readable and writable; not inherited by what we start. */
export function openLockFile(path: string): number {
  try {
    return openSync(path, 'a+', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    // Never by rename: where another process was faster, that would take away the file which it has locked.
    rmdirSync(path);
    return openSync(path, 'a+', 0o600);
  }
}

/**
 * Its exit status, or null when it could not run; rejects with the signal's reason once it is dead, and with
 * HOME_UNUSABLE (to be tried again) when the system has no process or open file left for it.
 */
export async function runLocker({ program, args }: Locker, file: number, signal: AbortSignal): Promise<number | null> {
  signal.throwIfAborted();
  return withHomeErrors(
    () =>
      new Promise((resolve, reject) => {
        const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore', file] });
        const kill = () => child.kill('SIGKILL');
        signal.addEventListener('abort', kill, { once: true });
        const end = (status: number | null) => {
          signal.removeEventListener('abort', kill);
          if (signal.aborted) reject(signal.reason);
          else resolve(status);
        };
        child.once('error', (error: NodeJS.ErrnoException) => (isExhausted(error) ? reject(error) : end(null)));
        child.once('exit', end);
      }),
  );
}

function unlessAborted(wait: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    void wait.then(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}
