import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { createProcTable } from '../../actors/groups/proc-table.ts';
import { createPsTable } from '../../actors/groups/ps-table.ts';
import {
  COOKIE_VARIABLE,
  descendants,
  endPids,
  familyPids,
  findsEscapees,
  groupMembers,
  isAlive,
  isSameProcess,
  pidsWithCookie,
  processIdentity,
  signalGroup,
  untilGone,
} from '../../actors/groups.ts';
import { bundleProgram } from '../support/program.ts';
import { programs } from './process-harness.ts';

const children: ChildProcess[] = [];
afterEach(async () => {
  const groups = children.splice(0).map((child) => child.pid!);
  await endPids({ groups }, { grace: 0 });
});

/** In its own group, as everything is that we start; resolves when it printed a line. */
async function start(program: string, args: readonly string[], cookie = 'none.'): Promise<number> {
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, [COOKIE_VARIABLE]: cookie },
  });
  children.push(child);
  await new Promise((resolve) => {
    child.stdout.once('data', resolve);
    child.stderr.once('data', resolve);
  });
  return child.pid!;
}
const shell = (script: string, cookie?: string) => start('sh', ['-c', script], cookie);

const linux = process.platform === 'linux';

it('takes nobody for dead when the system has no file left to tell by', async () => {
  const program = await bundleProgram('actors/programs/out-of-files.ts');
  const limited = ['-c', 'ulimit -n 64; exec "$0" "$1"', process.execPath, program];
  const { stdout } = await promisify(execFile)('sh', limited);
  expect(JSON.parse(stdout)).toEqual({ whenBlind: false, whenSeeing: true });
});

describe('identity', () => {
  it('is the same as long as the process lives, and of nobody afterwards', async () => {
    const pid = await shell('echo ready; exec sleep 300');
    const identity = processIdentity(pid)!;
    expect(identity.pid).toBe(pid);
    expect(isSameProcess(identity)).toBe(true);
    await endPids({ groups: [pid] });
    expect(isSameProcess(identity)).toBe(false);
  });

  it('tells a process from an earlier one with its pid, and from one of another boot', async () => {
    const identity = processIdentity(process.pid)!;
    expect(isSameProcess({ ...identity, startTime: '1' })).toBe(false);
    expect(isSameProcess({ ...identity, bootId: 'another' })).toBe(false);
    expect(isSameProcess(identity)).toBe(true);
  });

  it('is null where there is no process', () => {
    expect(processIdentity(2 ** 30)).toBe(null);
    expect(isAlive(2 ** 30)).toBe(false);
  });

  it.runIf(linux)('is read right whatever the program calls itself', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcps-'));
    await copyFile('/bin/sleep', join(folder, 'x) Z 1 (1'));
    const pid = await shell(`echo ready; exec '${folder}/x) Z 1 (1' 300`);
    await expect
      .poll(() => createProcTable().look().row(pid))
      .toMatchObject({ pid, parent: process.pid, group: pid, state: 'S' });
    await rm(folder, { recursive: true });
  });
});

describe('a group', () => {
  it('has members that live, but no zombies', async () => {
    // sh starts a child that ends and becomes a sleep that never waits for it: a zombie stays.
    const leader = await shell('sh -c "echo $$; exit" & exec sleep 300');
    await expect.poll(() => groupMembers(leader)).toEqual([leader]);
  });

  it('without its leader is a group still', async () => {
    const leader = await shell('sleep 300 & echo ready');
    await expect.poll(() => isAlive(leader)).toBe(false);
    expect(groupMembers(leader).length).toBe(1);
    signalGroup(leader, 'SIGTERM');
    expect(await untilGone({ groups: [leader] }, { timeout: 10_000 })).toBe(true);
  });

  it('that never was is empty, and signalling it is harmless', () => {
    expect(groupMembers(2 ** 30)).toEqual([]);
    signalGroup(2 ** 30, 'SIGKILL');
  });

  it('must be one of ours', () => {
    for (const group of [-1, 0, 1, process.pid])
      expect(() => signalGroup(group, 'SIGTERM')).toThrow('not a process group');
  });
});

it('descendants are followed over generations', async () => {
  const leader = await shell('sh -c "sleep 300 & echo ready; wait" & wait');
  expect(descendants(leader).length).toBe(2);
  expect(descendants(process.pid)).toEqual(expect.arrayContaining(descendants(leader)));
});

describe.runIf(findsEscapees())('a cookie', () => {
  it('finds its processes whole, or by a start that ends in a dot', async () => {
    const first = await shell('echo ready; exec sleep 300', 'groups-test.a.1');
    const second = await shell('echo ready; exec sleep 300', 'groups-test.a.12');
    expect(pidsWithCookie('groups-test.a.1')).toEqual([first]);
    expect(pidsWithCookie('groups-test.a.').sort()).toEqual([first, second].sort());
    expect(pidsWithCookie('groups-test.a')).toEqual([]);
    expect(pidsWithCookie('test.a.1')).toEqual([]);
  });

  it('that is empty names nobody', () => {
    expect(() => pidsWithCookie('')).toThrow('every process');
  });
});

