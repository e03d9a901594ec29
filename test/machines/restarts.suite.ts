import { describe, expect, test } from 'vitest';
import { createFailure } from '../../machines/failure.ts';
import type { Harness } from '../../src/testing/harness.ts';
import { sampleSurvey } from '../../src/testing/samples.ts';
import { createCovered } from './covered.ts';

/** Launched and ended before it was ready. */
async function failStart(harness: Harness, plugin = 'a'): Promise<void> {
  await harness.walk(plugin, 'probing');
  harness.plugin(plugin).process.exit(1);
  harness.plugin(plugin).process.empty();
}

async function crashReady(harness: Harness, after: number, plugin = 'a'): Promise<void> {
  await harness.walk(plugin, 'ready');
  await harness.advance(after);
  harness.plugin(plugin).process.exit(1);
  harness.plugin(plugin).process.empty();
}

/** Milliseconds until the plugin leaves crashed.waiting. */
async function backoff(harness: Harness, plugin = 'a'): Promise<number> {
  expect(harness.state(plugin)).toBe('crashed.waiting');
  const due = harness.clock.next()!;
  const wait = due - harness.clock.now();
  expect(harness.context(plugin).retryAt).toBe(due);
  if (wait > 0) {
    await harness.advance(wait - 1);
    expect(harness.state(plugin)).toBe('crashed.waiting');
    await harness.advance(1);
  } else await harness.advance(0);
  expect(harness.state(plugin)).toBe('absent.checking');
  return wait;
}

const started = (options = {}, spec = {}) => {
  const harness = createCovered(options);
  harness.add('a', spec);
  harness.send({ type: 'START', plugin: 'a' });
  return harness;
};

