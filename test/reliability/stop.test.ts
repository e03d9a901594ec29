/** Stopping that ends: whatever a program does, its group is proven empty, or it is abandoned, named and blocked. */

import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { isAlive } from '../../actors/groups.ts';
import { subState } from '../../machines/states.ts';
import type { Supervisor } from '../../src/options.ts';
import type { PluginSnapshot } from '../../src/status.ts';
import { expectProcessesToEnd, leftoversOf } from '../support/leftovers.ts';
import { createStage, eventually, failureOf, linesOf, logOf, puppet, type Stage, statesOf, textOf } from './stage.ts';

/** Long enough never to expire here. */
const PATIENT = 60_000;
const call = async (supervisor: Supervisor, tool: string, given: Record<string, unknown> = {}) =>
  textOf(await supervisor.call('p', { tool, arguments: given }));
const only = async (stage: Stage, what: string) =>
  (await linesOf(logOf(stage.home))).filter((line) => line.startsWith(what));

/** A puppet `p` in service, whose steps of stopping are written down from now on. */
async function running(mode: string, timing: object = {}, command?: readonly string[]) {
  const stage = await createStage({ timing });
  const { supervisor, home } = stage;
  const more = { ...(command && { command, install: [], build: [] }), env: { PUPPET_LOG: logOf(home) } };
  supervisor.add('p', puppet(mode, more));
  const { pid } = await supervisor.start('p');
  return { stage, supervisor, pid: pid!, steps: stepsOf(supervisor, 'p') };
}

/** The steps of its stopping, each as often as it is entered; that it waits for calls first is left out. */
function stepsOf(supervisor: Supervisor, name: string): string[] {
  const steps: string[] = [];
  const take = (snapshot: PluginSnapshot) => {
    const step = JSON.stringify(snapshot.value).includes('stopping') ? subState(snapshot.value) : null;
    if (step !== null && step !== 'draining' && step !== steps.at(-1)) steps.push(step);
  };
  (supervisor.actor.getSnapshot().children[name] as unknown as { subscribe(take: unknown): void }).subscribe(take);
  return steps;
}

test('R22 exits at the end of its input: no signal is sent', async () => {
  const { stage, supervisor, pid, steps } = await running('', { inputClose: PATIENT });
  await using _ = stage;
  await supervisor.stop('p');
  expect(steps[0]).toBe('closing');
  expect(await linesOf(logOf(stage.home))).toEqual([`start ${pid}`, 'eof']);
  expect(statesOf(supervisor, 'p').slice(-2)).toEqual(['stopping', 'absent']);
});

test('R23 ignores the end of its input, honours TERM: no KILL is needed', async () => {
  const { stage, supervisor, pid, steps } = await running('ignores-eof', { inputClose: 50, terminate: PATIENT });
  await using _ = stage;
  await supervisor.stop('p');
  expect(steps).toEqual(['closing', 'terminating']);
  expect(isAlive(pid)).toBe(false);
});

test('R24 ignores TERM: KILL ends it at the deadline', async () => {
  const { stage, supervisor, pid, steps } = await running('stubborn', { inputClose: 50, terminate: 500 });
  await using _ = stage;
  await supervisor.stop('p');
  expect(steps).toEqual(['closing', 'terminating', 'killing']);
  expect(isAlive(pid)).toBe(false);
  expect(supervisor.status('p')).toMatchObject({ state: 'absent', pid: null, failure: null });
});

test('R25 the leader honours TERM, a grandchild with stdio of its own ignores it: the group is gone', async () => {
  const { stage, supervisor, pid } = await running('ignores-eof', { inputClose: 50, terminate: 1000 });
  await using _ = stage;
  const grandchild = Number(await call(supervisor, 'child', { stubborn: true }));
  const stopped = supervisor.stop('p');
  await eventually(() => !isAlive(pid));
  await stopped;
  expect(isAlive(grandchild)).toBe(false);
});

test.runIf(process.platform === 'linux')('R26 a child in a session of its own is swept by its cookie', async () => {
  const { stage, supervisor } = await running('', { inputClose: PATIENT, terminate: 50 });
  await using _ = stage;
  const escapee = Number(await call(supervisor, 'child', { escaped: true, stubborn: true }));
  await supervisor.stop('p');
  expect(isAlive(escapee)).toBe(false);
});

