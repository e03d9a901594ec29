import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { processIdentity } from './groups.ts';
import { GUARD_SCRIPT } from './guard/script.ts';
import { platform } from './platform.ts';

/**
 * Ends our groups when we die without a chance to (SIGKILL, out of memory). One `sh` per supervisor, in its own session,
 * started with the first group: it learns the groups by a pipe and acts when that pipe breaks.
 */
export interface Guard {
  /** Tells the guard that this group, and everything with this cookie, is ours from now on. */
  watch(group: number, cookie: string): void;
  unwatch(group: number): void;
  /** Ends the guard; groups that are still watched are ended by it on its way. */
  close(): void;
}

/** Who keeps killing the guard gets no further one before another group is watched; the ledger covers us at the next start. */
const MAX_RESTARTS = 5;

export function createGuard(): Guard {
  const watched = new Map<number, string>();
  let shell: ChildProcess | null = null;
  let restarts = 0;
  let closed = false;

  const tell = (line: string) => {
    if (shell?.stdin?.writable) shell.stdin.write(line);
  };

  const start = () => {
    const started = startShell();
    shell = started;
    // The next group to be watched tries again.
    if (started === null) return;
    started.once('exit', () => {
      if (closed || shell !== started) return;
      shell = null;
      restarts += 1;
      if (watched.size > 0 && restarts <= MAX_RESTARTS) start();
    });
    for (const line of watched.values()) tell(line);
  };

  return {
    watch: (group, cookie) => {
      if (closed) return;
      const line = `+ ${group} ${startTime(group)} ${cookie}\n`;
      watched.set(group, line);
      if (shell === null) start();
      else tell(line);
    },
    unwatch: (group) => {
      if (watched.delete(group)) tell(`- ${group}\n`);
    },
    close: () => {
      closed = true;
      shell?.stdin?.end();
      shell = null;
    },
  };
}

/** Null when the system has no process or open file left for it; a start that the plugin itself survived must not fail of it. */
function startShell(): ChildProcess | null {
  const shell = spawnShell();
  // Without a shell there is no guard; whoever dies then is cleaned up after by the next start's ledger.
  shell?.on('error', () => undefined);
  if (shell?.pid === undefined) return null;
  shell.stdin?.on('error', () => undefined);
  shell.unref();
  if (shell.stdin && 'unref' in shell.stdin) (shell.stdin as { unref(): void }).unref();
  return shell;
}

function spawnShell(): ChildProcess | null {
  const options: SpawnOptions = {
    // Its own session: a Ctrl-C or a hang-up of our terminal doesn't reach it, and it holds no terminal.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    // Nothing of ours: under another supervisor its cookie would have the guard swept with us, before it has done its work.
    env: { PATH: `${process.env.PATH ?? ''}:/usr/bin:/bin`, ...platform.shellEnv },
  };
  try {
    return spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'mcp-supervisor-guard'], options);
  } catch {
    // ENOMEM is thrown, EMFILE told.
    return null;
  }
}

/** `-` is not compared: the group lives and its leader is gone already. */
const startTime = (pid: number): string => processIdentity(pid)?.startTime ?? '-';
