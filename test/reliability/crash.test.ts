/** Crashing: restarts, backoff, parking, and what becomes of the calls. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createFailure } from '../../machines/failure.ts';
import { defaultRestartPolicy } from '../../machines/policy.ts';
import type { Supervisor, ToolCall } from '../../src/options.ts';
import { createHarness, type Harness, type HarnessOptions } from '../../src/testing/harness.ts';
import { createStage, eventually, failureOf, linesOf, logOf, puppet, statesOf, textOf } from './stage.ts';

const echo = (message: string) => ({ tool: 'echo', arguments: { message } });
const pid: ToolCall = { tool: 'pid' };
/** What the supervisor machine has counted against a plugin. */
const historyOf = ({ actor }: { readonly actor: Harness['actor'] | Supervisor['actor'] }, name: string) =>
  actor.getSnapshot().context.plugins[name]!.history;
const count = (supervisor: Supervisor, name: string, state: string) =>
  statesOf(supervisor, name).filter((each) => each === state).length;
/** Restarts follow each other at once, for ever. */
const relentless = { minDelay: 1, maxDelay: 1, maxFailedStarts: 1e9, maxCrashes: 1e9 };
const HOUR = 3_600_000;

// ---- the machines on a clock that stands still ----

function started(options: HarnessOptions = {}, spec = {}): Harness {
  const harness = createHarness(options);
  harness.add('p', spec);
  harness.send({ type: 'START', plugin: 'p' });
  return harness;
}

async function failStart(harness: Harness): Promise<void> {
  await harness.walk('p', 'probing');
  harness.plugin('p').process.exit(1);
  harness.plugin('p').process.empty();
  await harness.settle();
}

async function crashReady(harness: Harness, after: number): Promise<void> {
  await harness.walk('p', 'ready');
  await harness.advance(after);
  harness.plugin('p').process.exit({ signal: 'SIGSEGV' });
  harness.plugin('p').process.empty();
  await harness.settle();
}

/** Lets the backoff pass, to the millisecond, and gives its length. */
async function backoff(harness: Harness): Promise<number> {
  expect(harness.state('p')).toBe('crashed.waiting');
  const wait = harness.context('p').retryAt! - harness.clock.now();
  if (wait > 0) {
    await harness.advance(wait - 1);
    expect(harness.state('p')).toBe('crashed.waiting');
    await harness.advance(1);
  } else await harness.advance(0);
  expect(harness.state('p')).toBe('absent.checking');
  return wait;
}

async function parked(spec = {}): Promise<Harness> {
  const harness = started({}, spec);
  for (let failed = 1; failed <= 5; failed += 1) {
    await failStart(harness);
    if (failed < 5) await backoff(harness);
  }
  expect(harness.state('p')).toBe('crashed.parked');
  return harness;
}

