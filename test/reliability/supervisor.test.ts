/** A supervisor that may die, stand still, or not be alone on its home. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { descendants, endPids, groupMembers, isAlive, processIdentity } from '../../actors/groups.ts';
import { createStore } from '../../actors/store/create-store.ts';
import type { PluginOptions } from '../../src/options.ts';
import { createSupervisor } from '../../src/supervisor.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft, expectProcessesToEnd } from '../support/leftovers.ts';
import { bundleProgram, type Program, startProgram } from '../support/program.ts';
import type { Orders } from './programs/supervise.ts';
import { createStage, eventually, linesOf, logOf, puppet, statesOf, textOf } from './stage.ts';

let supervise: string;
let daemon: string;
let outOfFiles: string;

beforeAll(async () => {
  [supervise, daemon, outOfFiles] = await Promise.all([
    bundleProgram('reliability/programs/supervise.ts'),
    bundleProgram('reliability/programs/daemon.ts'),
    bundleProgram('reliability/programs/out-of-files.ts'),
  ]);
});

/** Killed when the test is over; its guard does the rest. */
function start(path: string, home: TestHome, argument: string): Program {
  const program = startProgram(path, [argument], { ...home.env });
  onTestFinished(async () => {
    program.child.kill('SIGKILL');
    await program.output;
  });
  return program;
}

const startSupervisor = (home: TestHome, orders: Orders) => start(supervise, home, JSON.stringify(orders));

const puppets = (count: number, home: TestHome, more: Partial<PluginOptions> = {}) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`p${at}`, loggedPuppet(home, `p${at}`, more)]));

const loggedPuppet = (home: TestHome, name: string, more: Partial<PluginOptions> = {}, mode = '') =>
  puppet(mode, { ...more, env: { PUPPET_LOG: logOf(home, name) } });

async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  child.kill(signal);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** What it said behind that word, as JSON. */
async function saidBehind<T>(program: Program, word: string): Promise<T> {
  await eventually(() => {
    if (program.child.exitCode !== null) throw new Error(`it has ended: ${program.soFar()}`);
    return program.soFar().includes(`>${word} `) && program.soFar().endsWith('\n');
  });
  const said =
    program
      .soFar()
      .split('\n')
      .find((each) => each.startsWith(`>${word} `)) ?? '';
  return JSON.parse(said.slice(word.length + 2)) as T;
}

