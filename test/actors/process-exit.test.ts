import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Launcher } from '../../launchers/plan.ts';
import { createHarness, type Harness, started } from './process-harness.ts';

let harness: Harness;
const broken = { id: 'broken', explain: () => JSON.parse('') } as unknown as Launcher;
const fixture = {
  id: 'fixture',
  explain: (stderr: string, exit: { code: number | null }) => ({
    kind: 'missing-module',
    detail: `${exit.code}: ${stderr}`,
    hint: 'mend it',
  }),
} as unknown as Launcher;
beforeEach(async () => {
  harness = await createHarness({ launchers: [broken, fixture] });
});
afterEach(() => harness[Symbol.asyncDispose]());

it('reports code, last lines and the launcher’s cause of a program that exits at once', async () => {
  const run = harness.run(['sh', 'exits-at-once.sh'], { generation: 4 });
  run.send({ type: 'spawn' });
  await run.until('group.empty');
  const line = 'Error: cannot find module "x"';
  expect(run.events).toEqual([
    { type: 'process.spawned', generation: 4, pid: expect.any(Number) },
    {
      type: 'process.exited',
      generation: 4,
      exit: { code: 7, signal: null },
      stderrTail: [line],
      cause: { kind: 'missing-module', detail: `7: ${line}`, hint: 'mend it' },
    },
    { type: 'group.empty', generation: 4 },
  ]);
  expect(harness.context.instances.size).toBe(0);
});

it('survives a launcher that breaks while it explains', async () => {
  const run = harness.run(['sh', 'exits-at-once.sh'], { plan: { launcher: 'broken' } });
  run.send({ type: 'spawn' });
  expect(await run.until('process.exited')).toMatchObject({ cause: null });
  await run.until('group.empty');
  expect(harness.complaints[0]).toContain('a launcher could not explain an exit');
});

it.each(['SIGKILL', 'SIGSEGV', 'SIGABRT'] as const)('records that a program died by %s', async (signal) => {
  const run = harness.run(['node', 'forever.mjs']);
  const { pid } = await started(run);
  process.kill(pid, signal);
  expect(await run.until('process.exited')).toMatchObject({ exit: { code: null, signal } });
  await run.until('group.empty');
});

it('explains nothing when the exit was asked for', async () => {
  const run = harness.run(['node', 'forever.mjs']);
  await started(run);
  run.send({ type: 'signal', signal: 'SIGTERM' });
  expect(await run.until('process.exited')).toMatchObject({ cause: null });
  await run.until('group.empty');
});

it('lets an exit resolve for whoever holds the handle', async () => {
  const run = harness.run(['node', 'exits-on-eof.mjs']);
  const handle = await started(run);
  run.send({ type: 'input.close' });
  expect(await handle.exited).toEqual({ code: 0, signal: null });
  await run.until('group.empty');
});

it('keeps the instance of a newer generation', async () => {
  const run = harness.run(['node', 'exits-on-eof.mjs']);
  const handle = await started(run);
  const newer = { generation: 2, process: { ...handle, generation: 2 }, session: null, noise: null };
  harness.context.instances.set('p', newer);
  run.send({ type: 'input.close' });
  await run.until('group.empty');
  expect(harness.context.instances.get('p')).toBe(newer);
  harness.context.instances.clear();
});

const folder = () => join(harness.context.store.home, '..', 'tree');
const file = async (name: string, text: string, mode: number) => {
  await mkdir(folder(), { recursive: true });
  await writeFile(join(folder(), name), text);
  await chmod(join(folder(), name), mode);
};

it.each([
  [
    'not on the PATH',
    ['no-such-program-anywhere'],
    'ENOENT',
    'program not found on the PATH: no-such-program-anywhere',
  ],
  ['not in the tree', ['./bin/missing'], 'ENOENT', /^program not found: .*bin\/missing$/],
  ['not executable', ['./plain'], 'EACCES', /^not executable: /],
  ['without its interpreter', ['./orphan'], 'ENOENT', /^the interpreter that the first line of .*orphan names/],
  ['called with too much', ['node', 'x'.repeat(300_000)], 'E2BIG', /^could not be started \(E2BIG\)/],
])('reports a program that is %s as LAUNCH_SPAWN, for good', async (_, command, error, message) => {
  await file('plain', 'no program', 0o644);
  await file('orphan', '#!/no/such/interpreter\n', 0o755);
  const run = harness.run(command, { dir: folder() });
  run.send({ type: 'spawn' });
  await run.until('group.empty');
  expect(run.events).toEqual([
    {
      type: 'process.failed',
      generation: 1,
      failure: expect.objectContaining({
        code: 'LAUNCH_SPAWN',
        retryable: false,
        message: typeof message === 'string' ? message : expect.stringMatching(message),
        data: expect.objectContaining({ error }),
      }),
    },
    { type: 'group.empty', generation: 1 },
  ]);
  expect(harness.context.instances.size).toBe(0);
});

it('names a working folder that is missing', async () => {
  const run = harness.run(['node'], { dir: '/no/such/folder' });
  run.send({ type: 'spawn' });
  const { failure } = await run.until('process.failed');
  expect(failure.message).toBe('the working folder does not exist: /no/such/folder');
  await run.until('group.empty');
});

it('reports a home that does not take the intent, and spawns nothing', async () => {
  const { store } = harness.context;
  const ledger = {
    ...store.ledger,
    intend: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
  };
  const other = { ...harness.context, store: { ...store, ledger } };
  Object.assign(harness.context, other);
  const run = harness.run(['node', 'forever.mjs']);
  run.send({ type: 'spawn' });
  await run.until('group.empty');
  expect(run.events.map(({ type }) => type)).toEqual(['process.failed', 'group.empty']);
});