describe('R13 a crash storm', () => {
  const { minDelay, factor, maxDelay, jitter } = defaultRestartPolicy;
  const formula = (nth: number, random: number) =>
    Math.round(Math.min(minDelay * factor ** nth, maxDelay) * (1 + jitter * (2 * random - 1)));

  test('R13 (clock) waits exactly as the formula says, jitter included, and parks at the fifth failed start', async () => {
    const randoms = [0, 0.999, 0.5, 0.13];
    let drawn = 0;
    const harness = started({ random: () => randoms[drawn++ % randoms.length]! });
    const delays: number[] = [];
    for (let failed = 1; failed <= 4; failed += 1) {
      await failStart(harness);
      delays.push(await backoff(harness));
    }
    expect(delays).toEqual(randoms.map((random, nth) => formula(nth, random)));
    expect(delays).toEqual([188, 625, 1000, 1630]);
    await failStart(harness);
    expect(harness.state('p')).toBe('crashed.parked');
    expect(harness.plugin('p').process.spawns).toBe(5);
    expect(harness.context('p')).toMatchObject({ retryAt: null, trialAt: harness.clock.now() + 60_000 });
  });

  test('R13 (clock) jitter stays within a quarter, and the longest wait within 30 s and a quarter', async () => {
    for (const random of [0, 0.25, 0.5, 0.75, 0.999]) {
      const restartPolicy = { maxFailedStarts: 100, maxCrashes: 100 };
      const harness = started({ random: () => random, restartPolicy });
      for (let nth = 0; nth < 9; nth += 1) {
        await failStart(harness);
        const delay = await backoff(harness);
        const base = Math.min(250 * 2 ** nth, 30_000);
        expect(delay).toBeGreaterThanOrEqual(Math.floor(base * 0.75));
        expect(delay).toBeLessThanOrEqual(Math.ceil(base * 1.25));
        expect(delay).toBe(formula(nth, random));
      }
    }
  });

  test('R13 (clock) ten crashes in ten minutes park it though each start became ready', async () => {
    const harness = started();
    for (let crash = 1; crash <= 9; crash += 1) {
      await crashReady(harness, 20_000);
      expect(await backoff(harness)).toBe(0);
    }
    await crashReady(harness, 20_000);
    expect(harness.state('p')).toBe('crashed.parked');
  });

  test('R13 starts, crashes and waits in turn, is parked at N, and the log says so once', async () => {
    const restartPolicy = { minDelay: 5, maxDelay: 20, maxFailedStarts: 4 };
    await using stage = await createStage({ plugins: { storm: puppet('exit:3') }, restartPolicy });
    const { supervisor } = stage;
    const error = await failureOf(supervisor.call('storm', echo('never')));
    expect(error).toMatchObject({ code: 'LAUNCH_EXITED', exit: { code: 3 }, stderrTail: ['last words'] });
    const life = statesOf(supervisor, 'storm').filter((state) => /launching|crashed/.test(state));
    expect(life).toEqual(Array(4).fill(['launching', 'crashed']).flat());
    expect(supervisor.status('storm')).toMatchObject({ state: 'crashed', subState: 'parked', generation: 4 });
    expect(historyOf(supervisor, 'storm')).toMatchObject({ failedStarts: 4, streak: 3, trials: 1 });
    const told = () => stage.complaints.filter((line) => /parked/.test(line));
    await eventually(() => told().length > 0);
    // Calls to a parked plugin are answered, not logged.
    await failureOf(supervisor.call('storm', echo('never')));
    await failureOf(supervisor.call('storm', echo('never')));
    expect(told()).toHaveLength(1);
    expect(told()[0]).toContain('storm');
    expect(told()[0]).toContain('LAUNCH_EXITED');
    expect(told()[0]).toContain(supervisor.status('storm').retryAt!);
  });
});

describe('R14 a crash after a long time in service', () => {
  test('R14 (clock) after 61 s ready the restart is immediate and every counter starts again', async () => {
    const harness = started();
    for (let failed = 1; failed <= 4; failed += 1) {
      await failStart(harness);
      await backoff(harness);
    }
    expect(historyOf(harness, 'p')).toMatchObject({ failedStarts: 4, streak: 4 });
    await crashReady(harness, 61_000);
    expect(historyOf(harness, 'p')).toMatchObject({ failedStarts: 0, streak: 0, trials: 0 });
    expect(historyOf(harness, 'p').crashes).toHaveLength(1);
    expect(await backoff(harness)).toBe(0);
    await failStart(harness);
    expect(await backoff(harness)).toBe(250);
  });

  test('R14 (clock) after 59 s ready the restart is immediate too, but the counters stay', async () => {
    const harness = started();
    await failStart(harness);
    await backoff(harness);
    await crashReady(harness, 59_000);
    expect(historyOf(harness, 'p').crashes).toHaveLength(2);
    expect(await backoff(harness)).toBe(0);
    await failStart(harness);
    expect(await backoff(harness)).toBe(500);
  });

  test('R14 one that was ready for long enough is back though its backoff would last for hours', async () => {
    const restartPolicy = { minDelay: HOUR, maxDelay: HOUR, immediateAfter: 1, resetAfter: 1 };
    await using stage = await createStage({ plugins: { p: puppet() }, restartPolicy });
    const { supervisor } = stage;
    for (const generation of [1, 2, 3]) {
      const alive = Number(textOf(await supervisor.call('p', pid)));
      expect(supervisor.status('p').generation).toBe(generation);
      const crashed = new Promise((resolve) => supervisor.on('plugin:crashed', resolve));
      process.kill(alive, 'SIGKILL');
      await crashed;
    }
    expect(textOf(await supervisor.call('p', echo('back')))).toBe('back');
    expect(historyOf(supervisor, 'p')).toMatchObject({ failedStarts: 0, streak: 0 });
    expect(historyOf(supervisor, 'p').crashes).toHaveLength(1);
  });
});

