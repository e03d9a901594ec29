import { readdirSync, readFileSync } from 'node:fs';
import type { Look, ProcessRow, ProcessTable } from './process-table.ts';

/** Linux: `/proc`. A process that ends between the listing and the reading is simply not there. */
export function createProcTable(root = '/proc'): ProcessTable {
  const pids = () => readdirSync(root).filter(isNumber).map(Number);
  const row = (pid: number) => parseStat(readIfThere(`${root}/${pid}/stat`)?.toString('latin1'));
  // A look costs as much as what it reads: nothing is kept.
  const look: Look = {
    row,
    rows: () => pids().flatMap((pid) => row(pid) ?? []),
    withEnvironment: (entry) => {
      const wanted = Buffer.from(entry.endsWith('.') ? `\0${entry}` : `\0${entry}\0`);
      return pids().filter((pid) => {
        const environment = readIfThere(`${root}/${pid}/environ`);
        return environment?.includes(wanted) === true || environment?.indexOf(wanted.subarray(1)) === 0;
      });
    },
  };
  return {
    bootId: () => readFileSync(`${root}/sys/kernel/random/boot_id`, 'latin1').trim(),
    look: () => look,
    nextLook: () => look,
    readsEnvironments: () => true,
  };
}

/** The program's name (field 2) is in brackets and may itself hold brackets and blanks: fields are counted after the last `)`. */
function parseStat(stat: string | undefined): ProcessRow | null {
  if (stat === undefined) return null;
  const [state, parent, group, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startTime = rest[16];
  if (state === undefined || startTime === undefined) return null;
  return { pid: Number.parseInt(stat, 10), parent: Number(parent), group: Number(group), state, startTime };
}

const isNumber = (name: string) => name >= '1' && name < ':';

/** Gone, or another user's: neither is ours. Throws when the system can't tell (EMFILE, ENFILE, ENOMEM). */
function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (UNREADABLE.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

const UNREADABLE: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EIO']);
