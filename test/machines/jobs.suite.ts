import { describe, expect, test } from 'vitest';
import { createFailure } from '../../machines/failure.ts';
import type { Stage } from '../../machines/states.ts';
import { sampleCheckout, sampleEnvironment, samplePlan, sampleSurvey } from '../../src/testing/samples.ts';
import { createPlugin, reach } from './covered.ts';

const JOBS = [
  ['cloning', 'clone', 'CLONE_TIMEOUT', 300_000],
  ['detecting', 'detect', 'DETECT_TIMEOUT', 30_000],
  ['installing', 'install', 'INSTALL_TIMEOUT', 1_200_000],
] as const;

describe.each(JOBS)('%s', (state, job, late, limit) => {
  test.each(['STOP', 'KILL', 'REMOVE'] as const)('on %s cancels the job and waits for its end', async (type) => {
    const plugin = await reach(createPlugin(), `${state}.running`);
    expect(plugin[job].cancelled).toBe(false);
    plugin.send({ type });
    expect(plugin.state()).toBe(`${state}.cancelling`);
    expect(plugin[job].cancelled).toBe(true);
    plugin.clock.advance(3_600_000);
    expect(plugin.state()).toBe(`${state}.cancelling`);
    plugin[job].cancel();
    expect(plugin.state()).toBe('absent.resting');
    expect(plugin[job].running).toBe(false);
    expect(plugin.reports.at(-1)?.type).toBe('stop.done');
  });

  test.each(['STOP', 'KILL', 'REMOVE'] as const)('on %s while it is cancelled anyway goes to absent', async (type) => {
    const plugin = await reach(createPlugin(), `${state}.cancelling`);
    plugin.send({ type });
    plugin[job].cancel();
    expect(plugin.state()).toBe('absent.resting');
  });

  test('goes where it was to go even when the job was done before it could be cancelled', async () => {
    const plugin = await reach(createPlugin(), `${state}.running`);
    plugin.send({ type: 'STOP' });
    plugin[job].done();
    expect(plugin.state()).toBe('absent.resting');
  });

  test('past its deadline is cancelled and then crashes', async () => {
    const plugin = await reach(createPlugin(), `${state}.running`);
    plugin.clock.advance(limit - 1);
    expect(plugin.state()).toBe(`${state}.running`);
    plugin.clock.advance(1);
    expect(plugin.state()).toBe(`${state}.cancelling`);
    expect(plugin[job].cancelled).toBe(true);
    plugin[job].cancel();
    expect(plugin.state()).toBe('crashed.waiting');
    expect(plugin.context().failure?.code).toBe(late);
  });

  test('crashes with the failure of its job', async () => {
    const plugin = await reach(createPlugin(), `${state}.running`);
    plugin[job].fail(createFailure('INSTALL_FAILED', { message: 'exit 1' }));
    expect(plugin.state()).toBe('crashed.waiting');
    expect(plugin.context().failure).toMatchObject({ code: 'INSTALL_FAILED', message: 'exit 1' });
  });

  test('that ends as cancelled though nobody asked is a bug of ours', async () => {
    const plugin = await reach(createPlugin(), `${state}.running`);
    plugin[job].cancel();
    expect(plugin.context().failure?.code).toBe('INTERNAL_ERROR');
  });

  test('on RESTART cancels and begins again with survey', async () => {
    const plugin = await reach(createPlugin(), `${state}.running`);
    plugin.send({ type: 'RESTART' });
    plugin[job].cancel();
    expect(plugin.state()).toBe('absent.checking');
  });

  test('on START after a STOP begins again too', async () => {
    const plugin = await reach(createPlugin(), `${state}.running`);
    plugin.send({ type: 'STOP' });
    plugin.send({ type: 'START' });
    plugin[job].cancel();
    expect(plugin.state()).toBe('absent.checking');
  });
});

test('a plugin may have its own deadlines', async () => {
  const plugin = await reach(createPlugin({ timeouts: { clone: 1_000 } }), 'cloning.running');
  plugin.clock.advance(1_000);
  expect(plugin.state()).toBe('cloning.cancelling');
});

describe('survey names the first stage:', () => {
  test.each<[Stage, string]>([
    ['cloning', 'cloning.queued'],
    ['detecting', 'detecting.running'],
    ['installing', 'installing.queued'],
    ['launching', 'launching.queued'],
  ])('%s leads to %s', async (stale, state) => {
    const plugin = await reach(createPlugin(), 'absent.checking');
    plugin.survey.done(sampleSurvey(stale));
    await plugin.settle();
    expect(plugin.state()).toBe(state);
  });

  test.each([
    ['HOME_UNUSABLE', 'crashed.parked'],
    ['HOME_DISK_FULL', 'crashed.waiting'],
  ] as const)('%s leads to %s', async (code, state) => {
    const plugin = createPlugin();
    plugin.call('c1');
    plugin.survey.done(sampleSurvey('cloning', { blocked: createFailure(code) }));
    await plugin.settle();
    expect(plugin.state()).toBe(state);
    expect(plugin.context().failure?.code).toBe(code);
  });
});

