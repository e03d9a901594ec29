import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pluginCookies } from '../../actors/cookie.ts';
import { isAlive, pidsWithCookie } from '../../actors/groups.ts';
import { runStep, type Step } from '../../actors/step.ts';
import { createHarness, type Harness, programs } from './process-harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await createHarness();
});
afterEach(async () => {
  const ledger = await readdir(join(harness.context.store.home, 'ledger'), { recursive: true }).catch(() => []);
  expect(ledger.filter((name) => name.endsWith('.json'))).toEqual([]);
  await harness[Symbol.asyncDispose]();
});

const linux = process.platform === 'linux';
const unaborted = new AbortController().signal;
const step = (program: string, ...args: string[]): Step => ({
  plugin: 'p',
  stream: 'install',
  program,
  args,
  cwd: programs,
  env: { PATH: process.env.PATH ?? '' },
});
const run = (program: string, ...args: string[]) => runStep(harness.context, step(program, ...args), unaborted);
const ours = () => pidsWithCookie(pluginCookies(harness.context.store.home, 'p'));
const printed = (text: string) => expect.poll(() => harness.output.join('\n')).toContain(text);

describe('a step', () => {
  it('that succeeds has its output, line by line in the log and whole in the result', async () => {
    const result = await run('sh', '-c', 'echo one; echo two; echo three >&2');
    expect(result).toEqual({
      exit: { code: 0, signal: null },
      ok: true,
      spawnError: null,
      stdout: 'one\ntwo\n',
      stderr: 'three\n',
      tail: ['three'],
    });
    expect([...harness.output].sort()).toEqual(['p install one', 'p install three', 'p install two']);
  });

  it('that fails is a result', async () => {
    expect(await run('sh', 'exits-at-once.sh')).toMatchObject({
      exit: { code: 7, signal: null },
      ok: false,
      tail: ['Error: cannot find module "x"'],
    });
  });

  it('that dies by a signal says which', async () => {
    expect(await run('sh', '-c', 'echo last; kill -KILL $$')).toMatchObject({
      exit: { code: null, signal: 'SIGKILL' },
      ok: false,
      tail: ['last'],
    });
  });

  it.each([
    ['no-such-program-anywhere', 'ENOENT'],
    ['./listens.mjs', 'EACCES'],
  ])('that can not be spawned (%s) is a result', async (program, spawnError) => {
    expect(await run(program)).toEqual({
      exit: { code: null, signal: null },
      ok: false,
      spawnError,
      stdout: '',
      stderr: '',
      tail: [],
    });
  });

  it('has no more environment than it was given, but for the cookie', async () => {
    const { stdout } = await run('sh', '-c', 'env');
    const names = stdout.split('\n').map((line) => line.split('=')[0]);
    expect(names.filter((name) => !['', 'PWD', 'OLDPWD', 'SHLVL', '_'].includes(name!)).sort()).toEqual([
      'MCP_SUPERVISOR_COOKIE',
      'PATH',
    ]);
  });

  it('finds its input at its end', async () => {
    expect(await run('cat')).toMatchObject({ ok: true, stdout: '' });
  });

  it('keeps the end of a long output', async () => {
    const result = await run('sh', '-c', 'yes 123456789 | head -c 3000000; echo end; yes e | head -c 200000 >&2');
    expect(result.stdout.length).toBe(1024 * 1024);
    expect(result.stdout.endsWith('\nend\n')).toBe(true);
    expect(result.stderr.length).toBe(64 * 1024);
    expect(result.tail.length).toBe(20);
  });
});

describe('what a step leaves in the background', () => {
  it('is ended before the step is over', async () => {
    const result = await run('sh', '-c', 'sleep 300 > /dev/null 2>&1 & echo $!');
    expect(result.ok).toBe(true);
    expect(isAlive(Number(result.stdout))).toBe(false);
  });

  it('does not hang it by holding its pipes, and is killed if it must be', async () => {
    const result = await run('sh', 'leaves-stdout-held.sh');
    expect(result).toMatchObject({ exit: { code: 3, signal: null }, tail: ['last words'] });
    expect(ours()).toEqual([]);
  });

  it.runIf(linux)('is found outside its group', async () => {
    const result = await run(process.execPath, 'setsid-escapee.mjs', 'leave');
    expect(result.ok).toBe(true);
    expect(isAlive(Number(result.tail[0]))).toBe(false);
    expect(ours()).toEqual([]);
  });
});

describe('an abort', () => {
  it.each([
    ['honours SIGTERM', process.execPath, 'forever.mjs'],
    ['ignores SIGTERM', process.execPath, 'ignores-term.mjs'],
    ['is stopped', 'sh', 'stops-itself.sh'],
    ['has a grandchild that ignores SIGTERM', 'sh', 'grandchild-ignores-term.sh'],
  ])('ends a command that %s, and rejects with its reason', async (_, program, file) => {
    const abort = new AbortController();
    const running = runStep(harness.context, step(program, file), abort.signal);
    await printed('ready');
    const pids = ours();
    if (linux) expect(pids).not.toEqual([]);
    abort.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('before the start starts nothing', async () => {
    await expect(
      runStep(harness.context, step('sh', '-c', 'echo started'), AbortSignal.abort(new Error('no'))),
    ).rejects.toThrow('no');
    expect(harness.output).toEqual([]);
  });
});
