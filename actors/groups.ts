/**
 * Processes by group and by cookie: who is there, how to signal them, how to see them gone. A zombie is dead although
 * signal 0 reaches it; only the system's process list tells the two apart. `/proc` and `ps` are behind `platform`.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Look, ProcessRow } from './groups/process-table.ts';
import { platform } from './platform.ts';
import type { ProcessIdentity } from './store/store.ts';

const table = platform.processes;

/** Environment variable that marks what we start (`actors/cookie`). */
export const COOKIE_VARIABLE = 'MCP_SUPERVISOR_COOKIE';

/** True when processes that left their group can be found by cookie here. */
export const findsEscapees = (): boolean => table.readsEnvironments();

/** Processes that end together: groups, all that carry one of the cookies, and single pids. */
export interface Family {
  readonly groups?: readonly number[];
  /** Whole cookies, or the start of one up to and including a dot. */
  readonly cookies?: readonly string[];
  readonly pids?: readonly number[];
}

/** Names the process for good; also a zombie's, whose pid is not free yet. Null when there is no such process. */
export function processIdentity(pid: number): ProcessIdentity | null {
  const row = rowIfSeen(pid);
  return row && { bootId: table.bootId(), pid, startTime: row.startTime };
}

/** True when that very process runs still: same boot, same start time, not a zombie. */
export function isSameProcess(identity: ProcessIdentity): boolean {
  return attempt(() => table.bootId() === identity.bootId && isStill(identity, table.look())) === true;
}

/**
 * True when the process of that pid and start time is known to run no more: gone, a zombie that nobody has reaped, or its
 * pid is another's. Whoever can't look (out of files) gets false: the living must not be taken for dead.
 */
export function hasEnded(pid: number, isItsStartTime: (startTime: string) => boolean): boolean {
  const row = attempt(() => table.look().row(pid));
  return row !== 'blind' && (row === null || !isLive(row) || !isItsStartTime(row.startTime));
}

export function isAlive(pid: number): boolean {
  const row = rowIfSeen(pid);
  return row !== null && isLive(row);
}

/** Live members of a process group. */
export const groupMembers = (group: number): number[] => membersOf(group, table.look());

/** Live processes that were started with this cookie (or one that starts with it, when it ends in a dot), never ourselves. */
export const pidsWithCookie = (cookie: string): number[] => carriersOf(cookie, table.look());

/** Live children of a process, their children and so on, by parent link. */
export function descendants(pid: number): number[] {
  const rows = table.look().rows().filter(isLive);
  const below = (parent: number): number[] =>
    rows.flatMap((row) => (row.parent === parent ? [row.pid, ...below(row.pid)] : []));
  return below(pid);
}

/** Everything of the family that lives. */
export const familyPids = (family: Family): number[] => livingOf(family, table.look());

/** The same for whoever can wait, which holds up nobody where `ps` has to be asked; [] when the system can't tell now. */
export async function findFamily(family: Family): Promise<number[]> {
  const found = await attemptSoon((now) => livingOf(family, now));
  return found === 'blind' ? [] : found;
}

/** Signals every member of a group. SIGTERM is followed by SIGCONT: a stopped process acts on nothing else but SIGKILL. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  if (group <= 1 || group === process.pid) throw new Error(`not a process group of ours: ${group}`);
  send(-group, signal);
}

/** Signals the groups, and one by one whatever of the family is elsewhere. */
export function signalFamily(family: Family, signal: NodeJS.Signals): void {
  for (const group of family.groups ?? []) signalGroup(group, signal);
  attempt(() => {
    const seen = table.look();
    for (const pid of livingOf({ cookies: family.cookies ?? [], pids: family.pids ?? [] }, seen)) {
      if (!family.groups?.includes(seen.row(pid)?.group ?? pid)) send(pid, signal);
    }
  });
}

export interface WaitOptions {
  /** Milliseconds; default for ever. */
  readonly timeout?: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** Called at every look that finds something alive. */
  readonly onSurvivors?: () => void;
}

const FIRST_LOOK = 10;
const SLOWEST_LOOK = 100;

/** True once nothing of the family lives, false when the time is up or the signal aborts. Looks every 10 to 100 ms. */
export async function untilGone(family: Family, { timeout, signal, onSurvivors }: WaitOptions = {}): Promise<boolean> {
  const start = performance.now();
  // While a process is in exec its environment can't be read for some microseconds: one empty look proves nothing.
  const looksNeeded = family.cookies?.length ? 2 : 1;
  let emptyLooks = 0;
  let pause = FIRST_LOOK;
  // As long as the one that was seen last lives there is no need to look through all processes.
  let witness: ProcessRow | null = null;
  while (!signal?.aborted) {
    const seen = await attemptSoon((now) => (witness && isStill(witness, now) ? witness : survivorOf(family, now)));
    if (seen !== 'blind') witness = seen;
    emptyLooks = seen === null ? emptyLooks + 1 : 0;
    if (emptyLooks === looksNeeded) return true;
    if (seen === null) {
      await delay(2);
      continue;
    }
    if (timeout !== undefined && performance.now() - start >= timeout) return false;
    if (seen !== 'blind') onSurvivors?.();
    await delay(pause, undefined, { ...(signal && { signal }) }).catch(() => undefined);
    pause = Math.min(pause * 1.5, SLOWEST_LOOK);
  }
  return false;
}

