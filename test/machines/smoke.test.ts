/** State targets are only checked when a machine starts, so each one is started once. */

import { expect, test } from 'vitest';
import { createActor, setup } from 'xstate';
import { pluginMachine } from '../../machines/plugin.ts';
import { defaultRestartPolicy, defaultTiming } from '../../machines/policy.ts';
import { supervisorMachine } from '../../machines/supervisor.ts';
import { sampleSpec } from '../../src/testing/samples.ts';

const input = {
  timing: defaultTiming,
  restartPolicy: defaultRestartPolicy,
  slots: { install: 1, launch: 1 },
  now: () => 0,
  random: () => 0,
};

test('the supervisor machine starts in running, bare as it is exported', () => {
  const actor = createActor(supervisorMachine, { input }).start();
  expect(actor.getSnapshot().value).toBe('running');
  actor.send({ type: 'ADD', plugin: 'a', spec: sampleSpec() });
  expect(actor.getSnapshot().children.a?.getSnapshot()).toMatchObject({ value: { absent: 'resting' } });
  actor.send({ type: 'CLOSE' });
  expect(actor.getSnapshot().status).toBe('done');
});

test('the plugin machine starts in absent, bare as it is exported', () => {
  const parent = setup({ actors: { plugin: pluginMachine } }).createMachine({
    invoke: {
      id: 'plugin',
      src: 'plugin',
      input: { plugin: 'a', spec: sampleSpec(), generation: 0, timing: defaultTiming },
    },
  });
  const actor = createActor(parent).start();
  expect(actor.getSnapshot().children.plugin?.getSnapshot().value).toEqual({ absent: 'resting' });
  actor.stop();
});

test('an actor that nobody provided is named in the error, and only its own plugin breaks', async () => {
  const actor = createActor(supervisorMachine, { input }).start();
  const failures: unknown[] = [];
  actor.on('plugin.entered', ({ failure }) => failure && failures.push(failure.message));
  actor.send({ type: 'ADD', plugin: 'a', spec: sampleSpec() });
  actor.send({ type: 'START', plugin: 'a' });
  await new Promise((resolve) => setImmediate(resolve));
  expect(failures).toEqual(['The actor of a broke: actor "survey" was not provided']);
  expect(actor.getSnapshot().status).toBe('active');
  actor.stop();
});