describe('backoff', () => {
  test('doubles from 250 ms, and parks after the fifth failed start', async () => {
    const harness = started();
    const delays: number[] = [];
    for (let failed = 1; failed <= 4; failed += 1) {
      await failStart(harness);
      delays.push(await backoff(harness));
    }
    expect(delays).toEqual([250, 500, 1000, 2000]);
    await failStart(harness);
    expect(harness.state('a')).toBe('crashed.parked');
    expect(harness.context('a')).toMatchObject({ trialAt: harness.clock.now() + 60_000, retryAt: null });
  });

  test('ends at 30 s', async () => {
    const harness = started({ restartPolicy: { maxFailedStarts: 100, maxCrashes: 100 } });
    const delays: number[] = [];
    for (let failed = 1; failed <= 10; failed += 1) {
      await failStart(harness);
      delays.push(await backoff(harness));
    }
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  test.each([
    [0, 188],
    [0.25, 219],
    [0.75, 281],
    [0.999, 312],
  ])('is jittered by up to a quarter: random %d makes %d ms', async (random, delay) => {
    const harness = started({ random: () => random });
    await failStart(harness);
    expect(await backoff(harness)).toBe(delay);
  });

  test('is none after 10 s ready', async () => {
    const harness = started();
    await crashReady(harness, 9_999);
    expect(await backoff(harness)).toBe(250);
    await crashReady(harness, 10_000);
    expect(await backoff(harness)).toBe(0);
    await crashReady(harness, 0);
    expect(await backoff(harness)).toBe(500);
  });

  test('counts ready time from ready to the end of service, idle included, stopping not', async () => {
    const harness = started();
    await harness.walk('a', 'ready');
    await harness.advance(9_000);
    const traffic = (type: 'calls.quiet' | 'calls.busy') =>
      harness.send({ type: 'traffic', plugin: 'a', event: { type, generation: 1 } });
    traffic('calls.quiet');
    traffic('calls.busy');
    await harness.advance(500);
    harness.plugin('a').process.exit(1);
    await harness.advance(2_000);
    harness.plugin('a').process.empty();
    expect(await backoff(harness)).toBe(250);
  });

  test('starts again from nothing after 60 s ready', async () => {
    const harness = started();
    for (let failed = 1; failed <= 4; failed += 1) {
      await failStart(harness);
      await backoff(harness);
    }
    await crashReady(harness, 60_000);
    expect(await backoff(harness)).toBe(0);
    await failStart(harness);
    expect(await backoff(harness)).toBe(250);
  });

  test('a start that became ready breaks the row of failed ones', async () => {
    const harness = started();
    for (let failed = 1; failed <= 4; failed += 1) {
      await failStart(harness);
      await backoff(harness);
    }
    await crashReady(harness, 100);
    expect(harness.state('a')).toBe('crashed.waiting');
  });

  test('is the same for a job that fails', async () => {
    const harness = started();
    harness.plugin('a').survey.done(sampleSurvey('cloning'));
    await harness.settle();
    harness.plugin('a').clone.fail(createFailure('CLONE_NETWORK'));
    expect(await backoff(harness)).toBe(250);
  });

  test('leaves the other plugins alone', async () => {
    const harness = started();
    harness.add('b');
    harness.send({ type: 'START', plugin: 'b' });
    await harness.walk('b', 'ready');
    await failStart(harness);
    harness.call('b', 'c1');
    expect(harness.verdicts('c1')).toMatchObject([{ type: 'call.admitted' }]);
    expect(harness.context('b').generation).toBe(1);
  });
});

describe('parking', () => {
  test('comes after 10 crashes in 10 min though each start became ready', async () => {
    const harness = started();
    for (let crash = 1; crash <= 9; crash += 1) {
      await crashReady(harness, 20_000);
      await backoff(harness);
    }
    await crashReady(harness, 20_000);
    expect(harness.state('a')).toBe('crashed.parked');
  });

  test('does not come when the crashes are spread wider', async () => {
    const harness = started({ restartPolicy: { crashWindow: 100_000 } });
    for (let crash = 1; crash <= 15; crash += 1) {
      await crashReady(harness, 20_000);
      await backoff(harness);
    }
  });

  test.each(['LAUNCH_NEEDS_SETTING', 'DETECT_NOT_A_SERVER'] as const)('comes at once for %s', async (code) => {
    const harness = started();
    harness.plugin('a').survey.done(sampleSurvey('detecting'));
    await harness.settle();
    harness.plugin('a').detect.fail(createFailure(code));
    expect(harness.state('a')).toBe('crashed.parked');
    expect(harness.context('a').trialAt).toBeNull();
    expect(harness.clock.next()).toBeNull();
  });

  test('comes at once for a temporary plugin', async () => {
    const harness = started({}, { restart: 'temporary' });
    await crashReady(harness, 100_000);
    expect(harness.state('a')).toBe('crashed.parked');
    expect(harness.context('a').trialAt).toBeNull();
  });
});

describe('a trial start', () => {
  /** Parked by count. */
  async function parked(spec = {}): Promise<Harness> {
    const harness = started({}, spec);
    for (let failed = 1; failed <= 5; failed += 1) {
      await failStart(harness);
      if (failed < 5) await backoff(harness);
    }
    expect(harness.state('a')).toBe('crashed.parked');
    return harness;
  }

  test('is refused to calls before a minute has passed, then given to one', async () => {
    const harness = await parked();
    await harness.advance(59_999);
    harness.call('a', 'early');
    expect(harness.verdicts('early')).toMatchObject([{ failure: { code: 'LAUNCH_EXITED' } }]);
    await harness.advance(1);
    expect(harness.state('a')).toBe('crashed.parked');
    harness.call('a', 'c1');
    expect(harness.state('a')).toBe('absent.checking');
    await harness.walk('a', 'ready');
    expect(harness.verdicts('c1')).toMatchObject([{ type: 'call.admitted' }]);
  });

  test('that fails parks at once, and the next one waits twice as long, up to 15 min', async () => {
    const harness = await parked();
    const waits: number[] = [];
    for (let trial = 1; trial <= 6; trial += 1) {
      const wait = harness.clock.next()! - harness.clock.now();
      waits.push(wait / 60_000);
      await harness.advance(wait);
      harness.call('a', `c${trial}`);
      await failStart(harness);
      expect(harness.state('a')).toBe('crashed.parked');
      expect(harness.verdicts(`c${trial}`)).toMatchObject([{ failure: { code: 'LAUNCH_EXITED' } }]);
    }
    expect(waits).toEqual([1, 2, 4, 8, 15, 15]);
  });

  test('needs no call for a permanent plugin', async () => {
    const harness = await parked({ restart: 'permanent' });
    await harness.advance(60_000);
    expect(harness.state('a')).toBe('absent.checking');
  });

  test.each(['START', 'RESTART'] as const)('%s does not wait for it and forgets the history', async (type) => {
    const harness = await parked();
    harness.send({ type, plugin: 'a' });
    expect(harness.state('a')).toBe('absent.checking');
    await failStart(harness);
    expect(await backoff(harness)).toBe(250);
  });

  test('RESET makes it absent, with its history forgotten; the next call starts it', async () => {
    const harness = await parked();
    harness.send({ type: 'RESET', plugin: 'a' });
    expect(harness.state('a')).toBe('absent.resting');
    harness.call('a', 'c1');
    await failStart(harness);
    expect(await backoff(harness)).toBe(250);
  });
});

describe('a command during backoff', () => {
  async function waiting(): Promise<Harness> {
    const harness = started();
    await failStart(harness);
    expect(harness.state('a')).toBe('crashed.waiting');
    return harness;
  }

  test.each(['STOP', 'REMOVE'] as const)('%s ends it at once and cancels the timer', async (type) => {
    const harness = await waiting();
    harness.send({ type, plugin: 'a' });
    expect(harness.state('a')).toBe(type === 'STOP' ? 'absent.resting' : 'none');
    expect(harness.clock.next()).toBeNull();
    await harness.advance(3_600_000);
    expect(harness.plugin('a').process.inputs).toHaveLength(1);
  });

  test.each(['START', 'RESTART', 'RESET'] as const)('%s goes on at once', async (type) => {
    const harness = await waiting();
    harness.send({ type, plugin: 'a' });
    expect(harness.state('a')).toBe('absent.checking');
    expect(harness.clock.next()).toBeNull();
  });

  test('a call waits with it and does not shorten it', async () => {
    const harness = await waiting();
    harness.call('a', 'c1');
    expect(await backoff(harness)).toBe(250);
    await harness.walk('a', 'ready');
    expect(harness.verdicts('c1')).toMatchObject([{ type: 'call.admitted' }]);
  });
});

test('a START while it runs does not make its next crash a failed start', async () => {
  const harness = started();
  await harness.walk('a', 'ready');
  await harness.advance(10_000);
  harness.send({ type: 'START', plugin: 'a' });
  harness.plugin('a').process.exit(1);
  harness.plugin('a').process.empty();
  expect(await backoff(harness)).toBe(0);
});

test('an operator’s restart is no crash', async () => {
  const harness = started();
  await harness.walk('a', 'ready');
  harness.send({ type: 'RESTART', plugin: 'a' });
  await harness.walk('a', 'ready');
  expect(harness.emitted.some((event) => event.type === 'plugin.entered' && event.state === 'crashed')).toBe(false);
  expect(harness.context('a').generation).toBe(2);
});

test('absent is told once, not again for a start that was called off', async () => {
  const harness = started();
  harness.send({ type: 'STOP', plugin: 'a' });
  expect(harness.emitted.map((event) => event.type)).toEqual(['plugin.entered']);
});

test('an eager plugin starts when it is added, a manual one does not', () => {
  const harness = createCovered();
  harness.add('eager', { activation: 'eager' });
  harness.add('manual', { activation: 'manual' });
  expect(harness.state('eager')).toBe('absent.checking');
  expect(harness.state('manual')).toBe('absent.resting');
});
