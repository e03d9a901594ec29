import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { writeInstalled } from '../../actors/install/marker.ts';
import { createStore } from '../../actors/store/create-store.ts';
import { planKey } from '../../actors/store/keys.ts';
import { createSurveyActor } from '../../actors/survey.ts';
import type { LaunchPlan, Overrides, PluginSpec } from '../../launchers/plan.ts';
import type { Attempt, Environment, Survey } from '../../machines/contracts.ts';
import { specOf } from '../support/spec.ts';
import { type CloneHarness, createCloneHarness, createRepository, writeFiles } from './clone-harness.ts';

const plan = { launcher: 'x', transport: 'stdio', endpoint: null, start: [], build: [] } as unknown as LaunchPlan;
const attempt: Attempt = {
  candidate: 1,
  port: 'lease',
  transport: 'streamable-http',
  endpoint: '/mcp',
  era: 'legacy',
  dependencies: 'as-of-commit',
  runtime: 'declared',
};

const survey = (harness: CloneHarness, spec: PluginSpec, abandoned: readonly number[] = []): Promise<Survey> =>
  toPromise(createActor(createSurveyActor(harness.context), { input: { plugin: 'some', spec, abandoned } }).start());

/** A plugin with everything done, from git or from a folder. */
async function createInstalled(kind: 'git' | 'folder' = 'git', overrides: Overrides = {}) {
  const harness = await createCloneHarness();
  const { root } = harness.home;
  await writeFiles(join(root, 'plugin'), { 'package.json': '{}' });
  const source = kind === 'git' ? (await createRepository(root, 'repo')).url : join(root, 'plugin');
  const spec = specOf(source, overrides);
  const checkout = await harness.cloned(source);
  const { store } = harness.context;
  const dir = join(store.environmentDir('some', 'key'), 'tree');
  const environment: Environment = {
    key: 'key',
    dir,
    plan,
    programs: { node: process.execPath },
    path: [],
    rung: null,
    fallbacks: [],
  };
  await writeFiles(dir, { 'index.js': '' });
  await writeInstalled(dirname(dir), environment, plan);
  await store.writeFacts('some', { plan, planKey: planKey(checkout, spec), environment, attempt, attemptKey: 'key' });
  return Object.assign(harness, { spec, checkout, environment, source });
}

