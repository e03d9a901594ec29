/** Limits as a shell sets them, and what is said of one that was broken. */

import { constants } from 'node:os';
import type { ResourceLimits } from '../../launchers/plan.ts';
import { createFailure, type Exit, type Failure } from '../../machines/failure.ts';

/** A limit that was broken. */
export interface Breach {
  readonly limit: keyof ResourceLimits;
  readonly allowed: number;
  /** In the limit's unit; null when only the breach itself is known. */
  readonly used: number | null;
}

/** Words that go before a command: a shell that does the lines with the parameters and becomes the command. */
export const shellWords = (lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['/bin/sh', '-c', `${lines.join('\n')}\nexec "$@"`, 'sh'];

/** Seconds between SIGXCPU, which names the limit, and SIGKILL for a program that goes on all the same. */
const XCPU_GRACE = 5;

/**
 * RLIMIT_CPU and RLIMIT_NOFILE, by the `ulimit` of any POSIX shell; both hold for each process. Where the system has set a
 * stricter one already it stays. RLIMIT_AS is no way to limit memory (Node reserves far more than it takes), and
 * RLIMIT_NPROC counts all processes of a user.
 */
export function ulimitLines({ cpuTime, files }: ResourceLimits): readonly string[] {
  const set = (line: string) => `${line} 2>/dev/null || :`;
  const seconds = cpuTime === undefined ? null : Math.ceil(cpuTime);
  return [
    ...(seconds === null ? [] : [set(`ulimit -S -t ${seconds}`), set(`ulimit -H -t ${seconds + XCPU_GRACE}`)]),
    ...(files === undefined ? [] : [set(`ulimit -S -n ${files}`), set(`ulimit -H -n ${files}`)]),
  ];
}

/** What an exit tells of a limit; null when it doesn't. A shell tells the signal of its child by an exit code above 128. */
export function breachByExit({ cpuTime, files }: ResourceLimits, exit: Exit, tail: readonly string[]): Breach | null {
  if (cpuTime !== undefined && (exit.signal === 'SIGXCPU' || exit.code === 128 + constants.signals.SIGXCPU)) {
    return { limit: 'cpuTime', allowed: cpuTime, used: Math.ceil(cpuTime) };
  }
  if (files !== undefined && exit.code !== 0 && tail.some((line) => OUT_OF_FILES.test(line))) {
    return { limit: 'files', allowed: files, used: null };
  }
  return null;
}

const OUT_OF_FILES = /\bEMFILE\b|too many open files/i;

/** RUN_LIMIT, with the limit's name, what was allowed and what was used. */
export function limitFailure({ limit, allowed, used }: Breach, generation: number): Failure {
  const { show, noun } = WORDS[limit];
  // `512 MiB of memory`, but `9 processes`.
  const amountOf = show === plain ? '' : 'of ';
  const took =
    used === null
      ? `needs more ${noun} than its limit of ${show(allowed)}`
      : `took ${show(used)} ${amountOf}${noun}; its limit is ${show(allowed)}`;
  return createFailure('RUN_LIMIT', {
    generation,
    message: `The program ${took}.`,
    hint: `Raise limits.${limit} if the plugin needs it.`,
    data: { limit, allowed, used },
  });
}

/** A limit's value as people write it. */
export const showLimit = (name: string, value: number): string =>
  Object.hasOwn(WORDS, name) ? WORDS[name as Breach['limit']].show(value) : plain(value);

const MiB = 1024 * 1024;
const plain = (value: number) => String(value);
const WORDS: Readonly<
  Record<keyof ResourceLimits, { readonly show: (value: number) => string; readonly noun: string }>
> = {
  memory: { show: (bytes) => `${Math.round(bytes / MiB)} MiB`, noun: 'memory' },
  cpu: { show: plain, noun: 'cores' },
  cpuTime: { show: (seconds) => `${seconds} s`, noun: 'CPU time' },
  processes: { show: plain, noun: 'processes' },
  files: { show: plain, noun: 'open files' },
};
