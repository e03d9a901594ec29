import { expect, test } from 'vitest';
import { createStage, eventually, fixture, puppet, textOf } from './stage.ts';

/** Asked often; how long an answer may take is only short where none will come. */
const timing = { liveness: 200, healthCheck: 1_000, recheck: 100 };

test('R7 one that answers nothing any more is unrouted, then restarted after three checks; a call waits for that', async () => {
  await using stage = await createStage({ timing, plugins: { p: puppet() } });
  const { supervisor } = stage;
  const before = textOf(await supervisor.call('p', { tool: 'pid' }));
  await supervisor.call('p', { tool: 'deafen' });
  await eventually(() => supervisor.status('p').subState === 'failing');
  expect(supervisor.status('p')).toMatchObject({ generation: 1, failure: { code: 'RUN_UNRESPONSIVE' } });

  const after = textOf(await supervisor.call('p', { tool: 'pid' }));
  expect(after).not.toBe(before);
  const crash = supervisor.history('p').find(({ state }) => state === 'crashed');
  expect(crash).toMatchObject({
    generation: 1,
    failure: { code: 'RUN_UNRESPONSIVE', message: 'The program runs, but 3 health checks in a row were not answered.' },
  });
});

test('R7 a health path that says "not ready" unroutes and kills nothing; calls go on when it is ready again', async () => {
  await using stage = await createStage({ timing, plugins: { p: fixture('plugins/http-health') } });
  const { supervisor } = stage;
  const { pid } = (await supervisor.call('p', {})) as { pid: number };
  // Unready at once, ready again by itself after a while.
  await supervisor.call('p', { healthy: false });
  await eventually(() => supervisor.status('p').subState === 'failing');
  expect(supervisor.status('p').failure).toMatchObject({ code: 'RUN_NOT_READY' });
  const waiting = supervisor.call('p', {});
  await eventually(() => supervisor.status('p').held === 1);
  await fetch(`${supervisor.status('p').url}`, { method: 'POST', body: JSON.stringify({ healthy: true }) });
  await expect(waiting).resolves.toEqual({ pid });
  expect(supervisor.status('p')).toMatchObject({ generation: 1, failure: null });
});

test('one that leaves a ping without an answer, but lists its tools, is well', async () => {
  await using stage = await createStage({ timing, plugins: { p: puppet('no-ping') } });
  const { supervisor } = stage;
  const pid = textOf(await supervisor.call('p', { tool: 'pid' }));
  const states = () => supervisor.history('p').filter(({ failure }) => failure !== null);
  await eventually(() => states().length > 0);
  // From then on it is asked for its tools, which it answers: routed again, and no further complaint.
  expect(textOf(await supervisor.call('p', { tool: 'pid' }))).toBe(pid);
  const complaints = states().length;
  await new Promise((resolve) => setTimeout(resolve, 5 * timing.liveness));
  expect(states()).toHaveLength(complaints);
  expect(supervisor.status('p').generation).toBe(1);
});

test('R7 one that works on a call, unable to answer anything else, is left alone', async () => {
  await using stage = await createStage({ timing: { ...timing, healthCheck: 200 }, plugins: { p: puppet() } });
  const { supervisor } = stage;
  const answer = await supervisor.call('p', { tool: 'block', arguments: { ms: 3_000 } });
  expect(textOf(answer)).toBe('blocked');
  expect(supervisor.history('p').filter(({ failure }) => failure !== null)).toEqual([]);
});

test('R7 one that is stopped (SIGSTOP) is found out and replaced', async () => {
  await using stage = await createStage({ timing, plugins: { p: puppet() } });
  const { supervisor } = stage;
  const pid = Number(textOf(await supervisor.call('p', { tool: 'pid' })));
  process.kill(pid, 'SIGSTOP');
  await eventually(() => supervisor.history('p').some(({ failure }) => failure?.code === 'RUN_UNRESPONSIVE'));
  expect(Number(textOf(await supervisor.call('p', { tool: 'pid' })))).not.toBe(pid);
});
