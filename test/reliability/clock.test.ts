import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createStage, eventually, puppet, statesOf, textOf } from './stage.ts';

const HOUR = 3_600_000;

/** Only the wall clock is ours; timers and the monotonic clock stay the system's. */
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.now() }));
afterEach(() => void vi.useRealTimers());
const jump = (by: number) => void vi.setSystemTime(Date.now() + by);

describe.each([
  ['forth', HOUR],
  ['back', -HOUR],
])('R60 a wall clock that jumps an hour %s', (_, by) => {
  test('R60 starts nothing early or late: a backoff runs its own time', async () => {
    // One jump behind a long backoff, one behind a short one.
    await using stage = await createStage({
      restartPolicy: { minDelay: 600_000, maxDelay: 600_000 },
      plugins: { long: puppet('exit:1') },
    });
    await using other = await createStage({
      restartPolicy: { minDelay: 300, maxDelay: 300 },
      plugins: { short: puppet('exit:1') },
    });
    void stage.supervisor.start('long').catch(() => {});
    void other.supervisor.start('short').catch(() => {});
    await eventually(() => stage.supervisor.status('long').subState === 'waiting');
    await eventually(() => other.supervisor.status('short').subState === 'waiting');
    jump(by);
    await eventually(() => other.supervisor.status('short').generation >= 3);
    expect(stage.supervisor.status('long')).toMatchObject({ state: 'crashed', subState: 'waiting', generation: 1 });
  });

  test('R60 stops nothing early, and times no call out', async () => {
    await using stage = await createStage({ plugins: { p: puppet('', { idleStop: 600_000 }) } });
    const { supervisor } = stage;
    const pid = textOf(await supervisor.call('p', { tool: 'pid' }));
    const slow = supervisor.call('p', { tool: 'slow', arguments: { ms: 300 } }, { timeout: 600_000 });
    jump(by);
    expect(textOf(await slow)).toBe('slept');
    await eventually(() => supervisor.status('p').state === 'idle');
    jump(by);
    await sleep(200);
    expect(textOf(await supervisor.call('p', { tool: 'pid' }))).toBe(pid);
    expect(statesOf(supervisor, 'p')).not.toContain('stopping');
  });

  test('R60 does not lengthen an idle time', async () => {
    await using stage = await createStage({ plugins: { p: puppet('', { idleStop: 500 }) } });
    const { supervisor } = stage;
    await supervisor.call('p', { tool: 'pid' });
    jump(by);
    await eventually(() => supervisor.status('p').state === 'absent');
  });
});
