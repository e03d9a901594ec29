import { beforeEach, describe, expect, it } from 'vitest';
import { createFailure, type Failure } from '../machines/failure.ts';
import type { RestartPolicy } from '../machines/policy.ts';
import { createChronicle } from '../src/chronicle.ts';
import { inWords, saidNothing } from '../src/explain-status.ts';
import { createHarness, type Harness, type HarnessOptions } from '../src/testing/harness.ts';
import {
  sampleAttempt,
  sampleEnvironment,
  samplePlanWithCandidates,
  sampleSpec,
  sampleSurvey,
} from '../src/testing/samples.ts';
import type { PluginScript } from '../src/testing/scripted.ts';

let harness: Harness;
let a: PluginScript;
let told: () => ReturnType<ReturnType<typeof createChronicle>['explain']>;
let reasons: () => readonly string[];
let held = false;

/** The real machines, their emitted events heard as the facade hears them. */
function begin(options: HarnessOptions = {}, spec: Parameters<Harness['add']>[1] = {}): void {
  harness = createHarness(options);
  const chronicle = createChronicle({
    actorOf: (plugin) => harness.child(plugin),
    root: () => harness.actor.getSnapshot().context,
    instances: new Map(),
    isHeld: () => held,
    files: null,
    now: harness.clock.now,
  });
  harness.actor.on('*', (event) => {
    if (event.type === 'plugin.entered') chronicle.entered(event);
  });
  const send = harness.send;
  harness = {
    ...harness,
    send(command) {
      chronicle.asked(command);
      send(command);
    },
  };
  a = harness.add('a', spec);
  told = () => chronicle.explain('a');
  reasons = () => chronicle.history('a').map(({ state, reason }) => (reason === null ? state : `${state}: ${reason}`));
}

const at = (ms: number) => new Date(ms).toISOString();
const inMs = (ms: number) => at(harness.clock.now() + ms);
const start = () => harness.send({ type: 'START', plugin: 'a' });
const stop = () => harness.send({ type: 'STOP', plugin: 'a' });
const walk = (to: string) => harness.walk('a', to);
async function begun(to: string): Promise<void> {
  start();
  await walk(to);
}

beforeEach(() => begin());

describe('absent', () => {
  it('was never started', () => {
    expect(told()).toEqual({
      why: 'It has not been started yet.',
      next: 'It starts with the next call.',
      nextAt: null,
    });
  });

  it('is manual', () => {
    begin({}, { activation: 'manual' });
    expect(told().next).toBe('Run start: calls do not start it (activation: manual).');
  });

  it('was stopped on request', async () => {
    await begun('ready');
    stop();
    await walk('absent.resting');
    expect(told()).toEqual({
      why: 'It does not run: stop was asked for.',
      next: 'Run start: until then calls are refused.',
      nextAt: null,
    });
  });

  it('was stopped because nobody called', async () => {
    await begun('ready');
    harness.send({ type: 'traffic', plugin: 'a', event: { type: 'calls.quiet', generation: 1 } });
    await harness.advance(300_000);
    await walk('absent.resting');
    expect(told()).toMatchObject({
      why: 'It does not run: nobody called for 5 min.',
      next: 'It starts with the next call.',
    });
  });

  it('was stopped on request though nobody called', async () => {
    await begun('ready');
    harness.send({ type: 'traffic', plugin: 'a', event: { type: 'calls.quiet', generation: 1 } });
    stop();
    await walk('absent.resting');
    expect(told().why).toBe('It does not run: stop was asked for.');
  });

  it('ended by itself', async () => {
    await begun('ready');
    harness.send({ type: 'traffic', plugin: 'a', event: { type: 'calls.quiet', generation: 1 } });
    a.process.exit(0);
    await walk('absent.resting');
    expect(told().why).toBe('It does not run: its program ended by itself, with exit code 0.');
  });

  it('looks at the disk first', async () => {
    start();
    await harness.settle();
    expect(harness.state('a')).toBe('absent.checking');
    expect(told().why).toBe('It is starting: what is on the disk is being looked at.');
  });

  it('stays so when the supervisor closes', () => {
    harness.send({ type: 'CLOSE' });
    expect(told().next).toBe('Nothing: the supervisor is closing.');
  });
});

