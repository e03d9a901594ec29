/** What processes take of the machine, as far as their limits ask. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ResourceLimits } from '../../launchers/plan.ts';
import { usesProc } from '../platform.ts';
import type { Breach } from './limits.ts';

/** Bytes of memory of single processes. Synchronous: a sample is one look. Gone processes, and unreadable ones, count nothing. */
export interface MemoryTable {
  /** Resident memory of all of them; what several share is counted for each. */
  resident(pids: readonly number[]): number;
  /** The same with shared parts divided among those who share them; slower. */
  proportional(pids: readonly number[]): number;
}

/** The first limit that these processes break; null when none. `ours` of them are wrappers that we put around the program. */
export function breachBySample(
  { memory, processes }: ResourceLimits,
  pids: readonly number[],
  ours: number,
  table: MemoryTable = memoryTable(),
): Breach | null {
  const count = pids.length - ours;
  if (processes !== undefined && count > processes) return { limit: 'processes', allowed: processes, used: count };
  // Forked workers share most of what is resident: only who is over the limit with it is looked at closely.
  if (memory === undefined || table.resident(pids) <= memory) return null;
  const used = table.proportional(pids);
  return used > memory ? { limit: 'memory', allowed: memory, used } : null;
}

const memoryTable = () => (usesProc ? createProcMemory() : createPsMemory());

/** Linux: `/proc/<pid>/status`, and `smaps_rollup` (which costs milliseconds where a process has much memory). */
export function createProcMemory(root = '/proc'): MemoryTable {
  const status = (pid: number) => kilobytes(textOf(`${root}/${pid}/status`), 'VmRSS');
  const sum = (pids: readonly number[], of: (pid: number) => number) =>
    1024 * pids.reduce((all, pid) => all + of(pid), 0);
  return {
    resident: (pids) => sum(pids, status),
    // Another user's is not shown; then what is resident has to do.
    proportional: (pids) => sum(pids, (pid) => kilobytes(textOf(`${root}/${pid}/smaps_rollup`), 'Pss') || status(pid)),
  };
}

/** Elsewhere: `ps`. It knows of no shared parts. */
export function createPsMemory(): MemoryTable {
  const resident = (pids: readonly number[]) => {
    if (pids.length === 0) return 0;
    const list = run('ps', ['-o', 'rss=', '-p', pids.join(',')]);
    return 1024 * list.split('\n').reduce((all, line) => all + (Number(line) || 0), 0);
  };
  return { resident, proportional: resident };
}

const kilobytes = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** `ps` fails when the last of them is gone. */
function run(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
