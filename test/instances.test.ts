import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { PluginOptions, Supervisor } from '../src/options.ts';
import { createStage, eventually, failureOf, linesOf, logOf, puppet, textOf } from './reliability/stage.ts';
import { environmentsOf } from './support/home.ts';
import { isAlive } from './support/leftovers.ts';

const pool = (size: number, more: Partial<PluginOptions> = {}) => puppet('', { instances: { pool: size }, ...more });
const perSession = (options: { max?: number; idle?: number } = {}, more: Partial<PluginOptions> = {}) =>
  puppet('', { instances: { perSession: options }, ...more });

/** What crashed stays so for as long as a test takes. */
const NOT_AGAIN = { minDelay: 600_000, maxDelay: 600_000, immediateAfter: 1e9 };
const call = async (supervisor: Supervisor, tool: string, args: object = {}, session?: string) =>
  textOf(await supervisor.call('p', { tool, arguments: { ...args } }, session === undefined ? {} : { session }));
const pidOf = (supervisor: Supervisor, session?: string) => call(supervisor, 'pid', {}, session);
/** Works until the file is there, and answers with its pid. */
const look = (supervisor: Supervisor, file: string) => call(supervisor, 'look', { file });
const instancesOf = (supervisor: Supervisor) => supervisor.status('p').instances ?? [];
const statesOf = (supervisor: Supervisor) => instancesOf(supervisor).map(({ name, state }) => `${name} ${state}`);
const isUp = (state: string) => state === 'ready' || state === 'idle';
const up = (supervisor: Supervisor, count: number) =>
  eventually(() => instancesOf(supervisor).filter(({ state }) => isUp(state)).length === count);

/** A pool with so many of its members up: that many calls at once, and one that finds them all busy. */
async function fillPool(supervisor: Supervisor, file: string, size: number): Promise<void> {
  await pidOf(supervisor);
  const calls = Array.from({ length: size + 1 }, () => look(supervisor, file));
  await up(supervisor, size);
  await writeFile(file, '');
  await Promise.all(calls);
}

describe('a shared plugin', () => {
  it('has one instance, and a status without a list of them', async () => {
    await using stage = await createStage({ plugins: { p: puppet() } });
    const pids = await Promise.all(['a', 'b', undefined].map((session) => pidOf(stage.supervisor, session)));
    expect(new Set(pids).size).toBe(1);
    expect(stage.supervisor.status('p')).not.toHaveProperty('instances');
  });
});