describe('R15 a crash in the middle of a call', () => {
  test('R15 fails that call once, never sends it again, and serves the calls that wait', async () => {
    await using stage = await createStage({ restartPolicy: relentless });
    const { supervisor, home } = stage;
    const log = logOf(home);
    supervisor.add('p', puppet('', { env: { PUPPET_LOG: log } }));
    await supervisor.start('p');
    const stopping = new Promise((resolve) => supervisor.on('plugin:stopping', resolve));
    const settled: unknown[] = [];
    const dies = supervisor.call('p', { tool: 'exit', arguments: { code: 3 } }).catch((error) => {
      settled.push(error);
      return error;
    });
    await stopping;
    const queued = await Promise.all(Array.from({ length: 10 }, (_, at) => supervisor.call('p', echo(String(at)))));
    expect(queued.map(textOf)).toEqual(Array.from({ length: 10 }, (_, at) => String(at)));
    expect(await dies).toMatchObject({
      code: 'CALL_INTERRUPTED',
      generation: 1,
      exit: { code: 3, signal: null },
      data: { fate: 'sent-unknown' },
    });
    expect(settled).toHaveLength(1);
    const calls = (await linesOf(log)).filter((line) => line.startsWith('call '));
    expect(calls).toEqual(['call exit', ...Array(10).fill('call echo')]);
    expect(supervisor.status('p')).toMatchObject({ generation: 2, inFlight: 0, held: 0 });
  });

  test('R15 a call of a tool that only reads is sent again, to the next generation', async () => {
    await using stage = await createStage({ restartPolicy: relentless });
    const { supervisor, home } = stage;
    const [log, gate] = [logOf(home), join(home.root, 'gate')];
    supervisor.add('p', puppet('', { env: { PUPPET_LOG: log } }));
    const alive = Number(textOf(await supervisor.call('p', pid)));
    const look = supervisor.call('p', { tool: 'look', arguments: { file: gate } });
    await eventually(async () => (await linesOf(log)).includes('call look'));
    process.kill(alive, 'SIGKILL');
    await eventually(async () => (await linesOf(log)).filter((line) => line === 'call look').length === 2);
    await writeFile(gate, '');
    const answerer = Number(textOf(await look));
    expect(answerer).not.toBe(alive);
    expect(answerer).toBe(supervisor.status('p').pid);
    expect(supervisor.status('p').generation).toBe(2);
  });

  test('R15 one that is deadly is sent again once, not for ever', async () => {
    await using stage = await createStage({ restartPolicy: relentless });
    const { supervisor, home } = stage;
    const log = logOf(home);
    supervisor.add('p', puppet('', { env: { PUPPET_LOG: log } }));
    const error = await failureOf(supervisor.call('p', { tool: 'poison' }));
    expect(error).toMatchObject({ code: 'CALL_INTERRUPTED', generation: 2, data: { fate: 'sent-unknown' } });
    await supervisor.call('p', echo('well again'));
    expect((await linesOf(log)).filter((line) => line === 'call poison')).toHaveLength(2);
  });
});

