import { execFile, spawnSync } from 'node:child_process';
import type { Look, ProcessRow, ProcessTable } from './process-table.ts';

/**
 * Systems without `/proc`: `ps`, which shows each command with its environment behind it. Apple's own programs (`/bin/sh`)
 * keep theirs to themselves, so an escapee is found as long as it, or something below it, is not one of those.
 */
export function createPsTable(): ProcessTable {
  let bootId: string | undefined;
  let readable: boolean | undefined;
  let running: Promise<void> | null = null;
  let next: Promise<Look> | null = null;

  const begin = (): Promise<Look> => {
    const listing = runSoon('ps', [...EVERYTHING, '-o', `${COLUMNS},command=`]).then((text) =>
      createLook(parseAll(text)),
    );
    const over = () => {
      running = null;
    };
    running = listing.then(over, over);
    return listing;
  };

  return {
    bootId: () => {
      bootId ??= run('sysctl', ['-n', BOOT_ID]).trim() || 'unknown';
      return bootId;
    },
    look: () => createLook(),
    // A listing that is under way may have passed a process that is new since: the next one is for all who came by then.
    nextLook: () => {
      if (next !== null) return next;
      if (running === null) return begin();
      next = running.then(() => {
        next = null;
        return begin();
      });
      return next;
    },
    readsEnvironments: () => {
      readable ??= / [A-Za-z_]\w*=/.test(createLook().environment(process.pid));
      return readable;
    },
  };
}

interface PsRow extends ProcessRow {
  /** Command and environment, parted by blanks. */
  readonly text: string;
}

interface PsLook extends Look {
  /** Of one process, each entry behind a blank. */
  environment(pid: number): string;
}

/** `e` shows environments on every system but Apple's, where it means all processes. */
const EVERYTHING = process.platform === 'darwin' ? ['-axEww'] : ['axeww'];
const BOOT_ID = process.platform === 'darwin' ? 'kern.bootsessionuuid' : 'kernel.random.boot_id';
const COLUMNS = 'pid=,ppid=,pgid=,stat=,lstart=';

function createLook(listed?: ReadonlyMap<number, PsRow>): PsLook {
  let all = listed;
  const list = () => {
    all ??= parseAll(run('ps', [...EVERYTHING, '-o', `${COLUMNS},command=`]));
    return all;
  };
  /** Behind the command itself, where anyone may write what looks like an entry. */
  const environments = (pids: readonly number[]): Map<number, string> => {
    const commands = new Map(
      run('ps', ['-ww', '-o', 'pid=,command=', '-p', pids.join(',')])
        .split('\n')
        .flatMap((line) => {
          const [, pid, command = ''] = /^\s*(\d+)\s(.*)$/.exec(line) ?? [];
          return pid === undefined ? [] : [[Number(pid), command.trim()] as const];
        }),
    );
    return new Map(
      pids.flatMap((pid) => {
        const text = list().get(pid)?.text;
        const command = commands.get(pid);
        // Another program since the listing, or none any more: the next look tells.
        return text === undefined || command === undefined || !text.startsWith(command)
          ? []
          : [[pid, text.slice(command.length)] as const];
      }),
    );
  };
  return {
    row: (pid) => (all === undefined ? parse(run('ps', ['-o', COLUMNS, '-p', String(pid)]))[0] : all.get(pid)) ?? null,
    rows: () => [...list().values()],
    environment: (pid) => environments([pid]).get(pid) ?? '',
    withEnvironment: (entry) => {
      const has = (text: string) => `${text} `.includes(entry.endsWith('.') ? ` ${entry}` : ` ${entry} `);
      const candidates = [...list().values()].flatMap(({ pid, text }) => (has(text) ? pid : []));
      if (candidates.length === 0) return [];
      return [...environments(candidates)].flatMap(([pid, text]) => (has(text) ? pid : []));
    },
  };
}

/** Everything that runs; a listing without ourselves is none. */
function parseAll(text: string): ReadonlyMap<number, PsRow> {
  const all = new Map(parse(text).map((row) => [row.pid, row]));
  if (!all.has(process.pid)) throw Object.assign(new Error('ps did not list what runs'), { code: 'EAGAIN' });
  return all;
}

/** `lstart` is a date of five words. */
const LINE = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S)\S*\s+((?:\S+\s+){4}\d{4})(?:\s(.*))?$/;

const parse = (text: string): PsRow[] =>
  text.split('\n').flatMap((line) => {
    const [, pid, parent, group, state = '', started = '', rest = ''] = LINE.exec(line) ?? [];
    if (pid === undefined) return [];
    const startTime = started.replaceAll(/[^A-Za-z0-9]/g, '');
    return { pid: Number(pid), parent: Number(parent), group: Number(group), state, startTime, text: rest.trim() };
  });

/** Start times are compared as text. Nothing of ours besides: under another supervisor `ps` would carry its cookie. */
const options = () => ({
  encoding: 'utf8' as const,
  env: { PATH: `${process.env.PATH ?? ''}:/usr/bin:/bin:/usr/sbin`, LC_ALL: 'C', TZ: 'UTC' },
  maxBuffer: 256 * 1024 * 1024,
});

/** Its output, whatever its exit: `ps` fails when a process is not there. Throws when it could not run. */
function run(program: 'ps' | 'sysctl', args: readonly string[]): string {
  const { stdout, error } = spawnSync(program, args, options());
  if (error === undefined) return stdout;
  if (program === 'sysctl') return '';
  throw unusable(error);
}

const runSoon = (program: 'ps', args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    try {
      execFile(program, args, options(), (error, stdout) => {
        if (typeof error?.code === 'string') reject(unusable(error as NodeJS.ErrnoException));
        else resolve(stdout);
      });
    } catch (error) {
      // EMFILE and EAGAIN are thrown, not told.
      reject(error);
    }
  });

const unusable = (error: NodeJS.ErrnoException): Error =>
  error.code === 'ENOENT'
    ? new Error('Here is neither /proc nor ps, so nobody can tell which processes live: install ps.', { cause: error })
    : error;
