/**
 * The one place that knows which system this is: Linux with its `/proc`, or anything else with `ps`, `lsof` and Perl (the
 * portable twin; what macOS has). The choice is made once, when this module is loaded.
 */

import { existsSync, readlinkSync } from 'node:fs';
import { createProcTable } from './groups/proc-table.ts';
import type { ProcessTable } from './groups/process-table.ts';
import { createPsTable } from './groups/ps-table.ts';
import { createLsofSockets } from './ports/lsof-sockets.ts';
import { createProcSockets } from './ports/proc-sockets.ts';
import type { SocketTable } from './ports/socket-table.ts';
import { FLOCK, type Locker, PERL } from './store/lockers.ts';

export interface Platform {
  readonly processes: ProcessTable;
  readonly sockets: SocketTable;
  /** Programs that can take a kernel lock, likeliest first. */
  readonly lockers: readonly Locker[];
  /** What a shell of ours needs in its environment to choose as we did (`guard/script`). */
  readonly shellEnv: Readonly<Record<string, string>>;
  /** Pids of one namespace say nothing in another one. */
  pidNamespace(): string;
}

/**
 * `MCP_SUPERVISOR_PROC=off` leaves `/proc` alone on Linux too: for systems where it is hidden or lies, and for the tests
 * of the portable twin. Anything else, or nothing: `/proc` is used where it is.
 */
export const PROC_VARIABLE = 'MCP_SUPERVISOR_PROC';

const linux: Platform = {
  processes: createProcTable(),
  sockets: createProcSockets(),
  lockers: [...FLOCK, PERL],
  shellEnv: {},
  pidNamespace: () => readlinkSync('/proc/self/ns/pid'),
};

const portable: Platform = {
  processes: createPsTable(),
  sockets: createLsofSockets(),
  lockers: [PERL, ...FLOCK],
  shellEnv: { [PROC_VARIABLE]: 'off' },
  pidNamespace: () => 'none',
};

/** True where `/proc` is read. */
export const usesProc =
  process.platform === 'linux' && process.env[PROC_VARIABLE] !== 'off' && existsSync('/proc/self/stat');

export const platform: Platform = usesProc ? linux : portable;