describe('R16 a plugin that loops in restart', () => {
  test('R16 keeps nobody waiting: status, other calls, stop, start and remove go through while it loops', async () => {
    await using stage = await createStage({
      plugins: { loop: puppet('exit:1'), calm: puppet() },
      restartPolicy: relentless,
      // With one slot for launches the loop could keep others out.
      slots: { launch: 1 },
    });
    const { supervisor } = stage;
    void supervisor.start('loop').catch(() => {});
    const crashes = (more: number) => {
      const before = count(supervisor, 'loop', 'crashed');
      return eventually(() => count(supervisor, 'loop', 'crashed') >= before + more);
    };
    await crashes(3);
    expect(textOf(await supervisor.call('calm', echo('calm')))).toBe('calm');
    await crashes(1);
    expect(supervisor.status('loop')).toMatchObject({ name: 'loop', transport: null });
    await supervisor.restart('calm');
    await crashes(1);

    await supervisor.stop('loop');
    const { generation } = supervisor.status('loop');
    expect(supervisor.status('loop')).toMatchObject({ state: 'absent', pid: null, retryAt: null });
    expect(await failureOf(supervisor.call('loop', echo('x')))).toMatchObject({ code: 'CALL_STOPPED' });
    expect(textOf(await supervisor.call('calm', echo('still')))).toBe('still');
    expect(supervisor.status('loop').generation).toBe(generation);

    const held = failureOf(supervisor.start('loop'));
    await crashes(2);
    await supervisor.remove('loop');
    expect(supervisor.list()).toEqual(['calm']);
    expect(await held).toMatchObject({ code: 'CALL_STOPPED' });
    expect(textOf(await supervisor.call('calm', echo('last')))).toBe('last');
  });
});

describe('R17 a stop during backoff', () => {
  test.each(['STOP', 'REMOVE'] as const)('R17 (clock) %s is immediate and cancels the timer', async (type) => {
    const harness = started();
    await failStart(harness);
    expect(harness.state('p')).toBe('crashed.waiting');
    expect(harness.clock.pending()).toBe(1);
    harness.send({ type, plugin: 'p' });
    expect(harness.state('p')).toBe(type === 'STOP' ? 'absent.resting' : 'none');
    expect(harness.clock.pending()).toBe(0);
    await harness.advance(HOUR);
    expect(harness.plugin('p').process.spawns).toBe(1);
  });

  test('R17 stops at once, rejects who waits, and nothing starts it again', async () => {
    const restartPolicy = { minDelay: HOUR, maxDelay: HOUR };
    await using stage = await createStage({ plugins: { p: puppet('exit:1') }, restartPolicy });
    const { supervisor } = stage;
    const waiting = failureOf(supervisor.call('p', echo('x'), { startTimeout: HOUR }));
    await eventually(() => supervisor.status('p').subState === 'waiting');
    expect(Date.parse(supervisor.status('p').retryAt!)).toBeGreaterThan(Date.now() + HOUR / 2);
    await supervisor.stop('p');
    expect(await waiting).toMatchObject({ code: 'CALL_STOPPED' });
    expect(supervisor.status('p')).toMatchObject({ state: 'absent', retryAt: null, held: 0, generation: 1 });
    expect(statesOf(supervisor, 'p').slice(-2)).toEqual(['crashed', 'absent']);
  });
});