describe('ending', () => {
  it('takes SIGTERM where that is enough, also for a stopped process', async () => {
    const leader = await start('sh', [join(programs, 'stops-itself.sh')]);
    await expect.poll(() => createPsTable().look().row(leader)?.state).toBe('T');
    expect(await endPids({ groups: [leader] }, { grace: 60_000 })).toEqual([]);
    expect(groupMembers(leader)).toEqual([]);
  });

  it('takes SIGKILL for a grandchild that ignores SIGTERM', async () => {
    const leader = await start('sh', [join(programs, 'grandchild-ignores-term.sh')]);
    expect(await endPids({ groups: [leader] }, { grace: 100 })).toEqual([]);
    expect(groupMembers(leader)).toEqual([]);
  });

  it.runIf(findsEscapees())('reaches what left the group', async () => {
    const cookie = 'groups-test.b.1';
    const leader = await start(process.execPath, [join(programs, 'setsid-escapee.mjs')], cookie);
    expect(familyPids({ cookies: [cookie] }).length).toBeGreaterThan(1);
    expect(await endPids({ groups: [leader], cookies: [cookie] }, { grace: 100 })).toEqual([]);
    expect(pidsWithCookie(cookie)).toEqual([]);
  });

  it('of a single pid spares the rest of its group', async () => {
    const leader = await shell('sleep 300 & echo ready; wait; exec sleep 300');
    const [child] = descendants(leader);
    expect(await endPids({ pids: [child!] })).toEqual([]);
    expect(isAlive(leader)).toBe(true);
  });

  it('of nothing is done at once', async () => {
    expect(await endPids({})).toEqual([]);
    expect(await endPids({ groups: [2 ** 30], cookies: ['groups-test.none.'], pids: [2 ** 30] })).toEqual([]);
  });

  it('is not waited for after an abort', async () => {
    const leader = await shell('echo ready; exec sleep 300');
    const abort = new AbortController();
    const gone = untilGone({ groups: [leader] }, { signal: abort.signal });
    abort.abort();
    expect(await gone).toBe(false);
    expect(isAlive(leader)).toBe(true);
  });
});

describe('the portable twin', () => {
  const table = createPsTable();

  it('lists processes as the system itself does', async () => {
    const pid = await shell('echo ready; exec sleep 300');
    expect(table.look().row(pid)).toMatchObject({ pid, parent: process.pid, group: pid });
    expect(
      table
        .look()
        .rows()
        .find((row) => row.pid === pid),
    ).toMatchObject({ pid, group: pid });
    expect(table.look().row(2 ** 22)).toBe(null);
    expect(table.look().row(pid)?.startTime).toBe(createPsTable().look().row(pid)?.startTime);
    expect((await table.nextLook()).row(pid)).toMatchObject({ pid, parent: process.pid, group: pid, state: 'S' });
  });

  it('sees in its next look what is new since an earlier one began', async () => {
    const earlier = table.nextLook();
    const pid = await shell('echo ready; exec sleep 300');
    const [first, second] = await Promise.all([table.nextLook(), table.nextLook()]);
    expect(first.row(pid)?.pid).toBe(pid);
    expect(second).toBe(first);
    await earlier;
  });

  it('shares one listing among all who wait, and goes on after one that failed', async () => {
    const path = process.env.PATH;
    process.env.PATH = '/nowhere';
    const folder = await mkdtemp(join(tmpdir(), 'mcps-'));
    await writeFile(join(folder, 'ps'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    process.env.PATH = folder;
    const failing = [table.nextLook(), table.nextLook()];
    process.env.PATH = path;
    expect((await Promise.allSettled(failing)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect((await table.nextLook()).row(process.pid)?.pid).toBe(process.pid);
    await rm(folder, { recursive: true });
  });

  it.runIf(linux)('tells an environment from a command that only mentions the cookie', async () => {
    const entry = `${COOKIE_VARIABLE}=groups-test.c.1`;
    const carrier = await shell('echo ready; exec sleep 300', 'groups-test.c.1');
    const mention = await shell(`echo ready; : ${entry} ; sleep 300; :`);
    expect(table.look().withEnvironment(entry)).toEqual([carrier]);
    expect(isAlive(mention)).toBe(true);
    expect(table.look().withEnvironment(`${COOKIE_VARIABLE}=groups-test.c.`)).toEqual([carrier]);
    expect(table.look().withEnvironment(`${COOKIE_VARIABLE}=groups-test.c`)).toEqual([]);
  });
});