describe('a pool', () => {
  it('starts one for calls that come one after the other', async () => {
    await using stage = await createStage({ plugins: { p: pool(3) } });
    const pids = [await pidOf(stage.supervisor), await pidOf(stage.supervisor), await pidOf(stage.supervisor)];
    expect(new Set(pids).size).toBe(1);
    expect(statesOf(stage.supervisor)).toEqual(['p ready']);
  });

  it('starts the next one when all are busy, and gives calls to the least busy', async () => {
    await using stage = await createStage({ plugins: { p: pool(2) } });
    const { supervisor, home } = stage;
    const file = join(home.root, 'go');
    const first = await pidOf(supervisor);
    const busy = look(supervisor, file);
    // All of them are: this one is served where it can be, and has the next one started.
    expect(await pidOf(supervisor)).toBe(first);
    await up(supervisor, 2);
    const second = await pidOf(supervisor);
    expect(second).not.toBe(first);
    await writeFile(file, '');
    expect(await busy).toBe(first);
    expect(await pidOf(supervisor)).toBe(first);
  });

  it('has no more than its size, and one install for all of them', async () => {
    await using stage = await createStage({ plugins: { p: pool(3) } });
    const { supervisor, home } = stage;
    const file = join(home.root, 'go');
    await pidOf(supervisor);
    const calls = Array.from({ length: 12 }, () => look(supervisor, file));
    await up(supervisor, 3);
    calls.push(...Array.from({ length: 12 }, () => look(supervisor, file)));
    await writeFile(file, '');
    expect(new Set(await Promise.all(calls)).size).toBe(3);
    expect(statesOf(supervisor)).toEqual(['p ready', 'p#1 ready', 'p#2 ready']);
    expect(await environmentsOf(home)).toHaveLength(1);
    expect(supervisor.metrics()).toMatchObject([{ plugin: 'p', spawns: 3, starts: 3, calls: { ok: 25 } }]);
  });

  it('that is eager is there as a whole', async () => {
    await using stage = await createStage({ plugins: { p: pool(3, { activation: 'eager' }) } });
    await up(stage.supervisor, 3);
  });

  it('lets those that nobody needs stop by themselves, and serves on', async () => {
    await using stage = await createStage({ plugins: { p: pool(2, { idleStop: 100 }) } });
    const { supervisor, home } = stage;
    await fillPool(supervisor, join(home.root, 'go'), 2);
    await eventually(() => statesOf(supervisor).join() === 'p absent,p#1 absent');
    expect(await pidOf(supervisor)).toMatch(/^\d+$/);
  });

  it('answers elsewhere while one has crashed; only what that one worked on fails, with its fate', async () => {
    await using stage = await createStage({
      plugins: { p: pool(2) },
      restartPolicy: NOT_AGAIN,
    });
    const { supervisor, home } = stage;
    await fillPool(supervisor, join(home.root, 'first'), 2);
    const file = join(home.root, 'second');
    // Not to be repeated: nobody knows whether it had its effect.
    const lost = failureOf(supervisor.call('p', { tool: 'never' }));
    const kept = call(supervisor, 'when', { file });
    const [first, second] = instancesOf(supervisor);
    await eventually(() => instancesOf(supervisor).every(({ inFlight }) => inFlight === 1));
    process.kill(first!.pid!, 'SIGKILL');
    expect(await lost).toMatchObject({ code: 'CALL_INTERRUPTED', plugin: 'p', data: { fate: 'sent-unknown' } });
    const pids = await Promise.all([pidOf(supervisor), pidOf(supervisor)]);
    expect(pids).toEqual([`${second!.pid}`, `${second!.pid}`]);
    await writeFile(file, '');
    expect(await kept).toBe('it is there');
    await eventually(() => statesOf(supervisor).join() === 'p crashed,p#1 ready');
    expect(supervisor.status('p')).toMatchObject({ name: 'p', state: 'ready', pid: second!.pid });
  });

  it('repeats on another one what may be repeated', async () => {
    await using stage = await createStage({
      plugins: { p: pool(2) },
      restartPolicy: NOT_AGAIN,
    });
    const { supervisor, home } = stage;
    await fillPool(supervisor, join(home.root, 'first'), 2);
    const file = join(home.root, 'second');
    const repeated = supervisor.request('p', 'tools/call', { name: 'look', arguments: { file } });
    const [first, second] = instancesOf(supervisor);
    await eventually(() => instancesOf(supervisor)[0]!.inFlight === 1);
    process.kill(first!.pid!, 'SIGKILL');
    await eventually(() => instancesOf(supervisor)[1]!.inFlight === 1);
    await writeFile(file, '');
    expect(textOf((await repeated) as never)).toBe(`${second!.pid}`);
  });

  it('passes over one that stops answering', async () => {
    await using stage = await createStage({
      plugins: { p: pool(2) },
      timing: { liveness: 100, healthCheck: 1000, recheck: 600_000 },
    });
    const { supervisor, home } = stage;
    await fillPool(supervisor, join(home.root, 'go'), 2);
    const [first, second] = instancesOf(supervisor);
    expect(await call(supervisor, 'deafen')).toBe('deaf');
    await eventually(() => instancesOf(supervisor)[0]!.failure?.code === 'RUN_UNRESPONSIVE');
    expect(instancesOf(supervisor)[0]!.pid).toBe(first!.pid);
    expect(await pidOf(supervisor)).toBe(`${second!.pid}`);
  });

  it('gives what waits for one in a backoff to another one that comes up first', async () => {
    await using stage = await createStage({
      plugins: { p: pool(2) },
      restartPolicy: NOT_AGAIN,
    });
    const { supervisor, home } = stage;
    await fillPool(supervisor, join(home.root, 'go'), 2);
    for (const { pid } of instancesOf(supervisor)) process.kill(pid!, 'SIGKILL');
    await eventually(() =>
      instancesOf(supervisor).every(({ state, subState }) => state === 'crashed' && subState === 'waiting'),
    );
    const answer = pidOf(supervisor);
    await eventually(() => supervisor.status('p').held === 1);
    const waits = instancesOf(supervisor).find(({ held }) => held === 1)!;
    // As the restart policy would, later: the other one.
    const other = instancesOf(supervisor).find(({ name }) => name !== waits.name)!;
    supervisor.actor.send({ type: 'START', plugin: other.name });
    await up(supervisor, 1);
    expect(await answer).toBe(`${instancesOf(supervisor).find(({ name }) => name === other.name)!.pid}`);
  });

  it('does not try a second one while the first has never worked', async () => {
    await using stage = await createStage({
      plugins: { p: puppet('exit:1', { instances: { pool: 4 } }) },
      restartPolicy: { minDelay: 1, maxDelay: 1 },
    });
    const { supervisor } = stage;
    const failures = await Promise.all(Array.from({ length: 8 }, () => failureOf(pidOf(supervisor))));
    expect(new Set(failures.map(({ code }) => code)).size).toBe(1);
    expect(statesOf(supervisor)).toEqual(['p crashed']);
  });

  it('is restarted one by one, and answers all the while', async () => {
    await using stage = await createStage({ plugins: { p: pool(2) } });
    const { supervisor, home } = stage;
    await fillPool(supervisor, join(home.root, 'go'), 2);
    const before = instancesOf(supervisor).map(({ pid }) => pid);
    const fewest: number[] = [];
    supervisor.on('plugin:state', () => fewest.push(instancesOf(supervisor).filter(({ state }) => isUp(state)).length));
    const restarted = supervisor.restart('p');
    let over = false;
    void restarted.finally(() => {
      over = true;
    });
    while (!over) await pidOf(supervisor);
    await restarted;
    expect(Math.min(...fewest)).toBe(1);
    const after = instancesOf(supervisor).map(({ pid }) => pid);
    expect(after).toHaveLength(2);
    for (const pid of after) expect(before).not.toContain(pid);
  });

  it('grows and shrinks with the configuration; the first one stays', async () => {
    await using stage = await createStage({ plugins: { p: puppet() } });
    const { supervisor, home } = stage;
    const first = await pidOf(supervisor);
    expect(await supervisor.configure({ p: pool(3) })).toMatchObject({ updated: ['p'], restarted: [] });
    await fillPool(supervisor, join(home.root, 'go'), 3);
    const pids = instancesOf(supervisor).map(({ pid }) => pid!);
    await supervisor.configure({ p: pool(2) });
    await eventually(() => instancesOf(supervisor).length === 2);
    await supervisor.configure({ p: puppet() });
    await eventually(async () => !(await isAlive(pids[1]!)) && !(await isAlive(pids[2]!)));
    expect(await pidOf(supervisor)).toBe(first);
    await eventually(() => supervisor.status('p').instances === undefined);
  });

  it('takes another launch as a whole', async () => {
    await using stage = await createStage({ plugins: { p: pool(2) } });
    const { supervisor, home } = stage;
    await fillPool(supervisor, join(home.root, 'go'), 2);
    const changes = await supervisor.configure({ p: pool(2, { env: { WORD: 'new' } }) });
    expect(changes.restarted).toEqual(['p']);
    const environment = JSON.parse(await call(supervisor, 'environment')) as Record<string, string>;
    expect(environment.WORD).toBe('new');
    await eventually(() => instancesOf(supervisor).every(({ generation, state }) => generation === 2 && isUp(state)));
  });

  it('stops and is removed with all that it has', async () => {
    await using stage = await createStage({ plugins: { p: pool(2) } });
    const { supervisor, home } = stage;
    await fillPool(supervisor, join(home.root, 'go'), 2);
    const pids = instancesOf(supervisor).map(({ pid }) => pid!);
    await supervisor.stop('p');
    expect(statesOf(supervisor)).toEqual(['p absent']);
    for (const pid of pids) expect(await isAlive(pid)).toBe(false);
    expect(await failureOf(pidOf(supervisor))).toMatchObject({ code: 'CALL_STOPPED', plugin: 'p' });
    await supervisor.start('p');
    const again = join(home.root, 'again');
    await fillPool(supervisor, again, 2);
    const removed: string[] = [];
    supervisor.on('plugin:removed', ({ plugin }) => removed.push(plugin));
    await supervisor.remove('p');
    expect(removed).toEqual(['p']);
    expect(supervisor.list()).toEqual([]);
    supervisor.add('p', pool(2));
    expect(await pidOf(supervisor)).toMatch(/^\d+$/);
  });

  it('keeps one history, one log and one file', async () => {
    await using stage = await createStage({ plugins: { p: pool(2) } });
    const { supervisor, home } = stage;
    const heard: (string | undefined)[] = [];
    supervisor.on('plugin:ready', ({ plugin, instance }) => heard.push(plugin, instance));
    await fillPool(supervisor, join(home.root, 'go'), 2);
    expect(heard).toEqual(['p', undefined, 'p', 'p#1']);
    const entered = supervisor.history('p').filter(({ state }) => state === 'ready');
    expect(entered.map(({ instance }) => instance)).toEqual([undefined, 'p#1']);
    await supervisor.close();
    const lines = await linesOf(supervisor.logFile('p'));
    expect(lines.some((line) => / state +ready/.test(line))).toBe(true);
    expect(lines.some((line) => / state +\[#1\] ready/.test(line))).toBe(true);
  });
});

describe('an instance for each session', () => {
  it('keeps to itself what it was told', async () => {
    await using stage = await createStage({ plugins: { p: perSession() } });
    const { supervisor } = stage;
    const count = (session?: string) => call(supervisor, 'count', {}, session);
    const [a, b] = await Promise.all([count('a'), count('b')]);
    expect([a, b, await count('a'), await count('b'), await count('a')]).toEqual(['1', '1', '2', '2', '3']);
    // Whoever names no session shares the plugin's first one.
    expect([await count(), await count()]).toEqual(['1', '2']);
    expect(statesOf(supervisor)).toEqual(['p ready', 'p#1 ready', 'p#2 ready']);
  });

  it('serves ten at once, from one install', async () => {
    await using stage = await createStage({ plugins: { p: perSession({ max: 10 }) } });
    const { supervisor, home } = stage;
    const sessions = Array.from({ length: 10 }, (_, index) => `s${index}`);
    const pids = await Promise.all(sessions.map((session) => pidOf(supervisor, session)));
    expect(new Set(pids).size).toBe(10);
    expect(await Promise.all(sessions.map((session) => pidOf(supervisor, session)))).toEqual(pids);
    expect(await environmentsOf(home)).toHaveLength(1);
  });

  it('ends when nobody called for its idle time', async () => {
    await using stage = await createStage({ plugins: { p: perSession({ idle: 50 }) } });
    const { supervisor } = stage;
    const pid = Number(await pidOf(supervisor, 'a'));
    await eventually(() => statesOf(supervisor).join() === 'p absent');
    expect(await isAlive(pid)).toBe(false);
    expect(await call(supervisor, 'count', {}, 'a')).toBe('1');
  });

  it('gives the place of the one that was idle longest to a new session', async () => {
    await using stage = await createStage({ plugins: { p: perSession({ max: 2 }) } });
    const { supervisor } = stage;
    const a = await pidOf(supervisor, 'a');
    const b = await pidOf(supervisor, 'b');
    expect(await call(supervisor, 'count', {}, 'a')).toBe('1');
    const c = await pidOf(supervisor, 'c');
    expect(await isAlive(Number(b))).toBe(false);
    expect(await pidOf(supervisor, 'a')).toBe(a);
    expect(c).not.toBe(b);
    expect(instancesOf(supervisor)).toHaveLength(3);
    expect(await call(supervisor, 'count', {}, 'a')).toBe('2');
  });

  it('refuses a session when each has its work, and takes it afterwards', async () => {
    await using stage = await createStage({ plugins: { p: perSession({ max: 2 }) } });
    const { supervisor, home } = stage;
    const file = join(home.root, 'go');
    const works = ['a', 'b'].map((session) => call(supervisor, 'look', { file }, session));
    await eventually(() => instancesOf(supervisor).filter(({ inFlight }) => inFlight === 1).length === 2);
    const refused = await failureOf(pidOf(supervisor, 'c'));
    expect(refused).toMatchObject({
      code: 'CALL_QUEUE_FULL',
      plugin: 'p',
      retryable: true,
      data: { fate: 'not-sent', max: 2 },
    });
    expect(refused.message).toContain('another session');
    await writeFile(file, '');
    await Promise.all(works);
    expect(await pidOf(supervisor, 'c')).toMatch(/^\d+$/);
  });

  it('keeps one that a link holds', async () => {
    await using stage = await createStage({ plugins: { p: perSession({ max: 1 }) } });
    const { supervisor } = stage;
    const link = await supervisor.open('p', { session: 'a' });
    expect(link).toMatchObject({ plugin: 'p', instance: 'p#1' });
    expect(await failureOf(pidOf(supervisor, 'b'))).toMatchObject({ code: 'CALL_QUEUE_FULL' });
    link.close();
    await expect(link.closed).resolves.toBe(null);
    expect(await pidOf(supervisor, 'b')).toMatch(/^\d+$/);
  });

  it('ends a while after its session, unless that calls again', async () => {
    await using stage = await createStage({ plugins: { p: perSession() } });
    const { supervisor } = stage;
    const a = Number(await pidOf(supervisor, 'a'));
    const b = Number(await pidOf(supervisor, 'b'));
    supervisor.endSession('a', { grace: 200 });
    supervisor.endSession('b', { grace: 0 });
    supervisor.endSession('nobody');
    expect(await pidOf(supervisor, 'a')).toBe(`${a}`);
    await eventually(async () => !(await isAlive(b)));
    await sleep(300);
    expect(await isAlive(a)).toBe(true);
    expect(statesOf(supervisor).map((each) => each.split(' ')[0])).toEqual(['p', 'p#1']);
  });

  it('tells the server what the client of that session can be asked', async () => {
    await using stage = await createStage({ plugins: { p: perSession({ max: 1 }) } });
    const { supervisor } = stage;
    const told = async (session: string, clientCapabilities: Record<string, unknown>) =>
      JSON.parse(textOf(await supervisor.call('p', { tool: 'capabilities' }, { session, clientCapabilities })));
    const capabilities = { sampling: { tools: {} }, elicitation: {}, experimental: { odd: 1 } };
    expect(await told('a', capabilities)).toEqual(capabilities);
    // In its place comes one for a client that can't be asked anything.
    expect(await told('b', { experimental: {} })).toEqual({});
    await supervisor.configure({ p: perSession({ max: 1 }, { interactive: false }) });
    expect(await told('a', capabilities)).toEqual({});
  });

  it('can be asked for by its name, and only through its own plugin', async () => {
    await using stage = await createStage({ plugins: { p: perSession(), q: puppet() } });
    const { supervisor } = stage;
    const own = await pidOf(supervisor, 'a');
    const pid = (instance: string) => supervisor.call('p', { tool: 'pid' }, { instance }).then(textOf);
    expect(await pid('p#1')).toBe(own);
    expect(await pid('p')).not.toBe(own);
    expect(await failureOf(pid('p#7'))).toMatchObject({ code: 'CONFIG_UNKNOWN_PLUGIN' });
    expect(await failureOf(pid('q'))).toMatchObject({ code: 'CONFIG_UNKNOWN_PLUGIN', data: { fate: 'not-sent' } });
    expect(() => supervisor.status('p#1')).toThrow(/There is no plugin 'p#1'/);
  });

  it('comes back after a crash, without what it knew; the others know still', async () => {
    await using stage = await createStage({ plugins: { p: perSession() } });
    const { supervisor } = stage;
    const count = (session: string) => call(supervisor, 'count', {}, session);
    await Promise.all([count('a'), count('b')]);
    expect(await failureOf(call(supervisor, 'exit', { code: 1 }, 'a'))).toMatchObject({ code: 'CALL_INTERRUPTED' });
    expect([await count('a'), await count('b')]).toEqual(['1', '2']);
  });

  it('is nobody’s after a stop', async () => {
    await using stage = await createStage({ plugins: { p: perSession() } });
    const { supervisor } = stage;
    const pid = Number(await pidOf(supervisor, 'a'));
    await supervisor.stop('p');
    expect(await isAlive(pid)).toBe(false);
    expect(await failureOf(pidOf(supervisor, 'a'))).toMatchObject({ code: 'CALL_STOPPED' });
    await supervisor.start('p');
    expect(await pidOf(supervisor, 'a')).not.toBe(`${pid}`);
  });

  it('turns into a shared one with the configuration, and back', async () => {
    await using stage = await createStage({ plugins: { p: perSession() } });
    const { supervisor } = stage;
    const own = Number(await pidOf(supervisor, 'a'));
    await supervisor.configure({ p: puppet() });
    await eventually(async () => !(await isAlive(own)));
    expect(await pidOf(supervisor, 'a')).toBe(await pidOf(supervisor, 'b'));
    await supervisor.configure({ p: perSession() });
    expect(await pidOf(supervisor, 'a')).not.toBe(await pidOf(supervisor, 'b'));
  });

  it('of a manual plugin waits for `start`', async () => {
    await using stage = await createStage({ plugins: { p: perSession({}, { activation: 'manual' }) } });
    const { supervisor } = stage;
    expect(await failureOf(pidOf(supervisor, 'a'))).toMatchObject({ code: 'CALL_STOPPED' });
    await supervisor.start('p');
    expect(await pidOf(supervisor, 'a')).toMatch(/^\d+$/);
  });
});

describe('with the log of the puppets', () => {
  it('every one that started was asked to end', async () => {
    await using stage = await createStage();
    const { supervisor, home } = stage;
    const log = logOf(home);
    supervisor.add('p', perSession({ max: 3 }, { env: { PUPPET_LOG: log } }));
    await Promise.all(['a', 'b', 'c'].map((session) => pidOf(supervisor, session)));
    await supervisor.close();
    const lines = await linesOf(log);
    expect(lines.filter((line) => line.startsWith('start'))).toHaveLength(3);
    expect(lines.filter((line) => line === 'eof')).toHaveLength(3);
  });
});
