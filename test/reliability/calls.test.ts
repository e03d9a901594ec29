/** What is promised of every call, beside the numbered scenarios: it settles once, in time, with its fate. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CallOptions, Supervisor } from '../../src/options.ts';
import { createStage, eventually, failureOf, linesOf, logOf, puppet, type Stage, textOf } from './stage.ts';

const call = async (supervisor: Supervisor, tool: string, given: object = {}, options: CallOptions = {}) =>
  textOf(await supervisor.call('p', { tool, arguments: { ...given } }, options));
const noted = async ({ home }: Stage, what: string) =>
  (await linesOf(logOf(home))).filter((line) => line === what || line.startsWith(`${what} `));

/** A puppet `p` in service. */
async function running() {
  const stage = await createStage({ timing: { drain: 100, inputClose: 100, terminate: 100 } });
  const { supervisor, home } = stage;
  supervisor.add('p', puppet('', { env: { PUPPET_LOG: logOf(home) } }));
  const { pid } = await supervisor.start('p');
  return { stage, supervisor, pid: pid! };
}

test('every call of a crowd settles once when its program is killed, with its own answer or its fate', async () => {
  const { stage, supervisor, pid } = await running();
  await using _ = stage;
  let settled = 0;
  const calls = Array.from({ length: 60 }, async (_, at) => {
    // The first of three may be repeated, the others may not; the last is in flight until the end.
    const [tool, given] = [
      ['echo', { message: `${at}` }] as const,
      ['slow', { ms: at * 10 }] as const,
      ['never'] as const,
    ][at % 3]!;
    const work = call(supervisor, tool, given);
    const [result] = await Promise.allSettled([work]);
    settled += 1;
    return result;
  });
  await eventually(() => settled > 20);
  process.kill(pid, 'SIGKILL');
  const results = await Promise.all(calls);
  for (const [at, result] of results.entries()) {
    if (at % 3 === 0) expect(result).toEqual({ status: 'fulfilled', value: `${at}` });
    else if (result.status === 'fulfilled') expect([at % 3, result.value]).toEqual([1, 'slept']);
    else expect(result.reason).toMatchObject({ code: 'CALL_INTERRUPTED', data: { fate: 'sent-unknown' } });
  }
  expect(settled).toBe(60);
  // Nothing that may not be repeated was sent twice.
  for (const tool of ['slow', 'never']) expect((await noted(stage, `call ${tool}`)).length).toBeLessThanOrEqual(20);
  expect(supervisor.status('p').inFlight).toBe(0);
});

test('R15 a call in an unknown fate is repeated only where its tool allows that', async () => {
  const { stage, supervisor, pid } = await running();
  await using _ = stage;
  // Both are written, and nobody knows whether they were read.
  process.kill(pid, 'SIGSTOP');
  const allowed = call(supervisor, 'pid');
  const forbidden = failureOf(call(supervisor, 'slow', { ms: 1 }));
  // What is written in one turn of the event loop goes out by its end.
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.kill(pid, 'SIGKILL');
  expect(await forbidden).toMatchObject({
    code: 'CALL_INTERRUPTED',
    exit: { code: null, signal: 'SIGKILL' },
    data: { fate: 'sent-unknown' },
  });
  expect(await allowed).toBe(String(supervisor.status('p').pid));
  expect(supervisor.status('p').generation).toBe(2);
  expect(await noted(stage, 'call slow')).toEqual([]);
});

test('a call that is repeated and cut off again fails', async () => {
  const { stage, supervisor, pid } = await running();
  await using _ = stage;
  process.kill(pid, 'SIGSTOP');
  supervisor.on('plugin:ready', () => process.kill(supervisor.status('p').pid!, 'SIGSTOP'));
  const answer = failureOf(call(supervisor, 'pid'));
  process.kill(pid, 'SIGKILL');
  const second = await eventually(() => {
    const status = supervisor.status('p');
    return status.generation === 2 && status.inFlight === 1 && (status.pid ?? false);
  });
  process.kill(second, 'SIGKILL');
  expect(await answer).toMatchObject({ code: 'CALL_INTERRUPTED', data: { fate: 'sent-unknown' }, generation: 2 });
});