describe('a supervisor is killed with twenty plugins, their children and escapees', () => {
  /** 20 servers with 3 processes each, all alive. */
  async function startTwenty(home: TestHome) {
    const program = startSupervisor(home, { options: { plugins: puppets(20, home) }, families: true });
    const pids = await saidBehind<number[]>(program, 'ready');
    expect(pids.filter(isAlive)).toHaveLength(80);
    return { program, pids };
  }

  test('R52 its guard ends all of them', async () => {
    await using home = await createHome();
    const { program, pids } = await startTwenty(home);
    await kill(program.child);
    await expectProcessesToEnd(home);
    expect(pids.filter(isAlive)).toEqual([]);
    await createStore({ home: home.path }).ledger.reap();
    expect(await readdir(join(home.path, 'ledger'))).toEqual([]);
    await expectNothingLeft(home);
  });

  test('R52 its guard was killed too: the next start ends them before it spawns, and nobody else', async () => {
    await using home = await createHome();
    const { program, pids } = await startTwenty(home);
    await killWithGuard(program.child);
    // Orphans all of them: servers whose input has ended leave by themselves, their children don't.
    expect(pids.filter(isAlive).length).toBeGreaterThanOrEqual(40);

    const bystander = await startBystander();
    const [owner = ''] = await readdir(join(home.path, 'ledger'));
    const { bootId, startTime } = processIdentity(bystander.pid)!;
    const forged = [
      // Its pid was used again.
      { bootId, pid: bystander.pid, startTime: '1' },
      // Its start time fits, but that was before the last boot.
      { bootId: '00000000-0000-0000-0000-000000000000', pid: bystander.pid, startTime },
      // Its number is that of a group whose leader is gone, and which is not ours.
      { bootId, pid: bystander.group, startTime: '1' },
    ];
    for (const [at, leader] of forged.entries()) {
      const cookie = `0000000000.1-1.0000000000.1.forged${at}`;
      const entry = { plugin: 'forged', generation: 1, cookie, leader };
      await writeFile(join(home.path, 'ledger', owner, `${cookie}.json`), JSON.stringify(entry));
    }

    // Installed already: nothing but the reaping lies between its start and its spawn.
    await using supervisor = createSupervisor({ home: home.path, env: home.env, plugins: puppets(1, home) });
    const seenAtSpawn: number[] = [];
    supervisor.on('plugin:launching', () => seenAtSpawn.push(...pids.filter(isAlive)));
    await supervisor.start('p0');
    expect(statesOf(supervisor, 'p0').slice(0, 2)).toEqual(['absent', 'launching']);
    expect(seenAtSpawn).toEqual([]);
    expect(isAlive(bystander.pid)).toBe(true);
    expect(groupMembers(bystander.group)).toHaveLength(1);
    await supervisor.close();
    await expectNothingLeft(home);
  });

  test('R52 nobody has waited for the killed one: a zombie is no living owner', async () => {
    await using home = await createHome();
    const orders: Orders = { options: { plugins: puppets(1, home) }, families: true };
    // Its parent never reaps it, as a first process of a container may not.
    const script = '"$@" & echo "$!" > "$PID_FILE"; exec sleep 300';
    const pidFile = join(home.root, 'pid');
    const parent = spawn('/bin/sh', ['-c', script, 'sh', process.execPath, supervise, JSON.stringify(orders)], {
      env: { ...home.env, PID_FILE: pidFile },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => kill(parent));
    let said = '';
    parent.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await eventually(() => said.includes('>ready'));
    const pid = Number(await readFile(pidFile, 'utf8'));
    process.kill(pid, 'SIGSTOP');
    for (const guard of guardsOf(pid)) process.kill(guard, 'SIGKILL');
    process.kill(pid, 'SIGKILL');
    await eventually(() => !isAlive(pid));
    expect(processIdentity(pid), 'it is a zombie').not.toBe(null);

    const ended = await createStore({ home: home.path }).ledger.reap();
    expect(ended.length).toBeGreaterThanOrEqual(2);
    await kill(parent);
    await expectNothingLeft(home);
  });
});

/** Stopped first, or it would start another guard. */
async function killWithGuard(supervisor: ChildProcess): Promise<void> {
  supervisor.kill('SIGSTOP');
  const guards = guardsOf(supervisor.pid!);
  expect(guards).toHaveLength(1);
  for (const pid of guards) process.kill(pid, 'SIGKILL');
  await kill(supervisor);
}

const guardsOf = (supervisor: number) =>
  descendants(supervisor).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('mcp-supervisor-guard');
    } catch {
      return false; // ended meanwhile
    }
  });

/** Somebody else's: a process, and a group whose leader has gone. */
async function startBystander(): Promise<{ readonly pid: number; readonly group: number }> {
  const single = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  const leader = spawn('/bin/sh', ['-c', 'sleep 300 & exit 0'], { detached: true, stdio: 'ignore' });
  onTestFinished(async () => {
    await endPids({ groups: [leader.pid!], pids: [single.pid!] }, { grace: 0 });
  });
  await once(leader, 'exit');
  return { pid: single.pid!, group: leader.pid! };
}