describe('R18 an intentional restart', () => {
  test('R18 (clock) intentional restarts are not crashes: thirty in a row are not counted', async () => {
    const harness = started();
    await harness.walk('p', 'ready');
    for (let restart = 1; restart <= 30; restart += 1) {
      harness.send({ type: 'RESTART', plugin: 'p' });
      await harness.walk('p', 'ready');
    }
    expect(harness.context('p').generation).toBe(31);
    expect(historyOf(harness, 'p')).toMatchObject({ failedStarts: 0, streak: 0, crashes: [], trials: 0 });
    expect(harness.emitted.some((event) => event.type === 'plugin.entered' && event.state === 'crashed')).toBe(false);
  });

  test('R18 intentional restarts are not crashes: more of them than crashes are allowed', async () => {
    const restartPolicy = { maxCrashes: 2, maxFailedStarts: 2 };
    await using stage = await createStage({ plugins: { p: puppet() }, restartPolicy });
    const { supervisor } = stage;
    await supervisor.start('p');
    for (const generation of [2, 3, 4]) {
      expect(await supervisor.restart('p')).toMatchObject({ state: 'ready', generation, failure: null });
    }
    expect(statesOf(supervisor, 'p')).not.toContain('crashed');
    expect(historyOf(supervisor, 'p')).toMatchObject({ failedStarts: 0, streak: 0, crashes: [] });
  });

  test('operator restart clears it: a parked plugin starts at once, with nothing held against it', async () => {
    await using stage = await createStage({ restartPolicy: { minDelay: 1, maxDelay: 1, maxFailedStarts: 2 } });
    const { supervisor, home } = stage;
    const gate = join(home.root, 'gate');
    supervisor.add('p', puppet('unless', { env: { PUPPET_GATE: gate } }));
    await failureOf(supervisor.call('p', echo('x')));
    expect(supervisor.status('p')).toMatchObject({ subState: 'parked', generation: 2 });
    await writeFile(gate, '');
    // Parked: a call does not start it.
    expect(await failureOf(supervisor.call('p', echo('x')))).toMatchObject({ code: 'LAUNCH_EXITED', generation: 2 });
    expect(await supervisor.restart('p')).toMatchObject({
      state: 'ready',
      generation: 3,
      failure: null,
      retryAt: null,
    });
    expect(historyOf(supervisor, 'p')).toMatchObject({ failedStarts: 0, streak: 0, crashes: [], trials: 0 });
  });
});

describe('parked is not dead', () => {
  test('parked is not dead: one trial start after 1, 2, 4, 8, 15, 15 min, given to a call (clock)', async () => {
    const harness = await parked();
    const waits: number[] = [];
    for (let trial = 1; trial <= 6; trial += 1) {
      const wait = harness.context('p').trialAt! - harness.clock.now();
      waits.push(wait / 60_000);
      await harness.advance(wait - 1);
      harness.call('p', `early ${trial}`);
      expect(harness.verdicts(`early ${trial}`)).toMatchObject([{ failure: { code: 'LAUNCH_EXITED' } }]);
      await harness.advance(1);
      expect(harness.state('p')).toBe('crashed.parked');
      harness.call('p', `trial ${trial}`);
      await failStart(harness);
      // One start, no second try.
      expect(harness.state('p')).toBe('crashed.parked');
      expect(harness.plugin('p').process.spawns).toBe(5 + trial);
      expect(harness.verdicts(`trial ${trial}`)).toMatchObject([{ failure: { code: 'LAUNCH_EXITED' } }]);
    }
    expect(waits).toEqual([1, 2, 4, 8, 15, 15]);
  });

  test('parked is not dead: the trial of a permanent plugin needs no call (clock)', async () => {
    const harness = await parked({ restart: 'permanent' });
    await harness.advance(59_999);
    expect(harness.state('p')).toBe('crashed.parked');
    await harness.advance(1);
    await harness.walk('p', 'ready');
    expect(harness.plugin('p').process.spawns).toBe(6);
  });

  test('parked is not dead: a trial that is well for a minute forgives everything (clock)', async () => {
    const harness = await parked();
    await harness.advance(60_000);
    harness.call('p', 'c');
    await harness.walk('p', 'ready');
    expect(harness.verdicts('c')).toMatchObject([{ type: 'call.admitted' }]);
    await crashReady(harness, 60_000);
    expect(historyOf(harness, 'p')).toMatchObject({ failedStarts: 0, streak: 0, trials: 0 });
    expect(await backoff(harness)).toBe(0);
  });

  test('parked is not dead: what no retry can mend gets no trial (clock)', async () => {
    const harness = started();
    await harness.walk('p', 'launching.running');
    harness.plugin('p').process.failed(createFailure('LAUNCH_SPAWN'));
    harness.plugin('p').process.empty();
    expect(harness.state('p')).toBe('crashed.parked');
    expect(harness.context('p')).toMatchObject({ trialAt: null, retryAt: null });
    expect(harness.clock.pending()).toBe(0);
    harness.call('p', 'c');
    expect(harness.verdicts('c')).toMatchObject([{ failure: { code: 'LAUNCH_SPAWN' } }]);
  });

  test('parked is not dead: a call after the first wait gets a trial, `status` says from when on', async () => {
    const restartPolicy = { minDelay: 1, maxDelay: 1, maxFailedStarts: 2, firstTrial: 50, maxTrial: 50 };
    await using stage = await createStage({ restartPolicy });
    const { supervisor, home } = stage;
    const gate = join(home.root, 'gate');
    supervisor.add('p', puppet('unless', { env: { PUPPET_GATE: gate } }));
    await failureOf(supervisor.call('p', echo('x')));
    expect(supervisor.status('p')).toMatchObject({ subState: 'parked', retryAt: expect.any(String) });
    await writeFile(gate, '');
    const answer = await eventually(() => supervisor.call('p', echo('tried')).catch(() => undefined));
    expect(textOf(answer)).toBe('tried');
    expect(supervisor.status('p')).toMatchObject({ generation: 3, failure: null, retryAt: null });
  });
});