test('R41 a call without an answer ends at its deadline, and the server is told', async () => {
  const { stage, supervisor } = await running();
  await using _ = stage;
  const late = await failureOf(call(supervisor, 'never', {}, { timeout: 100 }));
  expect(late).toMatchObject({ code: 'CALL_TIMEOUT', data: { fate: 'sent-unknown', timeout: 100 } });
  await eventually(async () => (await noted(stage, 'cancelled')).length === 1);
  expect(supervisor.status('p')).toMatchObject({ generation: 1, inFlight: 0 });
});

test('a call that is aborted ends at once, and the server is told', async () => {
  const { stage, supervisor } = await running();
  await using _ = stage;
  const abort = new AbortController();
  const aborted = failureOf(call(supervisor, 'never', {}, { signal: abort.signal }));
  await eventually(async () => (await noted(stage, 'call never')).length === 1);
  expect(await noted(stage, 'cancelled')).toEqual([]);
  abort.abort();
  expect(await aborted).toMatchObject({ code: 'CALL_CANCELLED', data: { fate: 'sent-unknown' } });
  await eventually(async () => (await noted(stage, 'cancelled')).length === 1);
});

test('R41 each progress restarts the deadline, and the caller hears it', async () => {
  const { stage, supervisor } = await running();
  await using _ = stage;
  const heard: unknown[] = [];
  const onProgress = (progress: unknown) => heard.push((progress as { progress: number }).progress);
  // Longer than the deadline as a whole.
  const work = call(supervisor, 'progress', { times: 30, ms: 100 }, { timeout: 2500, onProgress });
  expect(await work).toBe('done');
  expect(heard).toEqual(Array.from({ length: 30 }, (_, at) => at + 1));
});

test('R45 a late answer is dropped, and reaches nobody else', async () => {
  const { stage, supervisor } = await running();
  await using _ = stage;
  const heard: unknown[] = [];
  const link = await supervisor.open('p');
  link.onMessage((message) => heard.push(message));
  const file = join(stage.home.root, 'there');
  const late = await failureOf(call(supervisor, 'when', { file }, { timeout: 100 }));
  expect(late.code).toBe('CALL_TIMEOUT');
  await writeFile(file, '');
  const others = Array.from({ length: 20 }, (_, at) => call(supervisor, 'echo', { message: `${at}` }));
  expect(await Promise.all(others)).toEqual(Array.from({ length: 20 }, (_, at) => `${at}`));
  await eventually(async () => (await noted(stage, 'answered')).length === 1);
  // What comes behind the late answer on the same pipe has been read: so has the late answer.
  expect(await call(supervisor, 'echo', { message: 'behind' })).toBe('behind');
  expect(heard).toEqual([]);
  expect(supervisor.status('p')).toMatchObject({ generation: 1, inFlight: 0, noise: null });
});

test('R39 a message over the limit is refused before the pipe, and the program lives on', async () => {
  const { stage, supervisor } = await running();
  await using _ = stage;
  const message = 'ü'.repeat(6 * 1024 * 1024);
  const refused = await failureOf(call(supervisor, 'echo', { message }));
  expect(refused).toMatchObject({ code: 'CALL_TOO_LARGE', data: { fate: 'not-sent', limit: 10_484_736 } });
  expect(await noted(stage, 'call echo')).toEqual([]);
  expect(await call(supervisor, 'echo', { message: 'smaller' })).toBe('smaller');
  expect(supervisor.status('p').generation).toBe(1);
});

test('a stop settles what it does not wait for, with its fate', async () => {
  const { stage, supervisor } = await running();
  await using _ = stage;
  const calls = Array.from({ length: 5 }, () => failureOf(call(supervisor, 'never')));
  await eventually(() => supervisor.status('p').inFlight === 5);
  await supervisor.stop('p');
  for (const failure of await Promise.all(calls)) {
    expect(failure).toMatchObject({ code: 'CALL_INTERRUPTED', data: { fate: 'sent-unknown' } });
  }
  expect(await failureOf(call(supervisor, 'echo'))).toMatchObject({ code: 'CALL_STOPPED', data: { fate: 'not-sent' } });
});