describe('one daemon per home', () => {
  test('R53 the second is told who holds it and since when; the kernel frees it when the first is killed', async () => {
    await using home = await createHome();
    const first = start(daemon, home, home.path);
    const holder = await saidBehind<{ pid: number; since: string }>(first, 'claimed');
    expect(holder).toMatchObject({ pid: first.child.pid, version: '1.2.3' });
    const file = join(home.path, 'daemon.lock');
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(holder);
    expect((await stat(file)).mode & 0o777).toBe(0o600);

    const second = start(daemon, home, home.path);
    const refusal = await saidBehind<{ message: string; data: object }>(second, 'refused');
    expect(refusal).toMatchObject({ code: 'HOME_DAEMON_RUNNING', retryable: false, data: holder });
    expect(refusal.message).toContain(`process ${holder.pid}, since ${holder.since}`);

    await kill(first.child);
    expect(JSON.parse(await readFile(file, 'utf8')), 'a dead holder’s file').toEqual(holder);
    const third = start(daemon, home, home.path);
    expect(await saidBehind(third, 'claimed')).toMatchObject({ pid: third.child.pid });
    third.child.kill('SIGTERM');
    await third.said('>released');
    const fourth = start(daemon, home, home.path);
    expect(await saidBehind(fourth, 'claimed')).toMatchObject({ pid: fourth.child.pid });
  });

  test('R53 of three that race for it exactly one wins', async () => {
    await using home = await createHome();
    const racers = [1, 2, 3].map(() => start(daemon, home, home.path));
    await Promise.all(racers.map((racer) => racer.said('\n')));
    const winners = racers.filter((racer) => racer.soFar().startsWith('>claimed'));
    expect(winners).toHaveLength(1);
    for (const racer of racers) {
      if (racer === winners[0]) continue;
      expect(await saidBehind(racer, 'refused')).toMatchObject({ data: { pid: winners[0]?.child.pid } });
    }
  });

  test('R53 a lock file of a dead one, torn or replaced by a folder is no claim', async () => {
    await using home = await createHome();
    const store = createStore({ home: home.path });
    await store.open();
    const file = join(home.path, 'daemon.lock');
    await writeFile(file, '{"pid":1,"sin');
    (await store.claimDaemon({ version: '1' })).release();
    await rm(file);
    await mkdir(file);
    const claim = await store.claimDaemon({ version: '1' });
    expect(claim.holder.pid).toBe(process.pid);
    claim.release();
    claim.release();
  });

  test('R53 embedded supervisors need no claim: two share one install, and neither sweeps what is the other’s', async () => {
    await using home = await createHome();
    const marks = join(home.root, 'installs');
    // Takes a while, so that the other one comes to it meanwhile.
    const plugin = puppet('', { install: [['sh', '-c', `echo installed >> ${marks}; sleep 1`]] });
    const timing = { inputClose: 100, terminate: 100 };
    const orders: Orders = { options: { plugins: { shared: plugin }, timing }, families: true };
    await using claim = claimOf(await createStore({ home: home.path }).claimDaemon({ version: '1' }));
    expect(claim).toBeDefined();
    const [one, two] = [startSupervisor(home, orders), startSupervisor(home, orders)];
    const [ofOne, ofTwo] = await Promise.all([one, two].map((each) => saidBehind<number[]>(each, 'ready')));
    expect(await linesOf(marks)).toEqual(['installed']);
    expect([...ofOne!, ...ofTwo!].filter(isAlive)).toHaveLength(8);

    await killWithGuard(one.child);
    const three = startSupervisor(home, orders);
    const ofThree = await saidBehind<number[]>(three, 'ready');
    expect(ofOne!.filter(isAlive)).toEqual([]);
    expect(ofTwo!.filter(isAlive)).toEqual(ofTwo);
    two.child.kill('SIGTERM');
    await two.output;
    expect(ofTwo!.filter(isAlive)).toEqual([]);
    expect(ofThree.filter(isAlive)).toEqual(ofThree);
    expect(await linesOf(marks)).toEqual(['installed']);
    three.child.kill('SIGTERM');
    await three.output;
    expect(await readdir(join(home.path, 'ledger'))).toEqual([]);
    await expectNothingLeft(home);
  });
});

const claimOf = (claim: { release(): void }) => ({ [Symbol.asyncDispose]: async () => claim.release() });

describe('SIGTERM to a program with plugins', () => {
  const events = (program: Program, state: string) =>
    program
      .soFar()
      .split('\n')
      .flatMap((line) => (line.includes(` ${state} `) ? line.split(' ')[0]! : []));

  test('R54 begins the stops in reverse order of the starts', async () => {
    await using home = await createHome();
    const program = startSupervisor(home, { options: { plugins: puppets(5, home), slots: { launch: 1 } } });
    await program.said('>ready ');
    const starts = events(program, 'launching');
    expect(starts).toHaveLength(5);
    program.child.kill('SIGTERM');
    await program.output;
    expect(program.child.exitCode).toBe(0);
    expect(events(program, 'stopping')).toEqual(starts.toReversed());
    for (const name of starts) expect((await linesOf(logOf(home, name))).slice(1)).toEqual(['eof']);
    await expectNothingLeft(home);
  });

  test('R54 a second one kills at once what takes its time', async () => {
    await using home = await createHome();
    const stubborn = { a: loggedPuppet(home, 'a', {}, 'stubborn'), b: loggedPuppet(home, 'b', {}, 'stubborn') };
    const long = 600_000;
    const timing = { drain: long, inputClose: 1, terminate: long, kill: long, close: long };
    const program = startSupervisor(home, { options: { plugins: stubborn, timing } });
    const pids = await saidBehind<number[]>(program, 'ready');
    program.child.kill('SIGTERM');
    for (const name of ['a', 'b']) await eventually(async () => (await linesOf(logOf(home, name))).includes('TERM'));
    expect(pids.filter(isAlive)).toHaveLength(2);
    program.child.kill('SIGTERM');
    await program.output;
    expect(program.child.exitCode).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    await expectNothingLeft(home);
  });

  test('R54 the total deadline ends what one plugin’s own times would not', async () => {
    const long = 600_000;
    const timing = { drain: long, inputClose: long, terminate: long, kill: long, close: 300 };
    await using stage = await createStage({ timing, plugins: { deaf: puppet('ignores-eof') } });
    await stage.supervisor.start('deaf');
    await stage.supervisor.close();
    expect(statesOf(stage.supervisor, 'deaf').slice(-2)).toEqual(['stopping', 'absent']);
  });
});