describe('the jobs', () => {
  it.each([
    ['cloning', 'Its source is being fetched', 300_000, '5 min'],
    ['detecting', 'What is in its folder, and how it starts, is being found out', 30_000, '30 s'],
    ['installing', 'What it needs is being installed and built', 1_200_000, '20 min'],
  ] as const)('%s says for how long, and when it is given up', async (state, doing, limit, words) => {
    start();
    await harness.settle();
    a.survey.done(sampleSurvey(state));
    await harness.settle();
    expect(told()).toMatchObject({
      why: `${doing}, for 0 s so far.`,
      next: expect.stringContaining(`it is given up in ${words}.`),
      nextAt: inMs(limit),
    });
    await harness.advance(4000);
    expect(told()).toMatchObject({ why: `${doing}, for 4 s so far.`, nextAt: inMs(limit - 4000) });
    stop();
    expect(harness.state('a')).toBe(`${state}.cancelling`);
    expect(told()).toEqual({
      why: `${doing}, and that is being called off, because stop was asked for.`,
      next: 'Then nothing of it runs.',
      nextAt: null,
    });
  });

  it('wait for their turn, and time counts from then on', async () => {
    begin({ slots: { install: 1, launch: 1 } });
    const b = harness.add('b');
    harness.send({ type: 'START', plugin: 'b' });
    await harness.settle();
    b.survey.done(sampleSurvey('cloning'));
    start();
    await harness.settle();
    a.survey.done(sampleSurvey('cloning'));
    await harness.settle();
    expect(harness.state('a')).toBe('cloning.queued');
    expect(told()).toEqual({
      why: 'It waits for its turn, with 1 ahead of it.',
      next: 'It goes on when its turn comes.',
      nextAt: null,
    });
    await harness.advance(9000);
    b.clone.fail();
    await harness.settle();
    expect(harness.state('a')).toBe('cloning.running');
    expect(told()).toMatchObject({ why: 'Its source is being fetched, for 0 s so far.', nextAt: inMs(300_000) });
  });
});

describe('a launch', () => {
  it('waits for its turn', async () => {
    begin({ slots: { install: 1, launch: 1 } });
    harness.add('b');
    harness.send({ type: 'START', plugin: 'b' });
    await harness.walk('b', 'launching.running');
    await begun('launching.queued');
    expect(told().why).toBe('It waits for its turn, with 1 ahead of it to be launched.');
  });

  it('runs and is asked', async () => {
    await begun('launching.running');
    expect(told()).toMatchObject({ why: 'Its program is being started.', next: 'It is asked whether it is ready.' });
    await walk('probing');
    await harness.advance(1000);
    expect(told()).toEqual({
      why: 'Its program runs (pid 1001), and it has not answered as a server yet.',
      next: "It is ready when it answers; if it doesn't, this start is given up in 59 s.",
      nextAt: inMs(59_000),
    });
    a.probe.listening();
    expect(told().why).toContain('it has opened a port, but has not answered');
  });

  it('says which attempt it is, and how that differs', async () => {
    start();
    await harness.settle();
    const plan = samplePlanWithCandidates(2);
    a.survey.done(sampleSurvey('launching', { environment: sampleEnvironment({ plan }), attempt: sampleAttempt() }));
    await walk('probing');
    a.process.exit(1);
    expect(told().why).toContain('because attempt 2 of this start follows, by way 2 of its plan');
    expect(told().next).toContain('Then it is started in another way.');
    await walk('probing');
    expect(told().why).toContain('(attempt 2 of this start)');
    expect(reasons().filter((line) => line.startsWith('launching'))).toEqual([
      'launching: start was asked for',
      'launching: attempt 2 of this start follows, by way 2 of its plan',
    ]);
  });
});