export interface EndOptions {
  /** Milliseconds between SIGTERM and SIGKILL; default 2000 (as the MCP Python SDK). 0 kills at once. */
  readonly grace?: number;
}

/** After SIGKILL a process is gone within microseconds, unless the kernel can't let go of it (state D). */
const KILL_TAKES_AT_MOST = 2000;

/**
 * Ends a family: SIGTERM and SIGCONT, grace, SIGKILL to whatever is left or newly forked. Resolves with the pids that
 * outlived even that; [] is the rule. Single pids are signalled only as long as they are the process they were at the call.
 */
export async function endPids(family: Family, { grace = 2000 }: EndOptions = {}): Promise<readonly number[]> {
  const identities = (family.pids ?? []).flatMap((pid) => processIdentity(pid) ?? []);
  const current = (): Family => ({
    ...family,
    pids: identities.filter(isSameProcess).map(({ pid }) => pid),
  });
  let asked = false;
  const ask = () => {
    if (!asked) signalFamily(current(), 'SIGTERM');
    asked = true;
  };
  if (await untilGone(current(), { timeout: grace, onSurvivors: ask })) return [];
  const kill = () => signalFamily(current(), 'SIGKILL');
  return (await untilGone(current(), { timeout: KILL_TAKES_AT_MOST, onSurvivors: kill })) ? [] : familyPids(current());
}

/** Without a free file the system tells nothing (EMFILE): then nobody may be taken for dead. */
function attempt<Seen>(look: () => Seen): Seen | 'blind' {
  try {
    return look();
  } catch (error) {
    if (isExhausted(error)) return 'blind';
    throw error;
  }
}

async function attemptSoon<Seen>(look: (now: Look) => Seen): Promise<Seen | 'blind'> {
  try {
    return look(await table.nextLook());
  } catch (error) {
    if (isExhausted(error)) return 'blind';
    throw error;
  }
}

const isExhausted = (error: unknown) =>
  ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'].includes((error as NodeJS.ErrnoException).code ?? '');

const rowIfSeen = (pid: number): ProcessRow | null => {
  const row = attempt(() => table.look().row(pid));
  return row === 'blind' ? null : row;
};

function membersOf(group: number, seen: Look): number[] {
  // The kernel knows at once that a group is empty; the list is only needed to tell zombies from the living.
  if (!reaches(-group)) return [];
  return seen.rows().flatMap((row) => (row.group === group && isLive(row) ? row.pid : []));
}

function carriersOf(cookie: string, seen: Look): number[] {
  if (cookie === '') throw new Error('an empty cookie would name every process');
  return seen.withEnvironment(`${COOKIE_VARIABLE}=${cookie}`).filter((pid) => pid !== process.pid);
}

function livingOf({ groups = [], cookies = [], pids = [] }: Family, seen: Look): number[] {
  const members = groups.flatMap((group) => membersOf(group, seen));
  const carriers = cookies.flatMap((cookie) => carriersOf(cookie, seen));
  const living = pids.filter((pid) => {
    const row = seen.row(pid);
    return row !== null && isLive(row);
  });
  return [...new Set([...members, ...carriers, ...living])];
}

/** One of the family that lives. Cheapest question first: groups by one system call, environments of all processes last. */
function survivorOf({ groups, cookies, pids }: Family, seen: Look): ProcessRow | null {
  for (const part of [{ groups: groups ?? [] }, { pids: pids ?? [] }, { cookies: cookies ?? [] }]) {
    const found = livingOf(part, seen)
      .map(seen.row)
      .find((row) => row !== null && isLive(row));
    if (found) return found;
  }
  return null;
}

/** It lives, and its pid was not used again. */
function isStill(earlier: Pick<ProcessRow, 'pid' | 'startTime'>, seen: Look): boolean {
  const row = seen.row(earlier.pid);
  return row !== null && isLive(row) && row.startTime === earlier.startTime;
}

const isLive = (row: ProcessRow) => row.state !== 'Z' && row.state !== 'X';

/** Signal 0; also true for a zombie, and for a process that we may not signal. */
function reaches(target: number): boolean {
  try {
    return process.kill(target, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Gone already, or another user's: both are seen by whoever waits for it, not here. */
function send(target: number, signal: NodeJS.Signals): void {
  for (const each of signal === 'SIGTERM' ? ([signal, 'SIGCONT'] as const) : [signal]) {
    try {
      process.kill(target, each);
    } catch (error) {
      if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}
