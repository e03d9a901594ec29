import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ProcessHandle } from '../../actors/context.ts';
import { createHarness, type Harness, started } from './process-harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await createHarness();
});
afterEach(() => harness[Symbol.asyncDispose]());

const collect = (handle: ProcessHandle) => {
  const chunks: Buffer[] = [];
  let ends = 0;
  handle.readStdout(
    (chunk) => chunks.push(chunk),
    () => {
      ends += 1;
    },
  );
  return { text: () => Buffer.concat(chunks).toString(), bytes: () => Buffer.concat(chunks).length, ends: () => ends };
};

it('carries stdin to the program and stdout to the one reader', async () => {
  const run = harness.run(['node', 'echo.mjs']);
  run.send({ type: 'spawn' });
  await run.until('process.spawned');
  const read = collect(run.handle());
  expect(run.handle().write('{"id":1}\n')).toBe(true);
  await expect.poll(read.text).toBe('Welcome!\n{"id":1}\n');
  expect(run.handle().writeBacklog()).toBe(0);
  expect(harness.output).toEqual(['p stdout Welcome!']);
  run.send({ type: 'input.close' });
  await run.until('group.empty');
  expect(read.ends()).toBe(1);
});

it('replays to a late reader what came before it', async () => {
  const run = harness.run(['node', 'echo.mjs']);
  run.send({ type: 'spawn' });
  await run.line('Welcome!');
  const handle = run.handle();
  const read = collect(handle);
  expect(read.text()).toBe('Welcome!\n');
  run.send({ type: 'input.close' });
  await run.until('group.empty');
  const late: string[] = [];
  handle.readStdout(
    () => {},
    () => late.push('ended'),
  );
  expect(late).toEqual(['ended']);
});

it('delivers what was written just before the exit', async () => {
  const run = harness.run(['node', 'exits-on-eof.mjs']);
  const read = collect(await started(run));
  run.send({ type: 'input.close' });
  await run.until('process.exited');
  expect(read.text()).toBe('bye\n');
  await run.until('group.empty');
});

it('drains stdout without a reader, and without a newline, for ever', async () => {
  const run = harness.run(['node', 'stdout-flood.mjs', '200', '{']);
  run.send({ type: 'spawn' });
  await run.line('flooded');
  const read = collect(run.handle());
  expect(read.bytes()).toBeLessThanOrEqual(1024 * 1024);
  run.send({ type: 'signal', signal: 'SIGKILL' });
  await run.until('group.empty');
  expect(harness.output).toEqual(['p stderr flooded']);
});

it('breaks a line without end into pieces', async () => {
  const run = harness.run(['node', 'stdout-flood.mjs', '2']);
  run.send({ type: 'spawn' });
  await run.line('flooded');
  run.send({ type: 'signal', signal: 'SIGKILL' });
  await run.until('group.empty');
  const pieces = harness.output.filter((line) => line.startsWith('p stdout '));
  expect(pieces.map((piece) => piece.length - 'p stdout '.length)).toEqual(Array.from({ length: 32 }, () => 65_536));
});

it('drains a flood of stderr into a bounded tail and never blocks the program', async () => {
  const run = harness.run(['node', 'stderr-flood.mjs', '100']);
  Object.assign(harness.context, { output: () => undefined });
  run.send({ type: 'spawn' });
  await run.until('process.spawned');
  const handle = run.handle();
  const read = collect(handle);
  await expect.poll(read.text, { timeout: 60_000 }).toBe('{"done":true}\n');
  expect(handle.stderrTail().length).toBe(1000);
  run.send({ type: 'signal', signal: 'SIGKILL' });
  expect((await run.until('process.exited')).stderrTail.at(-1)).toBe('e'.repeat(99));
  await run.until('group.empty');
});

it('is not held up by a program that never reads', async () => {
  const run = harness.run(['node', 'reads-nothing.mjs']);
  const handle = await started(run);
  expect(handle.write('x'.repeat(1_000_000))).toBe(true);
  expect(handle.writeBacklog()).toBeGreaterThan(0);
  run.send({ type: 'input.close' });
  run.send({ type: 'signal', signal: 'SIGTERM' });
  await run.until('group.empty');
  expect(handle.write('x')).toBe(false);
});

it('takes a pipe that broke for what it is', async () => {
  const run = harness.run(['sh', '-c', 'exec 0<&-; echo ready >&2; exec sleep 300']);
  const handle = await started(run);
  handle.write('x');
  await expect.poll(() => handle.write('x')).toBe(false);
  run.send({ type: 'signal', signal: 'SIGTERM' });
  await run.until('group.empty');
});

it('gives a line listener every line, also those from before', async () => {
  const run = harness.run(['node', 'listens.mjs', '0']);
  run.send({ type: 'spawn' });
  await run.line('listening on');
  const lines: string[] = [];
  const off = run.handle().onLine((line) => lines.push(line));
  expect(lines).toEqual([expect.stringMatching(/^listening on \d+$/)]);
  off();
  run.send({ type: 'signal', signal: 'SIGTERM' });
  await run.until('group.empty');
});

it('takes JSON on stdout for log lines where the protocol is elsewhere', async () => {
  const run = harness.run(['node', '-e', 'console.log(JSON.stringify({level:30}))'], { plan: { transport: 'http' } });
  run.send({ type: 'spawn' });
  await run.until('group.empty');
  expect(harness.output).toEqual(['p stdout {"level":30}']);
});

it('survives listeners that throw', async () => {
  const run = harness.run(['node', 'echo.mjs']);
  Object.assign(harness.context, {
    output: () => {
      throw new Error('log is full');
    },
  });
  run.send({ type: 'spawn' });
  await run.until('process.spawned');
  run.handle().readStdout(() => {
    throw new Error('reader broke');
  });
  run.send({ type: 'input.close' });
  await run.until('group.empty');
  expect(harness.complaints.length).toBeGreaterThan(0);
});
