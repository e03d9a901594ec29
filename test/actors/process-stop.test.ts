import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownerCookies } from '../../actors/cookie.ts';
import { findsEscapees, isAlive, pidsWithCookie } from '../../actors/groups.ts';

import { createHarness, type Harness, started } from './process-harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await createHarness();
});
afterEach(() => harness[Symbol.asyncDispose]());

const node = (program: string, ...args: string[]) => ['node', program, ...args];
const sh = (program: string) => ['sh', program];

describe('stopping', () => {
  it('ends a program that exits on the end of its input without any signal', async () => {
    const run = harness.run(node('exits-on-eof.mjs'));
    await started(run);
    run.send({ type: 'input.close' });
    await run.until('group.empty');
    expect(run.events.map(({ type }) => type)).toEqual(['process.spawned', 'process.exited', 'group.empty']);
    expect(await run.until('process.exited')).toMatchObject({ exit: { code: 0, signal: null } });
    expect(harness.output).not.toContain('p stderr was signalled');
  });

  it('ends a program that ignores the end of its input but honours SIGTERM', async () => {
    const run = harness.run(node('forever.mjs'));
    await started(run);
    run.send({ type: 'input.close' });
    run.send({ type: 'signal', signal: 'SIGTERM' });
    await run.until('group.empty');
    expect(await run.until('process.exited')).toMatchObject({ exit: { code: null, signal: 'SIGTERM' } });
  });

  it('leaves a program that ignores SIGTERM alive until SIGKILL', async () => {
    const run = harness.run(node('ignores-term.mjs'));
    const { pid } = await started(run);
    run.send({ type: 'signal', signal: 'SIGTERM' });
    await run.line('no');
    expect(isAlive(pid)).toBe(true);
    run.send({ type: 'signal', signal: 'SIGKILL' });
    await run.until('group.empty');
    expect(await run.until('process.exited')).toMatchObject({ exit: { code: null, signal: 'SIGKILL' } });
  });

  it('does not call a group empty while a grandchild with stdio of its own ignores SIGTERM', async () => {
    const run = harness.run(sh('grandchild-ignores-term.sh'));
    const handle = await started(run);
    run.send({ type: 'signal', signal: 'SIGTERM' });
    await run.until('process.exited');
    expect(handle.pids()).not.toEqual([]);
    expect(run.events.map(({ type }) => type)).not.toContain('group.empty');
    run.send({ type: 'signal', signal: 'SIGKILL' });
    await run.until('group.empty');
    expect(handle.pids()).toEqual([]);
  });

  it.runIf(findsEscapees())('finds and kills what left the group for a session of its own', async () => {
    const run = harness.run(node('setsid-escapee.mjs'));
    const handle = await started(run);
    const escapee = Number(harness.output[0]?.split(' ').at(-1));
    expect(handle.pids()).toContain(escapee);
    run.send({ type: 'signal', signal: 'SIGTERM' });
    await run.until('process.exited');
    expect(isAlive(escapee)).toBe(true);
    run.send({ type: 'sweep' });
    await run.until('group.empty');
    expect(isAlive(escapee)).toBe(false);
  });

  it.runIf(findsEscapees())('waits for an escapee after the whole group has ended by itself', async () => {
    const run = harness.run(node('setsid-escapee.mjs', 'leave'));
    run.send({ type: 'spawn' });
    await run.until('process.exited');
    const escapee = Number(harness.output[0]?.split(' ').at(-1));
    expect(isAlive(escapee)).toBe(true);
    expect(run.events.map(({ type }) => type)).not.toContain('group.empty');
    run.send({ type: 'sweep' });
    await run.until('group.empty');
    expect(isAlive(escapee)).toBe(false);
  });

  it('ends a stopped program by SIGTERM', async () => {
    const run = harness.run(sh('stops-itself.sh'));
    await started(run);
    run.send({ type: 'signal', signal: 'SIGTERM' });
    expect(await run.until('process.exited')).toMatchObject({ exit: { signal: 'SIGTERM' } });
    await run.until('group.empty');
  });

  it('ends the server behind a wrapper', async () => {
    const run = harness.run(sh('wrapper.sh'));
    const handle = await started(run);
    expect(handle.pids().length).toBeGreaterThan(1);
    run.send({ type: 'signal', signal: 'SIGTERM' });
    await run.until('group.empty');
    expect(handle.pids()).toEqual([]);
  });

  it('reports the exit although a grandchild holds the pipes, and gives the pipes back', async () => {
    const run = harness.run(sh('leaves-stdout-held.sh'));
    run.send({ type: 'spawn' });
    const exited = await run.until('process.exited');
    expect(exited).toMatchObject({ exit: { code: 3, signal: null }, stderrTail: ['last words'] });
    const handle = run.handle();
    expect(handle.write('x')).toBe(false);
    run.send({ type: 'signal', signal: 'SIGKILL' });
    await run.until('group.empty');
  });

  it('is one sequence however often it is asked for', async () => {
    const run = harness.run(node('forever.mjs'));
    await started(run);
    for (let times = 0; times < 10; times += 1) run.send({ type: 'signal', signal: 'SIGTERM' });
    for (let times = 0; times < 10; times += 1) run.send({ type: 'signal', signal: 'SIGKILL' });
    await run.until('group.empty');
    expect(run.events.map(({ type }) => type)).toEqual(['process.spawned', 'process.exited', 'group.empty']);
  });

  it('names the processes that it gives up', async () => {
    const run = harness.run(node('ignores-term.mjs'));
    const { pid } = await started(run);
    run.send({ type: 'abandon' });
    expect(await run.until('group.abandoned')).toEqual({ type: 'group.abandoned', generation: 1, pids: [pid] });
    expect(harness.context.instances.size).toBe(0);
    process.kill(pid, 'SIGKILL');
  });

  it('answers at once when it comes before the program does', async () => {
    const never = harness.run(node('forever.mjs'), { plugin: 'never' });
    never.send({ type: 'sweep' });
    await never.until('group.empty');
    const overtaken = harness.run(node('forever.mjs'), { plugin: 'overtaken' });
    overtaken.send({ type: 'spawn' });
    overtaken.send({ type: 'input.close' });
    overtaken.send({ type: 'signal', signal: 'SIGTERM' });
    await overtaken.until('group.empty');
    expect(overtaken.events.map(({ type }) => type)).toEqual(['group.empty']);
  });

  it('leaves nothing when its machine breaks before the program runs', async () => {
    const run = harness.run(node('forever.mjs'));
    run.send({ type: 'spawn' });
    run.stop();
    const entries = () => readdir(join(harness.context.store.home, 'ledger'), { recursive: true }).catch(() => []);
    await expect.poll(async () => (await entries()).filter((name) => name.endsWith('.json'))).toEqual([]);
    expect(pidsWithCookie(ownerCookies(harness.context.store.home))).toEqual([]);
    expect(harness.context.instances.size).toBe(0);
  });

  it.runIf(findsEscapees())('is SIGKILL at once when its machine breaks', async () => {
    const run = harness.run(node('setsid-escapee.mjs'));
    const handle = await started(run);
    const all = handle.pids();
    expect(all.length).toBeGreaterThan(1);
    run.stop();
    await expect.poll(() => all.filter(isAlive)).toEqual([]);
    await expect.poll(() => harness.context.instances.size).toBe(0);
  });
});

it.runIf(findsEscapees())('every process carries the cookie of its supervisor', async () => {
  const run = harness.run(node('forever.mjs'));
  const { pid } = await started(run);
  expect(pidsWithCookie(ownerCookies(harness.context.store.home))).toEqual([pid]);
  run.send({ type: 'signal', signal: 'SIGKILL' });
  await run.until('group.empty');
});
