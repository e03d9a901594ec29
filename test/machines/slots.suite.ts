import { describe, expect, test } from 'vitest';
import type { Stage } from '../../machines/states.ts';
import { sampleSurvey } from '../../src/testing/samples.ts';
import { createCovered } from './covered.ts';

/** Several plugins that want to start at once. */
async function crowd(slots: { install: number; launch: number }, stale: Stage, names = ['a', 'b', 'c']) {
  const harness = createCovered({ slots });
  for (const name of names) {
    harness.add(name).survey;
    harness.send({ type: 'START', plugin: name });
    harness.plugin(name).survey.done(sampleSurvey(stale));
    await harness.settle();
  }
  return { harness, states: () => names.map(harness.state) };
}

describe('install slots', () => {
  test('are as many as were given; the next waits until one is free', async () => {
    const { harness, states } = await crowd({ install: 1, launch: 8 }, 'cloning');
    expect(states()).toEqual(['cloning.running', 'cloning.queued', 'cloning.queued']);
    harness.plugin('a').clone.done();
    harness.plugin('a').detect.done();
    expect(states()).toEqual(['installing.running', 'cloning.queued', 'cloning.queued']);
    harness.plugin('a').install.done();
    expect(states()).toEqual(['launching.running', 'cloning.running', 'cloning.queued']);
  });

  test('go to a plugin that a caller waits for first', async () => {
    const { harness, states } = await crowd({ install: 1, launch: 8 }, 'cloning');
    harness.call('c', 'c1');
    harness.plugin('a').clone.fail();
    expect(states()).toEqual(['crashed.waiting', 'cloning.queued', 'cloning.running']);
  });

  test('are freed by a stop, whether held or waited for', async () => {
    const { harness, states } = await crowd({ install: 1, launch: 8 }, 'cloning');
    harness.send({ type: 'STOP', plugin: 'b' });
    harness.send({ type: 'STOP', plugin: 'a' });
    expect(states()).toEqual(['cloning.cancelling', 'absent.resting', 'cloning.queued']);
    harness.plugin('a').clone.cancel();
    expect(states()).toEqual(['absent.resting', 'absent.resting', 'cloning.running']);
  });
});

describe('launch slots', () => {
  test('are freed at ready', async () => {
    const { harness, states } = await crowd({ install: 8, launch: 1 }, 'launching');
    expect(states()).toEqual(['launching.running', 'launching.queued', 'launching.queued']);
    harness.plugin('a').process.spawned();
    expect(states()).toEqual(['probing', 'launching.queued', 'launching.queued']);
    harness.plugin('a').probe.ready();
    expect(states()).toEqual(['ready', 'launching.running', 'launching.queued']);
  });

  test('are freed after 5 s of a slow start', async () => {
    const { harness, states } = await crowd({ install: 8, launch: 1 }, 'launching');
    await harness.advance(4_999);
    expect(states()).toEqual(['launching.running', 'launching.queued', 'launching.queued']);
    await harness.advance(1);
    expect(states()).toEqual(['launching.running', 'launching.running', 'launching.queued']);
  });

  test('are freed by an end', async () => {
    const { harness, states } = await crowd({ install: 8, launch: 1 }, 'launching');
    harness.plugin('a').process.failed();
    expect(states()[1]).toBe('launching.running');
  });

  test('the 5 s of one launch do not end those of the next', async () => {
    const { harness, states } = await crowd({ install: 8, launch: 1 }, 'launching');
    await harness.advance(4_000);
    harness.plugin('a').process.spawned();
    harness.plugin('a').probe.ready();
    harness.send({ type: 'RESTART', plugin: 'a' });
    await harness.advance(1_500);
    expect(states().slice(1)).toEqual(['launching.running', 'launching.queued']);
  });
});

test('200 cold starts never run more installs at once than there are slots, and all become ready', async () => {
  const names = Array.from({ length: 200 }, (_, index) => `p${index}`);
  const { harness } = await crowd({ install: 4, launch: 4 }, 'cloning', names);
  const working = () => names.filter((name) => /^(cloning|detecting|installing)\.running/.test(harness.state(name)));
  while (working().length > 0) {
    expect(working().length).toBeLessThanOrEqual(4);
    await harness.walk(working()[0]!, 'launching.running').catch(() => {});
    for (const name of names.filter((each) => harness.state(each) === 'launching.running')) {
      await harness.walk(name, 'ready');
    }
  }
  expect(names.filter((name) => harness.state(name) !== 'ready')).toEqual([]);
});