describe('R19 one plugin storms', () => {
  test('R19 every call of its neighbour is answered by the one process that it had before', async () => {
    await using stage = await createStage({
      plugins: { storm: puppet('exit:1'), calm: puppet() },
      restartPolicy: relentless,
    });
    const { supervisor } = stage;
    await supervisor.start('calm');
    void supervisor.start('storm').catch(() => {});
    await eventually(() => count(supervisor, 'storm', 'crashed') > 0);
    const before = supervisor.status('storm').generation;
    for (let at = 0; at < 300 || supervisor.status('storm').generation < before + 5; at += 1) {
      expect(textOf(await supervisor.call('calm', echo(String(at))))).toBe(String(at));
    }
    expect(supervisor.status('calm')).toMatchObject({ generation: 1, failure: null });
    expect(historyOf(supervisor, 'calm')).toMatchObject({ crashes: [], failedStarts: 0 });
    await supervisor.stop('storm');
  });
});

describe('R20 exit code 0', () => {
  const live = async (supervisor: Supervisor) => Number(textOf(await supervisor.call('p', pid)));
  /** Quiet for a second; then it ends by itself, with code 0. */
  async function endIdle(supervisor: Supervisor) {
    const alive = await live(supervisor);
    await supervisor.waitFor('p', 'idle');
    process.kill(alive, 'SIGTERM');
  }

  test('R20 with a call in flight it is a crash: the call fails, the plugin comes back', async () => {
    await using stage = await createStage({ plugins: { p: puppet() }, restartPolicy: relentless });
    const { supervisor } = stage;
    const error = await failureOf(supervisor.call('p', { tool: 'exit', arguments: { code: 0 } }));
    expect(error).toMatchObject({ code: 'CALL_INTERRUPTED', exit: { code: 0, signal: null } });
    await supervisor.call('p', echo('back'));
    expect(supervisor.status('p').generation).toBe(2);
    const [crash] = supervisor.history('p').filter(({ state }) => state === 'crashed');
    expect(crash?.failure).toMatchObject({ code: 'RUN_EXITED', exit: { code: 0, signal: null } });
  });

  test('R20 idle and transient: absent, until a call wants it', async () => {
    await using stage = await createStage({ plugins: { p: puppet() } });
    const { supervisor } = stage;
    await endIdle(supervisor);
    expect(await supervisor.waitFor('p', 'absent')).toMatchObject({ failure: null, retryAt: null, pid: null });
    expect(statesOf(supervisor, 'p')).not.toContain('crashed');
    expect(textOf(await supervisor.call('p', echo('again')))).toBe('again');
    expect(supervisor.status('p').generation).toBe(2);
  });

  test('R20 idle and permanent: started again, without a call', async () => {
    await using stage = await createStage({ plugins: { p: puppet('', { restart: 'permanent' }) } });
    const { supervisor } = stage;
    await endIdle(supervisor);
    await eventually(() => supervisor.status('p').generation === 2 && supervisor.status('p').state === 'ready');
    expect(count(supervisor, 'p', 'crashed')).toBe(1);
  });

  test('R20 idle and temporary: absent, and no crash', async () => {
    await using stage = await createStage({ plugins: { p: puppet('', { restart: 'temporary' }) } });
    const { supervisor } = stage;
    await endIdle(supervisor);
    expect(await supervisor.waitFor('p', 'absent')).toMatchObject({ failure: null, retryAt: null, generation: 1 });
    expect(statesOf(supervisor, 'p')).not.toContain('crashed');
  });

  test('R20 temporary is never restarted, not after a crash either; `start` does it', async () => {
    await using stage = await createStage({ plugins: { p: puppet('', { restart: 'temporary' }) } });
    const { supervisor } = stage;
    process.kill(await live(supervisor), 'SIGKILL');
    await eventually(() => supervisor.status('p').subState === 'parked');
    expect(supervisor.status('p')).toMatchObject({ state: 'crashed', retryAt: null, pid: null });
    expect(await failureOf(supervisor.call('p', echo('x')))).toMatchObject({ code: 'RUN_EXITED', generation: 1 });
    expect(count(supervisor, 'p', 'launching')).toBe(1);
    expect(await supervisor.start('p')).toMatchObject({ state: 'ready', generation: 2 });
  });

  test.each([
    ['permanent', 'crashed.waiting'],
    ['transient', 'absent.resting'],
    ['temporary', 'absent.resting'],
  ] as const)('R20 (clock) a clean end while idle leaves a %s plugin %s', async (restart, state) => {
    const harness = started({}, { restart });
    await harness.walk('p', 'ready');
    harness.send({ type: 'traffic', plugin: 'p', event: { type: 'calls.quiet', generation: 1 } });
    harness.plugin('p').process.exit(0);
    harness.plugin('p').process.empty();
    expect(harness.state('p')).toBe(state);
    await harness.advance(24 * HOUR);
    expect(harness.plugin('p').survey.inputs).toHaveLength(restart === 'permanent' ? 2 : 1);
  });

  test.each([
    ['permanent', 'crashed.waiting', 2],
    ['transient', 'crashed.waiting', 2],
    ['temporary', 'crashed.parked', 1],
  ] as const)('R20 (clock) a crash leaves a %s plugin %s', async (restart, state, starts) => {
    const harness = started({}, { restart });
    await crashReady(harness, 1000);
    expect(harness.state('p')).toBe(state);
    await harness.advance(24 * HOUR);
    expect(harness.plugin('p').survey.inputs).toHaveLength(starts);
  });
});

