/** State targets are only checked when a machine starts: each one must. */

import { createActor } from 'xstate';
import { expect, test } from 'vitest';
import { pluginMachine } from '../../machines/plugin.ts';
import { defaultTiming } from '../../machines/policy.ts';
import { supervisorMachine } from '../../machines/supervisor.ts';
import { createHarness } from '../../src/testing/harness.ts';
import { sampleSpec } from '../../src/testing/samples.ts';

test('the plugin machine starts in absent.resting', () => {
  const actor = createActor(pluginMachine.provide({ actors: {} }), {
    parent: createActor(supervisorMachine, {
      input: {
        timing: defaultTiming,
        restartPolicy: createHarness().actor.getSnapshot().context.restartPolicy,
        slots: { install: 1, launch: 1 },
        now: () => 0,
        random: () => 0,
      },
    }),
    input: { plugin: 'a', spec: sampleSpec(), generation: 0, timing: defaultTiming },
  });
  actor.start();
  expect(actor.getSnapshot().value).toEqual({ absent: 'resting' });
});

test('the supervisor machine starts in running', () => {
  expect(createHarness().actor.getSnapshot().value).toBe('running');
});

test('an actor that nobody provided says so, and breaks nothing but its own plugin', async () => {
  const harness = createHarness();
  harness.add('a');
  harness.send({ type: 'START', plugin: 'a' });
  await harness.walk('a', 'ready');
  expect(harness.errors).toEqual([]);
  expect(harness.state('a')).toBe('ready');
});

test('walk goes through every stage of a first start', async () => {
  const harness = createHarness();
  const a = harness.add('a');
  harness.call('a', 'c1');
  const { sampleSurvey } = await import('../../src/testing/samples.ts');
  a.survey.done(sampleSurvey('cloning'));
  await harness.walk('a', 'ready');
  expect(harness.emitted.filter((e) => e.type === 'plugin.entered').map((e) => e.state)).toEqual([
    'absent', 'cloning', 'detecting', 'installing', 'launching', 'probing', 'ready',
  ]);
  expect(harness.verdicts('c1')).toMatchObject([{ type: 'call.admitted', generation: 1 }]);
  harness.send({ type: 'CLOSE' });
  expect(harness.state('a')).toBe('stopping.draining');
  await harness.walk('a', 'absent.resting').catch(() => {});
  expect(harness.actor.getSnapshot().status).toBe('done');
});
