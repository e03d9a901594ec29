import { spawnSync } from 'node:child_process';
import type { ProcessRow, ProcessTable } from './process-table.ts';

/** Systems without `/proc`: the portable `ps`. It can't show the environment of others, so escapees are not found. */
export function createPsTable(): ProcessTable {
  const list = (...which: string[]) =>
    run('ps', [...which, '-o', 'pid=,ppid=,pgid=,stat=,lstart='])
      .split('\n')
      .flatMap((line) => parseRow(line) ?? []);
  return {
    bootId: () => run('sysctl', ['-n', 'kern.bootsessionuuid']).trim() || 'unknown',
    row: (pid) => list('-p', String(pid))[0] ?? null,
    rows: () => list('-A'),
    readsEnvironments: false,
    withEnvironment: () => [],
  };
}

function parseRow(line: string): ProcessRow | null {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S)\S*\s+(.+?)\s*$/.exec(line);
  if (match === null) return null;
  const [, pid, parent, group, state = '', startTime = ''] = match;
  return { pid: Number(pid), parent: Number(parent), group: Number(group), state, startTime };
}

/** `LC_ALL=C`: start times are compared as text. */
const run = (program: string, args: readonly string[]): string =>
  spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' } }).stdout ?? '';