describe('in service', () => {
  const quiet = () => harness.send({ type: 'traffic', plugin: 'a', event: { type: 'calls.quiet', generation: 1 } });

  it('is ready', async () => {
    await begun('ready');
    expect(told()).toEqual({
      why: 'It is ready.',
      next: 'It is idle a second after the last call.',
      nextAt: null,
    });
  });

  it('stays while a link to it is open', async () => {
    await begun('ready');
    held = true;
    try {
      expect(told().next).toBe('It stays while somebody who used it is connected.');
    } finally {
      held = false;
    }
  });

  it('is idle until its time', async () => {
    await begun('ready');
    quiet();
    await harness.advance(10_000);
    expect(told()).toEqual({
      why: 'It is ready, and nobody calls.',
      next: 'It is stopped in 5 min if nobody calls.',
      nextAt: inMs(290_000),
    });
  });

  it('is idle until its new time, counted from the change', async () => {
    await begun('ready');
    quiet();
    await harness.advance(10_000);
    harness.send({ type: 'UPDATE', plugin: 'a', spec: sampleSpec({ idleStop: 60_000 }), restarts: false });
    await harness.advance(10_000);
    expect(told()).toMatchObject({ next: 'It is stopped in 50 s if nobody calls.', nextAt: inMs(50_000) });
    await harness.advance(50_000);
    expect(harness.state('a')).toBe('stopping.closing');
  });

  it('is idle for ever', async () => {
    begin({}, { idleStop: null });
    await begun('ready');
    quiet();
    expect(told()).toMatchObject({ next: 'It stays until it is stopped.', nextAt: null });
  });

  it('is asked whether all is well, and says that calls wait when it does not answer', async () => {
    begin({ timing: { liveness: 30_000, healthCheck: 5000, recheck: 1000 } });
    await begun('ready');
    quiet();
    const idleEnd = harness.clock.now() + 300_000;
    await harness.advance(30_000);
    expect(harness.state('a')).toBe('idle.checking');
    expect(told()).toMatchObject({ why: 'It is ready; it is just being asked whether all is well.', nextAt: null });
    await harness.advance(5000);
    expect(harness.state('a')).toBe('idle.failing');
    expect(told()).toEqual({
      why: 'Once it did not answer, so calls wait. The program runs, but it did not answer a health check within 5 s.',
      next: 'It is asked again; after 3 checks without an answer it is restarted.',
      nextAt: inMs(1000),
    });
    await harness.advance(1000);
    expect(harness.state('a')).toBe('idle.rechecking');
    expect(told()).toMatchObject({ next: expect.stringContaining('It is being asked;'), nextAt: inMs(5000) });
    a.health.well();
    await harness.settle();
    expect(told()).toMatchObject({ why: 'It is ready, and nobody calls.', nextAt: at(idleEnd) });
    expect(reasons().slice(-2)).toEqual([
      expect.stringContaining('idle: a health check was bad, calls wait'),
      'idle: it answers again',
    ]);
  });

  it('is restarted after three checks without an answer', async () => {
    begin({ timing: { liveness: 30_000, healthCheck: 5000, recheck: 1000 } });
    await begun('ready');
    await harness.advance(30_000 + 3 * 5000 + 2 * 1000);
    expect(told().why).toContain(
      'because it failed (The program runs, but 3 health checks in a row were not answered)',
    );
  });
});

it('stopping says by which step, because of what, and what follows when', async () => {
  await begun('ready');
  stop();
  const steps = [
    ['stopping.draining', 'calls in flight may still end', 'Then it is asked to end', 2000],
    ['stopping.closing', 'its input was closed, the polite way to ask', 'If it stays, SIGTERM is sent', 2000],
    ['stopping.terminating', 'it was told to (SIGTERM)', 'If anything stays, SIGKILL is sent', 3000],
    ['stopping.killing', 'SIGKILL was sent', 'If anything stays, it is looked for everywhere', 2000],
    [
      'stopping.sweeping',
      'whatever of it is left is being killed',
      'If anything outlives that, it is named and no new start is made',
      2000,
    ],
  ] as const;
  for (const [state, doing, next, limit] of steps) {
    expect(harness.state('a')).toBe(state);
    expect(told()).toEqual({
      why: `It is being stopped, because stop was asked for: ${doing}.`,
      next: `${next} in ${limit / 1000} s. Then nothing of it runs.`,
      nextAt: inMs(limit),
    });
    await harness.advance(limit);
  }
  a.process.abandoned([7, 8]);
  await harness.settle();
  expect(told().next).toBe('End the processes 7, 8: it is not started while they live. Then run start.');
});