test.runIf(process.platform === 'linux')('R26 an escaped child is gone before its plugin starts again', async () => {
  const { stage, supervisor } = await running('', { inputClose: PATIENT, terminate: 50 });
  await using _ = stage;
  const escapee = Number(await call(supervisor, 'child', { escaped: true, stubborn: true }));
  const seen: boolean[] = [];
  supervisor.on('plugin:launching', () => seen.push(isAlive(escapee)));
  await supervisor.restart('p');
  expect(seen).toEqual([false]);
});

test('R27 a stopped program gets TERM and CONT, and needs no KILL', async () => {
  const { stage, supervisor, pid, steps } = await running('', { inputClose: 50, terminate: 20_000 });
  await using _ = stage;
  process.kill(pid, 'SIGSTOP');
  await supervisor.stop('p');
  expect(steps).toEqual(['closing', 'terminating']);
});

test('R28 a server behind npm and sh ends with them', async () => {
  const inShells = ['sh', '-c', 'sh -c "node server.js; true"; true'];
  const { stage, supervisor, pid } = await running('ignores-eof', { inputClose: 50, terminate: PATIENT }, inShells);
  await using _ = stage;
  const server = Number(await call(supervisor, 'pid'));
  expect(server).not.toBe(pid);
  await supervisor.stop('p');
  expect([pid, server].filter(isAlive)).toEqual([]);
});

test('R28 a server behind `npm start` ends with it', async () => {
  const { stage, supervisor, pid } = await running('', { inputClose: 50, terminate: PATIENT }, ['npm', 'start']);
  await using _ = stage;
  const server = Number(await call(supervisor, 'pid'));
  expect(server).not.toBe(pid);
  await supervisor.stop('p');
  expect([pid, server].filter(isAlive)).toEqual([]);
});

const openFiles = () => readdirSync('/proc/self/fd').length;

test.runIf(process.platform === 'linux')('R29 a grandchild that holds stdout costs no open file', async () => {
  const { stage, supervisor } = await running('', { inputClose: PATIENT, terminate: 50 });
  await using _ = stage;
  // What is opened once for good (guard, ledger, thread pool) is open after the first round.
  await supervisor.stop('p');
  const before = openFiles();
  for (let round = 0; round < 3; round += 1) {
    await supervisor.start('p');
    const grandchild = Number(await call(supervisor, 'child', { stubborn: true, stdout: true }));
    await supervisor.stop('p');
    expect(isAlive(grandchild)).toBe(false);
  }
  await eventually(() => openFiles() <= before);
});

test('R29 an exit is seen although a grandchild holds stdout, and the pipes are given back at once', async () => {
  const { stage, supervisor } = await running('', { terminate: PATIENT, kill: PATIENT });
  await using _ = stage;
  // It ignores TERM and nothing kills it within this test: only the exit itself can tell of the end.
  const grandchild = Number(await call(supervisor, 'child', { stubborn: true, stdout: true }));
  const withPipes = process.platform === 'linux' ? openFiles() : Number.POSITIVE_INFINITY;
  const exited = await failureOf(call(supervisor, 'exit', { code: 3 }));
  expect(exited).toMatchObject({ code: 'CALL_INTERRUPTED', exit: { code: 3, signal: null } });
  await eventually(() => supervisor.status('p').state === 'stopping');
  expect(supervisor.status('p').pid).toBe(null);
  if (process.platform === 'linux') await eventually(() => openFiles() <= withPipes - 3);
  expect(isAlive(grandchild)).toBe(true);
  process.kill(grandchild, 'SIGKILL');
});

test('R30 what outlives KILL is named and alerted, and blocks a start until it is gone', async () => {
  const quick = { inputClose: 20, terminate: 20, kill: 20, sweep: 700 };
  const { stage, supervisor, pid } = await running('stubborn', quick);
  await using _ = stage;
  const real = process.kill.bind(process);
  // As the kernel does with a program that hangs in it: signals are taken, and nothing happens.
  const kill = vi
    .spyOn(process, 'kill')
    .mockImplementation((target, signal) => (Math.abs(target) === pid && signal !== 0 ? true : real(target, signal)));
  onTestFinished(() => kill.mockRestore());

  const abandoned = { code: 'STOP_ABANDONED', data: { pids: [pid] } };
  expect(await failureOf(supervisor.stop('p'))).toMatchObject(abandoned);
  expect(supervisor.status('p')).toMatchObject({ state: 'crashed', subState: 'parked', failure: abandoned });
  expect(stage.complaints.filter((line) => line.includes('STOP_ABANDONED') && line.includes(String(pid)))).not.toEqual(
    [],
  );
  expect(await failureOf(supervisor.start('p'))).toMatchObject(abandoned);
  expect(await failureOf(call(supervisor, 'pid'))).toMatchObject(abandoned);
  expect(await only(stage, 'start')).toEqual([`start ${pid}`]);

  kill.mockRestore();
  process.kill(pid, 'SIGKILL');
  await eventually(() => !isAlive(pid));
  await supervisor.start('p');
  expect(await call(supervisor, 'pid')).not.toBe(String(pid));
  await supervisor.close();
  // The guard looks once more for what was given up, on its way out.
  await expectProcessesToEnd(stage.home);
});