describe('R21 ended by a signal', () => {
  test.each(['SIGKILL', 'SIGSEGV', 'SIGABRT'] as const)('R21 %s is in the failure and in its words', async (signal) => {
    await using stage = await createStage({
      plugins: { p: puppet() },
      restartPolicy: { minDelay: HOUR, maxDelay: HOUR },
    });
    const { supervisor } = stage;
    process.kill(Number(textOf(await supervisor.call('p', pid))), signal);
    const { failure } = await supervisor.waitFor('p', 'crashed');
    expect(failure).toMatchObject({ code: 'RUN_EXITED', exit: { code: null, signal }, generation: 1 });
    expect(failure?.message).toContain(signal);
    expect(supervisor.history('p').at(-1)?.failure).toMatchObject({ exit: { signal } });
  });

  test('R21 a signal before ready is told too', async () => {
    await using stage = await createStage({ restartPolicy: { maxFailedStarts: 1 }, plugins: { p: puppet('silent') } });
    const { supervisor } = stage;
    const call = failureOf(supervisor.call('p', pid));
    const { pid: alive } = await supervisor.waitFor('p', 'probing');
    process.kill(alive!, 'SIGKILL');
    const error = await call;
    expect(error).toMatchObject({ code: 'LAUNCH_EXITED', exit: { code: null, signal: 'SIGKILL' } });
    expect(error.message).toContain('SIGKILL');
  });
});