it('a call while it stops starts it again', async () => {
  await begun('ready');
  harness.send({ type: 'RESTART', plugin: 'a' });
  expect(told().next).toContain('Then it is started again.');
  expect(told().why).toContain('because restart was asked for');
  await walk('ready');
  expect(reasons()).toContain('launching: restart was asked for');
});

describe('crashed', () => {
  const crash = async (failure: Failure) => {
    start();
    await harness.settle();
    a.survey.done(sampleSurvey('cloning'));
    await harness.settle();
    a.clone.fail(failure);
    await harness.settle();
  };
  const policy: Partial<RestartPolicy> = { minDelay: 4000, maxFailedStarts: 2, firstTrial: 60_000 };

  it('is tried again', async () => {
    begin({ restartPolicy: policy });
    await crash(createFailure('CLONE_NETWORK', { message: 'The host did not answer' }));
    expect(told()).toEqual({
      why: 'It failed: The host did not answer.',
      next: 'It is tried again in 4 s.',
      nextAt: inMs(4000),
    });
    await harness.advance(4000);
    await walk('ready');
    expect(reasons()).toContain('launching: it is tried again after CLONE_NETWORK');
  });

  it('says that a program ended in silence', async () => {
    await begun('probing');
    a.process.exit(3);
    a.process.empty();
    await harness.settle();
    expect(told().why).toBe(
      'It failed: The program ended with exit code 3 before it was ready. Nothing was written to stderr.',
    );
  });

  it('is parked for good with what its user must do', async () => {
    await crash(
      createFailure('LAUNCH_NEEDS_SETTING', { message: 'The setting API_KEY is missing.', hint: 'Set API_KEY.' }),
    );
    expect(told()).toEqual({
      why: 'It failed: The setting API_KEY is missing. Trying again would not help, so it is parked.',
      next: 'Set API_KEY. Then run start.',
      nextAt: null,
    });
  });

  it('is parked until a trial', async () => {
    begin({ restartPolicy: { ...policy, maxFailedStarts: 1 } });
    await crash(createFailure('CLONE_NETWORK', { message: 'Nobody there.' }));
    expect(told()).toEqual({
      why: 'It failed: Nobody there. It failed too often and is parked.',
      next: 'A call may try it once more in 60 s; start does at any time.',
      nextAt: inMs(60_000),
    });
    await harness.advance(60_000);
    expect(told()).toMatchObject({
      next: 'The next call tries it once more; start does at any time.',
      nextAt: null,
    });
  });

  it('is tried once more by itself when it is permanent', async () => {
    begin({ restartPolicy: { ...policy, maxFailedStarts: 1 } }, { restart: 'permanent' });
    await crash(createFailure('CLONE_NETWORK'));
    expect(told().next).toBe('It is tried once more in 60 s; start does at any time.');
  });

  it('is not restarted when it is temporary', async () => {
    begin({}, { restart: 'temporary' });
    await crash(createFailure('CLONE_NETWORK', { message: 'Nobody there.', hint: 'Check the network.' }));
    expect(told()).toMatchObject({
      why: 'It failed: Nobody there. It is not restarted by itself (restart: temporary).',
      next: 'Check the network. Run start.',
    });
  });
});

it('a bug of ours is named as one', async () => {
  start();
  await harness.settle();
  a.survey.break();
  await harness.settle();
  expect(told()).toEqual({
    why: 'A bug of ours felled what looks after it: The actor of a broke: a bug.',
    next: 'It is looked after anew when nothing of it runs any more.',
    nextAt: null,
  });
});

it.each([
  [40, '0 s'],
  [250, '0.3 s'],
  [4000, '4 s'],
  [59_400, '59 s'],
  [90_000, '90 s'],
  [300_000, '5 min'],
  [7_200_000, '2 h'],
])('%d ms are %s', (ms, words) => {
  expect(inWords(ms)).toBe(words);
});

it('tells silence from words', () => {
  const exit = { code: 1, signal: null };
  expect(saidNothing({ exit, stderrTail: [] })).toBe(true);
  expect(saidNothing({ exit, stderrTail: [' '] })).toBe(true);
  expect(saidNothing({ exit, stderrTail: ['x'] })).toBe(false);
  expect(saidNothing({ exit: null, stderrTail: [] })).toBe(false);
});