test('R31 ten stops at once are one sequence', async () => {
  const { stage, supervisor, pid, steps } = await running('stubborn', { inputClose: 50, terminate: 500 });
  await using _ = stage;
  const stops = Array.from({ length: 10 }, () => supervisor.stop('p'));
  await eventually(() => steps.includes('terminating'));
  await Promise.all([...stops, supervisor.stop('p')]);
  expect(steps).toEqual(['closing', 'terminating', 'killing']);
  expect((await only(stage, 'TERM')).length).toBeLessThanOrEqual(1);
  expect(
    statesOf(supervisor, 'p')
      .filter((state) => state === 'stopping' || state === 'absent')
      .slice(-2),
  ).toEqual(['stopping', 'absent']);
  expect(isAlive(pid)).toBe(false);
});

test('R32 a stop during a clone ends git and removes what it fetched', async () => {
  const asked: string[] = [];
  // A host that takes the connection and never answers.
  const server = createServer((socket) => {
    socket.once('data', (bytes) => asked.push(String(bytes).split('\r\n')[0]!)).on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await eventually(() => server.listening);
  const { port } = server.address() as { port: number };
  await using stage = await createStage();
  const { supervisor, home } = stage;
  supervisor.add('p', `http://127.0.0.1:${port}/o/n.git`);
  const start = failureOf(supervisor.start('p'));
  await eventually(() => asked.length > 0);
  expect(supervisor.status('p').state).toBe('cloning');
  await supervisor.stop('p');
  expect(await leftoversOf(home)).toEqual({ processes: [], temporary: [] });
  expect(await start).toMatchObject({ code: 'CALL_STOPPED' });
  expect(supervisor.status('p').state).toBe('absent');
});

test('R32 a stop during an install ends the installer’s whole group', async () => {
  await using stage = await createStage();
  const { supervisor, home } = stage;
  const install = [['sh', '-c', 'trap "" TERM; sleep 300 & echo installing $!; wait; sleep 300']];
  supervisor.add('p', puppet('', { command: ['node', 'server.js'], install, build: [] }));
  const start = failureOf(supervisor.start('p'));
  const line = await eventually(() => supervisor.logs('p').find(({ text }) => text.startsWith('installing')));
  expect(supervisor.status('p').state).toBe('installing');
  await supervisor.stop('p');
  expect(isAlive(Number(line.text.split(' ')[1]))).toBe(false);
  expect(await leftoversOf(home)).toEqual({ processes: [], temporary: [] });
  expect(await readdir(`${home.path}/envs/p`).catch(() => [])).toEqual([]);
  expect(await start).toMatchObject({ code: 'CALL_STOPPED' });
});

test('R32 a stop while it starts ends what was spawned, and rejects who waits', async () => {
  await using stage = await createStage({ timing: { inputClose: 20 } });
  const { supervisor, home } = stage;
  supervisor.add('p', puppet('silent', { env: { PUPPET_LOG: logOf(home) } }));
  const start = failureOf(supervisor.start('p'));
  const [line] = await eventually(async () => (await linesOf(logOf(home))).length > 0 && (await linesOf(logOf(home))));
  await supervisor.stop('p');
  expect(isAlive(Number(line!.split(' ')[1]))).toBe(false);
  expect(await start).toMatchObject({ code: 'CALL_STOPPED' });
});

test('R32 a stop in the queue for a launch spawns nothing', async () => {
  await using stage = await createStage({ slots: { launch: 1 }, timing: { launchSlot: PATIENT, inputClose: 20 } });
  const { supervisor, home } = stage;
  supervisor.add('first', puppet('silent'));
  supervisor.add('p', puppet('', { env: { PUPPET_LOG: logOf(home) } }));
  const first = failureOf(supervisor.start('first'));
  await supervisor.waitFor('first', 'probing');
  const start = failureOf(supervisor.start('p'));
  await supervisor.waitFor('p', 'launching');
  await supervisor.stop('p');
  await supervisor.stop('first');
  expect([(await start).code, (await first).code]).toEqual(['CALL_STOPPED', 'CALL_STOPPED']);
  expect(await linesOf(logOf(home))).toEqual([]);
});

test('R33 a call that arrives while it stops waits for the end and then starts it', async () => {
  await using stage = await createStage({ timing: { inputClose: PATIENT } });
  const { supervisor } = stage;
  supervisor.add('p', puppet('', { idleStop: 20 }));
  const { pid } = await supervisor.start('p');
  // It does not see the end of its input, so its stopping lasts until this test ends it.
  process.kill(pid!, 'SIGSTOP');
  await supervisor.waitFor('p', 'stopping');
  const answer = call(supervisor, 'pid');
  expect(supervisor.status('p')).toMatchObject({ state: 'stopping', held: 1 });
  process.kill(pid!, 'SIGKILL');
  expect(await answer).not.toBe(String(pid));
  expect(supervisor.status('p')).toMatchObject({ generation: 2, failure: null });
  expect(statesOf(supervisor, 'p')).not.toContain('crashed');
});

test('R35 a call in flight blocks the idle stop, and so does an open link', async () => {
  await using stage = await createStage();
  const { supervisor } = stage;
  supervisor.add('p', puppet('', { idleStop: 50 }));
  supervisor.add('clock', puppet('', { idleStop: 50 }));
  /** As long as it takes until another plugin, called later, is stopped because nobody calls it. */
  const aWhile = async () => {
    await supervisor.tools('clock');
    await supervisor.waitFor('clock', 'stopping');
  };
  await supervisor.start('p');
  const abort = new AbortController();
  const never = failureOf(supervisor.call('p', { tool: 'never' }, { signal: abort.signal }));
  await aWhile();
  expect(supervisor.status('p')).toMatchObject({ state: 'ready', generation: 1, inFlight: 1 });
  const link = await supervisor.open('p');
  abort.abort();
  expect(await never).toMatchObject({ code: 'CALL_CANCELLED' });
  await aWhile();
  expect(supervisor.status('p')).toMatchObject({ state: 'ready', generation: 1, inFlight: 0 });
  expect(statesOf(supervisor, 'p')).not.toContain('idle');
  link.close();
  await supervisor.waitFor('p', 'absent');
  expect(statesOf(supervisor, 'p').slice(-3)).toEqual(['idle', 'stopping', 'absent']);
});

test('R36 a removal rejects every call that waits, once, and the plugin is forgotten', async () => {
  await using stage = await createStage({ timing: { inputClose: 20 } });
  const { supervisor } = stage;
  supervisor.add('p', puppet('silent'));
  const settled: string[] = [];
  const calls = Array.from({ length: 5 }, async () => {
    const error = await failureOf(call(supervisor, 'echo'));
    settled.push(error.code);
    expect(error.data).toMatchObject({ fate: 'not-sent' });
  });
  await eventually(() => supervisor.status('p').state === 'probing');
  expect(supervisor.status('p').held).toBe(5);
  await supervisor.remove('p');
  await Promise.all(calls);
  expect(settled).toEqual(Array.from({ length: 5 }, () => 'CALL_STOPPED'));
  expect(supervisor.list()).toEqual([]);
  expect(await failureOf(call(supervisor, 'echo'))).toMatchObject({ code: 'CONFIG_UNKNOWN_PLUGIN' });
});

test('R37 an answer that is written just before the exit is delivered', async () => {
  const { stage, supervisor } = await running('');
  await using _ = stage;
  // More than a pipe holds: its end is still in the pipe when the program is gone.
  expect(await call(supervisor, 'goodbye', { bytes: 200_000 })).toHaveLength(200_000);
  await supervisor.waitFor('p', 'stopping');
});

test('R37 a stop waits for the answers to calls in flight', async () => {
  const { stage, supervisor } = await running('', { drain: PATIENT, inputClose: 20, terminate: PATIENT });
  await using _ = stage;
  const answer = call(supervisor, 'slow', { ms: 500 });
  await eventually(() => supervisor.status('p').inFlight === 1);
  const stopped = supervisor.stop('p');
  expect(await answer).toBe('slept');
  await stopped;
});
