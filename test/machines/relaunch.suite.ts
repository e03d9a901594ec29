import { describe, expect, test } from 'vitest';
import type { Cause, CauseKind } from '../../launchers/plan.ts';
import type { Attempt } from '../../machines/contracts.ts';
import { createFailure } from '../../machines/failure.ts';
import {
  sampleAttempt,
  sampleCheckout,
  sampleEnvironment,
  samplePlanWithCandidates,
  sampleSurvey,
} from '../../src/testing/samples.ts';
import { createPlugin, type Plugin, reach } from './covered.ts';

const cause = (kind: CauseKind, detail = `it says ${kind}`): Cause => ({ kind, detail, hint: `cure ${kind}` });

/** Launched with that many candidates, the program spawned. */
async function launched(candidates: number, attempt: Partial<Attempt> = {}, folder = false): Promise<Plugin> {
  const plugin = await reach(createPlugin(), 'absent.checking');
  const environment = sampleEnvironment({ plan: samplePlanWithCandidates(candidates) });
  const checkout = sampleCheckout(folder ? { committedAt: null } : {});
  plugin.survey.done(sampleSurvey('launching', { environment, checkout, attempt: sampleAttempt(attempt) }));
  await plugin.settle();
  return reach(plugin, 'probing');
}

async function exits(plugin: Plugin, why: Cause | null): Promise<void> {
  plugin.process.exit(1, { cause: why, stderrTail: ['line'] });
  plugin.process.empty();
}

const lastAttempt = (plugin: Plugin) => plugin.process.inputs.at(-1)?.attempt;