describe('survey', () => {
  test('of an unknown plugin begins with cloning', async () => {
    await using harness = await createCloneHarness();
    expect(await survey(harness, specOf('o/n', { transport: 'http' }))).toEqual({
      stale: 'cloning',
      checkout: null,
      plan: null,
      environment: null,
      attempt: {
        candidate: 0,
        port: 'lease',
        transport: 'http',
        endpoint: null,
        era: 'auto',
        dependencies: 'declared',
        runtime: 'declared',
      },
      blocked: null,
    });
  });

  test.each(['git', 'folder'] as const)('of an installed plugin from a %s begins with launching', async (kind) => {
    await using harness = await createInstalled(kind);
    const { spec, checkout, environment } = harness;
    expect(await survey(harness, spec)).toEqual({
      stale: 'launching',
      checkout,
      plan,
      environment,
      attempt,
      blocked: null,
    });
  });

  test('asks neither the network nor a child process', async () => {
    await using harness = await createInstalled();
    await rm(join(harness.home.root, 'served'), { recursive: true });
    const context = { ...harness.context, callerEnv: { PATH: '/nowhere' } };
    expect((await survey(Object.assign(harness, { context }), harness.spec)).stale).toBe('launching');
  });

  test('takes what was learned of another environment for nothing', async () => {
    await using harness = await createInstalled();
    await harness.context.store.writeFacts('some', { attemptKey: 'other' });
    expect((await survey(harness, harness.spec)).attempt).toMatchObject({
      candidate: 0,
      port: 'none',
      transport: 'stdio',
    });
  });

  test('lets an era that the owner names beat the learned one', async () => {
    await using harness = await createInstalled();
    expect((await survey(harness, { ...harness.spec, protocol: 'modern' })).attempt).toEqual({
      ...attempt,
      era: 'modern',
    });
  });

  type Installed = Awaited<ReturnType<typeof createInstalled>>;
  const changes: readonly [string, Survey['stale'], (harness: Installed) => Promise<unknown> | unknown][] = [
    ['the checkout is gone', 'cloning', ({ checkout }) => rm(checkout.dir, { recursive: true })],
    ['the facts are broken', 'cloning', ({ home }) => writeFile(join(home.path, 'plugins/some/facts.json'), '{')],
    ['the ref is another', 'cloning', (harness) => Object.assign(harness, { spec: specOf(`${harness.source}#main`) })],
    ['the source is another', 'cloning', (harness) => Object.assign(harness, { spec: specOf('o/n') })],
    [
      'the subfolder is another',
      'detecting',
      (harness) => Object.assign(harness, { spec: specOf(`${harness.source}#:inner`) }),
    ],
    [
      'the overrides are others',
      'detecting',
      (harness) => Object.assign(harness, { spec: specOf(harness.source, { args: ['--x'] }) }),
    ],
    ['the plan is missing', 'detecting', ({ context }) => context.store.writeFacts('some', { plan: undefined })],
    [
      'the environment is forgotten',
      'installing',
      ({ context }) => context.store.writeFacts('some', { environment: undefined }),
    ],
    ['the tree is gone', 'installing', ({ environment }) => rm(environment.dir, { recursive: true })],
    ['the marker is missing', 'installing', ({ environment }) => rm(join(environment.dir, '../installed.json'))],
    [
      'the marker is torn',
      'installing',
      ({ environment }) => writeFile(join(environment.dir, '../installed.json'), '{'),
    ],
    [
      'the marker is another’s',
      'installing',
      ({ environment }) =>
        writeFile(join(environment.dir, '../installed.json'), '{"key":"other","environment":{"key":"other"}}'),
    ],
    [
      'a program has moved',
      'installing',
      ({ environment }) => {
        const moved = { ...environment, programs: { node: '/nowhere/node' } };
        return writeInstalled(dirname(environment.dir), moved, plan);
      },
    ],
  ];
  test.each(changes)('when %s begins with %s', async (_, stale, change) => {
    await using harness = await createInstalled();
    await change(harness);
    const found = await survey(harness, harness.spec);
    expect(found).toMatchObject({ stale, environment: null, blocked: null });
    expect(found.checkout === null).toBe(stale === 'cloning');
    expect(found.plan === null).toBe(stale !== 'installing');
  });

  test.each([
    ['changes', (folder: string) => writeFiles(folder, { 'new.js': '' })],
    ['is gone', (folder: string) => rm(folder, { recursive: true })],
  ])('of a folder that %s begins with cloning', async (_, change) => {
    await using harness = await createInstalled('folder');
    await change(harness.source);
    expect((await survey(harness, harness.spec)).stale).toBe('cloning');
  });

  test('is blocked while abandoned processes live', async () => {
    await using harness = await createInstalled();
    const child = spawn('sleep', ['300'], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const blocked = await survey(harness, harness.spec, [child.pid!, 2 ** 22 + 1]);
    expect(blocked.blocked).toMatchObject({ code: 'STOP_ABANDONED', data: { pids: [child.pid] } });
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect((await survey(harness, harness.spec, [child.pid!])).blocked).toBeNull();
  });

  test('is blocked by a home that can not be used', async () => {
    await using harness = await createCloneHarness();
    await writeFiles(harness.home.path, { format: '99' });
    const store = createStore({ home: harness.home.path });
    const found = await survey(Object.assign(harness, { context: { ...harness.context, store } }), specOf('o/n'));
    expect(found.blocked).toMatchObject({ code: 'HOME_NEWER' });
  });
});