describe('a supervisor that stood still', () => {
  test('R61 stopped for longer than a call may take: the answer in the pipe counts, and nothing is killed', async () => {
    await using home = await createHome();
    const file = join(home.root, 'file');
    const timeout = 2000;
    const timing = { liveness: 100, healthCheck: timeout };
    const options = { plugins: { p: loggedPuppet(home, 'p') }, timing };
    const program = startSupervisor(home, { options, when: { file, timeout } });
    await program.said('>asked');
    const asked = performance.now();
    const log = () => linesOf(logOf(home, 'p'));
    await eventually(async () => (await log()).includes('call when'));
    program.child.kill('SIGSTOP');
    await writeFile(file, '');
    await eventually(async () => (await log()).includes('answered'));
    await delay(asked + timeout + 200 - performance.now());
    expect(program.soFar()).not.toContain('refused');
    program.child.kill('SIGCONT');
    await program.said('>answered 1');
    await delay(100);
    expect(program.soFar()).not.toMatch(/refused|crashed|stopping/);
  });

  test('R61 stopped for longer than a start may take: what was ready meanwhile is not killed', async () => {
    await using home = await createHome();
    const start = 1500;
    const options = { plugins: { p: loggedPuppet(home, 'p', {}, 'slow:300') }, timing: { start } };
    const program = startSupervisor(home, { options });
    await eventually(async () => (await linesOf(logOf(home, 'p'))).length > 0);
    program.child.kill('SIGSTOP');
    await delay(start + 200);
    program.child.kill('SIGCONT');
    await program.said('>ready ');
    expect(program.soFar()).not.toMatch(/crashed|stopping/);
  });

  test('R65 a host that blocks the event loop for longer than a call may take: its answer counts, nothing is killed', async () => {
    const timeout = 1500;
    await using stage = await createStage({ timing: { liveness: 50, healthCheck: timeout } });
    const { supervisor, home } = stage;
    supervisor.add('p', loggedPuppet(home, 'p'));
    await supervisor.start('p');
    const file = join(home.root, 'file');
    const answer = supervisor.call('p', { tool: 'when', arguments: { file } }, { timeout });
    await eventually(async () => (await linesOf(logOf(home, 'p'))).includes('call when'));
    await writeFile(file, '');
    const until = performance.now() + timeout + 500;
    while (performance.now() < until || !readFileSync(logOf(home, 'p'), 'utf8').includes('answered'));
    expect(textOf(await answer)).toBe('it is there');
    expect(await supervisor.call('p', { tool: 'echo', arguments: { message: 'well' } })).toBeDefined();
    expect(statesOf(supervisor, 'p')).not.toContain('stopping');
    expect(supervisor.status('p')).toMatchObject({ generation: 1, failure: null });
  });

  test('R65 what was not answered meanwhile times out all the same', async () => {
    await using stage = await createStage({ plugins: { p: puppet() } });
    await stage.supervisor.start('p');
    const answer = stage.supervisor.call('p', { tool: 'never' }, { timeout: 50 });
    answer.catch(() => {});
    await eventually(() => stage.supervisor.status('p').inFlight === 1);
    const until = performance.now() + 300;
    while (performance.now() < until);
    await expect(answer).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
  });
});

test.each(['0', '3', '6'])(
  'R58 with %s files left a start fails for now, and is made up for when there are more',
  async (left) => {
    await using home = await createHome();
    const puppetFolder = puppet().source;
    const line = `ulimit -n 100; exec "${process.execPath}" "${outOfFiles}" "${home.path}" ${left} "${puppetFolder}"`;
    const child = spawn('/bin/sh', ['-c', line], { env: home.env, stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => kill(child));
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await once(child, 'close');
    const failure = { subState: 'waiting', retryable: true };
    expect(JSON.parse(output)).toMatchObject({ failed: [failure, failure], echo: 'well', busy: 1 });
    await expectNothingLeft(home);
  },
);