describe('an early exit', () => {
  test('without a known cause tries the next candidate, as a new generation and not as a crash', async () => {
    const plugin = await launched(2);
    await exits(plugin, null);
    expect(plugin.state()).toBe('launching.queued');
    expect(plugin.context()).toMatchObject({ generation: 2, relaunches: 1 });
    expect(lastAttempt(plugin)?.candidate).toBe(1);
    await reach(plugin, 'probing');
    // The same when the program lives on, and the probe reads it from its words.
    plugin.probe.fail(createFailure('LAUNCH_PORT_TAKEN', { message: 'port 41235 is taken' }), { port: 'lease' });
    plugin.process.empty();
    expect(plugin.context()).toMatchObject({ generation: 3, relaunches: 2, failure: null });
    expect(plugin.entered()).not.toContain('crashed');
  });

  test('of the last candidate crashes with the first one’s failure and notes the others', async () => {
    const plugin = await launched(2);
    await exits(plugin, cause('entry-missing', 'first'));
    await reach(plugin, 'probing');
    await exits(plugin, cause('unknown', 'second'));
    expect(plugin.state()).toBe('crashed.waiting');
    expect(plugin.context().failure).toMatchObject({
      code: 'LAUNCH_EXITED',
      message: 'first',
      hint: 'cure entry-missing',
      generation: 1,
      exit: { code: 1 },
      stderrTail: ['line'],
      data: { others: [{ candidate: 1, code: 'LAUNCH_EXITED', message: 'second' }] },
    });
  });

  test.each(['missing-setting', 'missing-argument'] as const)('for %s ends the start at once', async (kind) => {
    const plugin = await launched(3);
    await exits(plugin, cause(kind));
    expect(plugin.context().failure).toMatchObject({
      code: 'LAUNCH_NEEDS_SETTING',
      hint: `cure ${kind}`,
      retryable: false,
    });
  });

  test.each(['missing-module', 'incompatible-dependency'] as const)(
    'for %s reinstalls as of the commit, once',
    async (kind) => {
      const plugin = await launched(1);
      await exits(plugin, cause(kind));
      expect(plugin.state()).toBe('installing.queued');
      plugin.send({ type: 'slot.granted', slot: 'install' });
      expect(plugin.install.inputs.at(-1)?.dependencies).toBe('as-of-commit');
      plugin.install.done();
      expect(lastAttempt(plugin)?.dependencies).toBe('as-of-commit');
      await reach(plugin, 'probing');
      await exits(plugin, cause(kind));
      expect(plugin.state()).toBe('crashed.waiting');
      expect(plugin.context().generation).toBe(2);
    },
  );

  /** The first candidate wants other dependencies; their install is asked for. */
  async function reinstalling(candidates: number): Promise<Plugin> {
    const plugin = await launched(candidates);
    await exits(plugin, cause('missing-module', 'x is missing'));
    plugin.send({ type: 'slot.granted', slot: 'install' });
    return plugin;
  }

  test('says to the install why it is made anew', async () => {
    const plugin = await reinstalling(1);
    const because = { tried: 'start', cause: 'missing-module', detail: 'x is missing' };
    expect(plugin.install.inputs.at(-1)).toMatchObject({ because, runtime: 'declared' });
  });

  test('falls back on the former install when the new one fails: the next candidate starts from that', async () => {
    const plugin = await reinstalling(2);
    plugin.install.fail(createFailure('INSTALL_FAILED'));
    expect(plugin.state()).toBe('launching.queued');
    expect(lastAttempt(plugin)).toMatchObject({ candidate: 1, dependencies: 'as-of-commit' });
    expect(plugin.install.inputs).toHaveLength(1);
    await reach(plugin, 'probing');
    await exits(plugin, cause('missing-module'));
    expect(plugin.state(), 'it is not installed a third time').toBe('crashed.waiting');
  });

  test('tells of the start, not of the install that was to mend it', async () => {
    const plugin = await reinstalling(1);
    plugin.install.fail(createFailure('INSTALL_FAILED', { message: 'no such version' }));
    expect(plugin.context().failure).toMatchObject({
      code: 'LAUNCH_EXITED',
      message: 'x is missing',
      data: { reinstall: { code: 'INSTALL_FAILED', message: 'no such version' } },
    });
  });

  test('for a missing module of what a lock installed tries the next candidate: a date changes nothing', async () => {
    const plugin = await reach(createPlugin(), 'absent.checking');
    const plan = {
      ...samplePlanWithCandidates(2),
      install: [{ id: 'locked', steps: [], cures: 'any' as const, frozen: true as const }],
    };
    const environment = sampleEnvironment({ plan, rung: 'locked' });
    plugin.survey.done(sampleSurvey('launching', { environment, attempt: sampleAttempt() }));
    await plugin.settle();
    await exits(await reach(plugin, 'probing'), cause('missing-module'));
    expect(lastAttempt(plugin)).toMatchObject({ candidate: 1, dependencies: 'declared' });
  });

  test('for a runtime that is too old installs with newer tools, once', async () => {
    const plugin = await reach(createPlugin(), 'absent.checking');
    const plan = { ...samplePlanWithCandidates(1), newerTools: [{ name: 'node', version: '>=24' }] };
    plugin.survey.done(sampleSurvey('launching', { environment: sampleEnvironment({ plan }) }));
    await plugin.settle();
    await exits(await reach(plugin, 'probing'), cause('runtime-too-old'));
    expect(plugin.state()).toBe('installing.queued');
    plugin.send({ type: 'slot.granted', slot: 'install' });
    expect(plugin.install.inputs.at(-1)).toMatchObject({ runtime: 'newer', because: { cause: 'runtime-too-old' } });
    plugin.install.done(sampleEnvironment({ plan: samplePlanWithCandidates(1) }));
    await exits(await reach(plugin, 'probing'), cause('runtime-too-old'));
    expect(plugin.state()).toBe('crashed.waiting');
  });

  test('for a script that the package manager held back ends the start at once', async () => {
    const plugin = await launched(2);
    await exits(plugin, cause('held-back'));
    expect(plugin.context().failure).toMatchObject({ code: 'LAUNCH_HELD_BACK', retryable: false });
  });

  test('for a missing module of a folder, which has no date, tries the next candidate', async () => {
    const plugin = await launched(2, {}, true);
    await exits(plugin, cause('missing-module'));
    expect(lastAttempt(plugin)).toMatchObject({ candidate: 1, dependencies: 'declared' });
  });

  test('for a taken port gets a lease', async () => {
    const plugin = await launched(2);
    await exits(plugin, cause('port-taken'));
    expect(lastAttempt(plugin)).toMatchObject({ candidate: 0, port: 'lease' });
  });

  test('for the same port though another one was leased is LAUNCH_PORT_FIXED', async () => {
    const plugin = await launched(2);
    await exits(plugin, cause('port-taken', 'port 8000 is taken'));
    await reach(plugin, 'probing');
    await exits(plugin, cause('port-taken', 'port 8000 is taken'));
    expect(plugin.context().failure).toMatchObject({ code: 'LAUNCH_PORT_FIXED', message: 'port 8000 is taken' });
  });

  test('for a leased port that someone took meanwhile starts again with another one, which is no crash', async () => {
    const plugin = await launched(1, { port: 'lease' });
    await exits(plugin, cause('port-taken', 'port 41234 is taken'));
    expect(plugin.state()).toBe('launching.queued');
    expect(plugin.context()).toMatchObject({ generation: 2, failure: null, attempt: { port: 'lease' } });
    expect(plugin.entered()).not.toContain('crashed');
  });
});

