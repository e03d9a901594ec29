/**
 * Limits that the kernel keeps: one cgroup (v2) per generation, where the system has delegated a part of its tree to us
 * (systemd's `Delegate=yes`, most container engines with a cgroup namespace of their own). Everything is read and written
 * below a root that is a parameter. Unproven: the effect of these files on a machine that delegates; the suite checks the
 * operations against a folder. Where nothing is delegated memory and processes are sampled (`sample.ts`) instead.
 */

import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ResourceLimits } from '../../launchers/plan.ts';
import type { Breach } from './limits.ts';

/** One generation's cgroup. */
export interface Cgroup {
  readonly dir: string;
  /** Shell lines that put the shell, and so what it becomes, into it. */
  readonly lines: readonly string[];
  /** A limit that the kernel had to enforce; null so far. */
  breach(): Breach | null;
  /** SIGKILL to all of it at once, whatever forks in the meantime. */
  kill(): void;
  /** Removes it once it is empty; never rejects. */
  remove(): Promise<void>;
}

/** Controllers that these limits need. */
export const controllersFor = ({ memory, cpu, processes }: ResourceLimits): readonly string[] => [
  ...(memory === undefined ? [] : ['memory']),
  ...(cpu === undefined ? [] : ['cpu']),
  ...(processes === undefined ? [] : ['pids']),
];

/**
 * The cgroup below which ours are made: our own, or the one above it where systemd put us into a subgroup. Null when it
 * is not ours to write, lacks a controller, or holds processes besides (the kernel then refuses to hand controllers down).
 */
export function findCgroup(controllers: readonly string[], proc = '/proc'): string | null {
  const own = ownCgroup(proc);
  if (own === null || controllers.length === 0) return null;
  return [own, join(own, '..')].find((dir) => handsDown(dir, controllers)) ?? null;
}

/** Absolute path of our own cgroup of version 2; null where there is none. */
function ownCgroup(proc: string): string | null {
  const path = /^0::(\/.*)$/m.exec(textOf(`${proc}/self/cgroup`))?.[1];
  // `<id> <parent> <device> <root> <mount point> <options> … - cgroup2 …`
  const [, root, mount] = /^\S+ \S+ \S+ (\S+) (\S+) .* - cgroup2 /m.exec(textOf(`${proc}/self/mountinfo`)) ?? [];
  if (path === undefined || root === undefined || mount === undefined) return null;
  const below = relative(root, path);
  return below.startsWith('..') ? null : join(mount, below);
}

/** True once children of this cgroup have these controllers. */
function handsDown(dir: string, wanted: readonly string[]): boolean {
  const has = (file: string) => {
    const names = textOf(join(dir, file)).split(/\s+/);
    return wanted.every((name) => names.includes(name));
  };
  try {
    accessSync(join(dir, 'cgroup.procs'), constants.W_OK);
    if (!has('cgroup.controllers')) return false;
    if (!has('cgroup.subtree_control')) {
      writeFileSync(join(dir, 'cgroup.subtree_control'), wanted.map((name) => `+${name}`).join(' '));
    }
    return true;
  } catch {
    // Not ours (EACCES, EROFS), or it holds processes itself (EBUSY).
    return false;
  }
}

const PREFIX = 'mcp-supervisor.';
const PERIOD = 100_000;
/** The kernel counts threads; no ordinary process has more. It only bounds what is forked between two samples. */
const THREADS_PER_PROCESS = 128;

/** Makes the cgroup of one generation, named after its cookie; throws the system's error where it can't. */
export function createCgroup(base: string, cookie: string, limits: ResourceLimits): Cgroup {
  const dir = join(base, `${PREFIX}${cookie}`);
  const { memory, cpu, processes } = limits;
  mkdirSync(dir, { recursive: true });
  const set = (file: string, value: number | string) => writeFileSync(join(dir, file), `${value}`);
  if (memory !== undefined) {
    set('memory.max', memory);
    // Without swap accounting there is no such file, and nothing to forbid.
    attempt(() => set('memory.swap.max', 0));
    // A plugin with half of its processes gone is neither alive nor dead.
    attempt(() => set('memory.oom.group', 1));
  }
  if (cpu !== undefined) set('cpu.max', `${Math.max(1000, Math.round(cpu * PERIOD))} ${PERIOD}`);
  if (processes !== undefined) set('pids.max', processes * THREADS_PER_PROCESS);
  const count = (file: string, name: string) =>
    Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(textOf(join(dir, file)))?.[1] ?? 0);
  return {
    dir,
    lines: [`echo 0 > '${join(dir, 'cgroup.procs').replaceAll("'", `'\\''`)}' || exit 126`],
    breach: () => {
      if (memory !== undefined && count('memory.events', 'oom_kill') > 0) {
        const peak = Number(textOf(join(dir, 'memory.peak')));
        return { limit: 'memory', allowed: memory, used: peak || memory };
      }
      if (processes !== undefined && count('pids.events', 'max') > 0) {
        return { limit: 'processes', allowed: processes, used: null };
      }
      return null;
    },
    kill: () => attempt(() => set('cgroup.kill', 1)),
    remove: () => removeEmpty(dir),
  };
}

/** Removes what dead supervisors left; an owner is `<pid>-<start time>`, the second part of a cookie. One that lives in it keeps it. */
export function reapCgroups(base: string, isAlive: (owner: string) => boolean): void {
  for (const name of namesIn(base)) {
    const owner = name.startsWith(PREFIX) ? name.slice(PREFIX.length).split('.')[1] : undefined;
    if (owner !== undefined && !isAlive(owner)) attempt(() => rmdirSync(join(base, name)));
  }
}

/** A cgroup is busy for a moment after its last process is gone. */
async function removeEmpty(dir: string): Promise<void> {
  for (let tries = 0; tries < 10; tries += 1) {
    const left = await rmdir(dir).then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === 'EBUSY',
    );
    if (!left) return;
    await delay(20, undefined, { ref: false });
  }
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // Said at each caller why it may fail.
  }
}

const namesIn = (dir: string): string[] => {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
};

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