describe('what one stage made is what the next one gets:', () => {
  test('checkout, plan, environment and attempt', async () => {
    const plugin = await reach(createPlugin(), 'cloning.running');
    const checkout = sampleCheckout({ commit: 'abc' });
    const plan = samplePlan({ runtime: 'python' });
    const environment = sampleEnvironment({ key: 'e7', plan: samplePlan({ transport: 'streamable-http' }) });
    plugin.clone.done(checkout);
    expect(plugin.detect.inputs).toMatchObject([{ checkout }]);
    plugin.detect.done(plan);
    expect(plugin.install.inputs).toMatchObject([{ checkout, plan, dependencies: 'declared' }]);
    plugin.install.done(environment);
    expect(plugin.process.inputs).toMatchObject([{ environment, generation: 1 }]);
  });

  test('the resolved plan of a fresh install completes an open attempt', async () => {
    const plugin = await reach(createPlugin(), 'absent.checking');
    const open = { ...sampleSurvey('installing').attempt, transport: 'auto' as const };
    plugin.survey.done(sampleSurvey('installing', { attempt: open }));
    await plugin.settle();
    plugin.send({ type: 'slot.granted', slot: 'install' });
    plugin.install.done(sampleEnvironment({ plan: samplePlan({ transport: 'sse', endpoint: '/sse' }) }));
    expect(plugin.process.inputs.at(-1)?.attempt).toMatchObject({ transport: 'sse', endpoint: '/sse', port: 'lease' });
  });
});

describe('slots, as the plugin asks for them:', () => {
  const asked = (plugin: Awaited<ReturnType<typeof reach>>) =>
    plugin.reports.flatMap((report) =>
      report.type === 'slot.wanted'
        ? [`wants ${report.slot}${report.urgent ? ' urgently' : ''}`]
        : report.type === 'slot.freed'
          ? [`frees ${report.slot}`]
          : [],
    );

  test('install is kept from cloning to launching, launch from there to ready', async () => {
    const plugin = await reach(createPlugin(), 'installing.running');
    plugin.install.done();
    plugin.send({ type: 'slot.granted', slot: 'launch' });
    plugin.process.spawned();
    plugin.probe.ready();
    expect(asked(plugin)).toEqual(['wants install', 'frees install', 'wants launch', 'frees launch']);
  });

  test('a call makes the wait urgent', async () => {
    const plugin = await reach(createPlugin(), 'cloning.queued');
    plugin.call('c1');
    expect(asked(plugin)).toEqual(['wants install', 'wants install urgently']);
    const launching = await reach(createPlugin(), 'launching.queued');
    launching.call('c1');
    expect(asked(launching)).toEqual(['wants launch', 'wants launch urgently']);
  });

  test('a grant of the other slot is not taken', async () => {
    const plugin = await reach(createPlugin(), 'cloning.queued');
    plugin.send({ type: 'slot.granted', slot: 'launch' });
    expect(plugin.state()).toBe('cloning.queued');
  });

  test.each(['STOP', 'KILL', 'REMOVE'] as const)('%s gives up the place in the queue', async (type) => {
    for (const stale of ['cloning', 'installing'] as const) {
      const plugin = await reach(createPlugin(), 'absent.checking');
      plugin.survey.done(sampleSurvey(stale));
      await plugin.settle();
      plugin.send({ type });
      expect(plugin.state()).toBe('absent.resting');
      expect(asked(plugin)).toEqual(['wants install', 'frees install']);
    }
    const launching = await reach(createPlugin(), 'launching.queued');
    launching.send({ type });
    expect(asked(launching)).toEqual(['wants launch', 'frees launch']);
  });

  test('a failed job frees it', async () => {
    const plugin = await reach(createPlugin(), 'detecting.running');
    plugin.detect.fail();
    expect(asked(plugin)).toEqual(['wants install', 'frees install']);
  });
});

describe('commands where nothing runs', () => {
  test.each(['STOP', 'KILL', 'REMOVE'] as const)('%s is answered at once', async (type) => {
    for (const state of ['absent.resting', 'absent.checking', 'crashed.waiting', 'crashed.parked']) {
      const plugin = await reach(createPlugin(), state);
      plugin.send({ type });
      expect(plugin.state()).toBe('absent.resting');
      expect(plugin.reports.at(-1)?.type).toBe('stop.done');
    }
  });
});