test('a program that can not run at all is followed by the next candidate', async () => {
  const plugin = await reach(createPlugin(), 'absent.checking');
  const environment = sampleEnvironment({ plan: samplePlanWithCandidates(2) });
  plugin.survey.done(sampleSurvey('launching', { environment }));
  await plugin.settle();
  await reach(plugin, 'launching.running');
  plugin.process.failed(createFailure('LAUNCH_SPAWN'));
  plugin.process.empty();
  expect(lastAttempt(plugin)?.candidate).toBe(1);
});

describe('a failed probe', () => {
  test('may ask for another era', async () => {
    const plugin = await launched(2);
    plugin.probe.fail(undefined, { era: 'modern' });
    plugin.process.empty();
    expect(lastAttempt(plugin)).toMatchObject({ candidate: 0, era: 'modern' });
  });

  test('that asks for what was tried already has failed', async () => {
    const plugin = await launched(2, { era: 'modern' });
    plugin.probe.fail(createFailure('PROBE_PROTOCOL'), { era: 'modern' });
    plugin.process.empty();
    expect(plugin.context().failure?.code).toBe('PROBE_PROTOCOL');
  });

  test('without a wish is the end of the start, since the program did run', async () => {
    const plugin = await launched(2);
    plugin.probe.fail(createFailure('PROBE_PROTOCOL'));
    plugin.process.empty();
    expect(plugin.state()).toBe('crashed.waiting');
  });
});

test('at most 8 relaunches make one start', async () => {
  const plugin = await launched(20);
  for (let relaunch = 1; relaunch <= 8; relaunch += 1) {
    await exits(plugin, null);
    expect(plugin.state()).toBe('launching.queued');
    await reach(plugin, 'probing');
  }
  await exits(plugin, null);
  expect(plugin.state()).toBe('crashed.waiting');
  expect(plugin.process.inputs).toHaveLength(9);
});

test('a new start counts and remembers from nothing', async () => {
  const plugin = await launched(2);
  await exits(plugin, null);
  await reach(plugin, 'ready');
  expect(plugin.context()).toMatchObject({ relaunches: 0, tried: [] });
});

test('never are two generations alive: the next one begins after the empty group', async () => {
  const plugin = await launched(2);
  plugin.process.exit(1);
  expect(plugin.process.inputs).toHaveLength(1);
  plugin.process.empty();
  expect(plugin.process.inputs).toHaveLength(2);
});
