/** What is settled stays settled: facts, answers and verdicts that come too late or twice change nothing. */

import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { PluginEvent } from '../../machines/events.ts';
import { createFailure } from '../../machines/failure.ts';
import { SupervisorError } from '../../src/errors.ts';
import { createStage, eventually, puppet, textOf } from './stage.ts';

/** Long enough never to expire here. */
const PATIENT = 60_000;

test('R37 a stop waits for the answers of a server that ends at once with its input', async () => {
  await using stage = await createStage({ timing: { drain: PATIENT, inputClose: PATIENT } });
  const { supervisor } = stage;
  supervisor.add('p', puppet('hasty'));
  await supervisor.start('p');
  const answer = supervisor.call('p', { tool: 'slow', arguments: { ms: 500 } });
  await eventually(() => supervisor.status('p').inFlight === 1);
  const stopped = supervisor.stop('p');
  expect(textOf(await answer)).toBe('slept');
  await stopped;
});

test('R36 a call that waits gets one verdict, whatever ends its waiting', async () => {
  await using stage = await createStage({ timing: { inputClose: 20 } });
  const { supervisor } = stage;
  const verdicts: string[] = [];
  for (const type of ['call.admitted', 'call.rejected'] as const) {
    supervisor.actor.on(type, ({ callId }) => void verdicts.push(callId));
  }
  const callOf = (name: string) =>
    supervisor.call(name, { tool: 'echo', arguments: {} }).then(
      () => 'answered',
      (error: unknown) => (SupervisorError.is(error) ? error.code : error),
    );
  supervisor.add('p', puppet());
  expect(await Promise.all([callOf('p'), callOf('p'), callOf('p')])).toEqual(['answered', 'answered', 'answered']);
  await supervisor.remove('p');
  supervisor.add('q', puppet('silent'));
  const waiting = Promise.all([callOf('q'), callOf('q')]);
  await eventually(() => supervisor.status('q').held === 2);
  await supervisor.remove('q');
  expect(await waiting).toEqual(['CALL_STOPPED', 'CALL_STOPPED']);
  expect(verdicts.length).toBe(5);
  expect(verdicts.length).toBe(new Set(verdicts).size);
});

test('R45 the answer to a call that has timed out does not answer the next one', async () => {
  await using stage = await createStage();
  const { supervisor } = stage;
  supervisor.add('p', puppet());
  await supervisor.start('p');
  const late = supervisor.call('p', { tool: 'slow', arguments: { ms: 600 } }, { timeout: 100 });
  await expect(late).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
  // Under way while the late answer comes.
  const next = supervisor.call('p', { tool: 'progress', arguments: { times: 1, ms: 1500 } });
  expect(textOf(await next)).toBe('done');
  await supervisor.stop('p');
  expect(supervisor.metrics()).toMatchObject([{ lateReplies: 1 }]);
});

test('R66 facts of an earlier generation change nothing', async () => {
  await using stage = await createStage();
  const { supervisor } = stage;
  supervisor.add('p', puppet());
  await supervisor.start('p');
  const { pid, generation } = await supervisor.restart('p');
  expect(generation).toBe(2);
  const plugin = supervisor.actor.getSnapshot().children.p as unknown as { send(event: PluginEvent): void };
  const failure = createFailure('RUN_DISCONNECTED');
  const stale: PluginEvent[] = [
    { type: 'calls.quiet', generation: 1 },
    { type: 'session.closed', generation: 1, failure },
    {
      type: 'process.exited',
      generation: 1,
      exit: { code: 1, signal: null },
      stderrTail: [],
      cause: null,
    },
    { type: 'group.empty', generation: 1 },
  ];
  for (const fact of stale) plugin.send(fact);
  await delay(50);
  expect(supervisor.status('p')).toMatchObject({ state: 'ready', generation: 2, pid, failure: null });
  expect(textOf(await supervisor.call('p', { tool: 'pid' }))).toBe(String(pid));
});
