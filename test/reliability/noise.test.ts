/** What stands on stdout beside the messages: logged, counted, and past a limit named with its likely cause. */

import { expect, test } from 'vitest';
import { probe } from '../actors/probe-harness.ts';
import { createHarness } from '../actors/process-harness.ts';
import { createStage, eventually, program, puppet, textOf } from './stage.ts';

const print = (text: string, times = 1) => ({
  tool: 'raw',
  arguments: { base64: Buffer.from(text).toString('base64'), times },
});

test('R43 lines that are no messages are logged and counted, and past a hundred named once, with a hint', async () => {
  await using stage = await createStage();
  const { supervisor, complaints } = stage;
  supervisor.add('p', puppet('banner'));
  await supervisor.start('p');
  expect(supervisor.status('p').noise).toMatchObject({ lines: 3, cause: expect.stringContaining('npm') });
  await supervisor.call('p', print('print debugging\n', 97));
  // They are counted when they are read, and the answer came behind them on the same pipe.
  expect(supervisor.status('p').noise).toMatchObject({ lines: 100 });
  expect(complaints).toEqual([]);
  await supervisor.call('p', print('more\n', 200));
  expect(supervisor.status('p').noise).toEqual({
    lines: 300,
    cause: 'npm or pnpm prints the header of a script.',
    hint: expect.stringContaining('--silent'),
  });
  expect(complaints).toHaveLength(1);
  expect(complaints[0]).toContain('npm');
  expect(supervisor.logs('p').filter(({ stream, text }) => stream === 'stdout' && text === 'more')).toHaveLength(200);
});

test('R43 each generation is counted anew', async () => {
  await using stage = await createStage();
  const { supervisor } = stage;
  supervisor.add('p', puppet());
  await supervisor.call('p', print('x\n', 5));
  expect(supervisor.status('p').noise).toMatchObject({ lines: 5, cause: null });
  await supervisor.restart('p');
  expect(supervisor.status('p').noise).toBe(null);
});

test('R43 print statements are named by their language where no tool is recognised', async () => {
  await using stage = await createStage();
  const { supervisor, complaints } = stage;
  supervisor.add('p', puppet());
  await supervisor.call('p', print('got here\n', 101));
  expect(supervisor.status('p').noise?.hint).toContain('console.error');
  expect(complaints).toHaveLength(1);
});

test('R43 what an HTTP server prints on stdout is its log, and no noise', async () => {
  await using stage = await createStage();
  const { supervisor, complaints } = stage;
  const server =
    'for (let i = 0; i < 200; i++) console.log("INFO:     Started server process [1]"); import("./mcp/http.mjs")';
  supervisor.add('p', program(['node', '-e', server]));
  await supervisor.start('p');
  expect(supervisor.status('p')).toMatchObject({ state: 'ready', noise: null });
  expect(supervisor.logs('p').length).toBeGreaterThanOrEqual(200);
  expect(complaints).toEqual([]);
});

test('R43 a secret in a line that only looks like a message is masked', async () => {
  await using stage = await createStage();
  const { supervisor } = stage;
  supervisor.add('p', puppet('', { env: { API_KEY: 'hunter2-hunter2' } }));
  await supervisor.call('p', print('{"level":30,"msg":"key hunter2-hunter2"}\n'));
  const logged = supervisor.logs('p').map(({ text }) => text);
  expect(logged).toEqual(['{"level":30,"msg":"key [redacted]"}']);
});

test('R43 a program that prints and never answers is ended with the likely cause', async () => {
  await using harness = await createHarness();
  const { run } = await probe(harness, ['sh', '-c', 'echo "> demo@1.0.0 start"; exec sleep 300']);
  await eventually(() => harness.context.instances.get('p')?.noise?.lines === 1);
  run.send({ type: 'signal', signal: 'SIGTERM' });
  expect(await run.until('process.exited')).toMatchObject({
    cause: {
      detail: expect.stringMatching(/printed a line on stdout, and no message: npm/),
      hint: expect.stringContaining('--silent'),
    },
  });
  await run.until('group.empty');
});

test('R43 a program that has answered is not blamed for its banner when it is ended', async () => {
  await using harness = await createHarness();
  const probed = await probe(harness, ['node', 'mcp/noisy.mjs']);
  await probed.ready();
  expect(harness.context.instances.get('p')?.noise).toMatchObject({ alone: false });
  probed.run.send({ type: 'signal', signal: 'SIGTERM' });
  expect(await probed.run.until('process.exited')).toMatchObject({ cause: null });
  await probed.run.until('group.empty');
});

test('R11 a banner before the first message is log, and the plugin is ready all the same', async () => {
  await using stage = await createStage();
  const { supervisor } = stage;
  supervisor.add('p', puppet('banner'));
  expect(textOf(await supervisor.call('p', { tool: 'echo', arguments: { message: 'hello' } }))).toBe('hello');
  expect(supervisor.logs('p').map(({ text }) => text)).toEqual(
    expect.arrayContaining(['Welcome!', 'Server running on stdio', '> fixture@1.0.0 start']),
  );
  expect(supervisor.status('p')).toMatchObject({ generation: 1, failure: null });
});

test('R43 a start that times out behind output of another program says whose output it is', async () => {
  const noisy = program(['sh', '-c', 'echo "> demo@1.0.0 start"; exec sleep 300'], {
    restart: 'temporary',
    transport: 'stdio',
  });
  await using stage = await createStage({ timing: { start: 3_000, inputClose: 20 }, plugins: { noisy } });
  await expect(stage.supervisor.start('noisy')).rejects.toMatchObject({
    code: 'PROBE_TIMEOUT',
    hint: expect.stringContaining('--silent'),
    data: { noise: expect.stringContaining('npm') },
  });
});
