import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { createDetectActor } from '../../actors/detect.ts';
import { planKey } from '../../actors/store/keys.ts';
import type { FileView, Launcher, LaunchPlan, PluginSpec, Refusal } from '../../launchers/plan.ts';
import type { Checkout, Environment, JobEnded, JobResult } from '../../machines/contracts.ts';
import { pinSource } from '../../src/source.ts';
import { samplePlan } from '../../src/testing/samples.ts';
import { specOf } from '../support/spec.ts';
import { type CloneHarness, createCloneHarness, writeFiles } from './clone-harness.ts';

const plan = samplePlan({
  launcher: 'mine',
  runtime: 'mine',
  tools: [],
  evidence: [{ file: 'mine.txt', says: 'mine' }],
});

/** A launcher for folders with a `mine.txt`; remembers what it was shown. */
function createLauncher(made: LaunchPlan | Refusal) {
  const seen: { view: FileView; dir: string }[] = [];
  const launcher: Launcher = {
    id: 'mine',
    detect: (view, dir) => view.has(dir === '' ? 'mine.txt' : `${dir}/mine.txt`),
    plan(view, dir) {
      seen.push({ view, dir });
      return made;
    },
    resolve: (_, kept) => kept,
    explain: () => ({ kind: 'unknown', detail: '', hint: '' }),
  };
  return { launcher, seen };
}

function detect(harness: CloneHarness, launcher: Launcher, spec: PluginSpec, checkout: Checkout) {
  const context = { ...harness.context, launchers: async () => [launcher] };
  const input = { plugin: 'some', spec, checkout };
  return new Promise<JobResult<LaunchPlan>>((resolve) => {
    const machine = createMachine({
      invoke: { id: 'detect', src: createDetectActor(context), input },
      on: { 'job.ended': { actions: ({ event }) => resolve((event as JobEnded & { job: 'detect' }).result) } },
    });
    createActor(machine).start();
  });
}

async function createCheckout(harness: CloneHarness, files: Readonly<Record<string, string>>) {
  const folder = join(harness.home.root, 'plugin');
  await writeFiles(folder, files);
  const spec = specOf(folder);
  return { spec, checkout: await harness.cloned(folder) };
}

test('detect keeps the plan under its key', async () => {
  await using harness = await createCloneHarness();
  const { spec, checkout } = await createCheckout(harness, { 'mine.txt': '', 'index.js': '' });
  const { launcher, seen } = createLauncher(plan);
  expect(await detect(harness, launcher, spec, checkout)).toEqual({ status: 'done', value: plan });
  expect(seen[0]?.view.files).toEqual(['index.js', 'mine.txt']);
  expect(await harness.context.store.readFacts('some')).toMatchObject({ plan, planKey: planKey(checkout, spec) });
});

test('detect forgets the environment of another plan and keeps that of the same', async () => {
  await using harness = await createCloneHarness();
  const { spec, checkout } = await createCheckout(harness, { 'mine.txt': '', 'index.js': '' });
  const { store } = harness.context;
  const environment: Environment = { key: 'k', dir: '/x', plan, programs: {}, path: [], rung: null, fallbacks: [] };
  await store.writeFacts('some', { environment, attemptKey: 'k' });
  await detect(harness, createLauncher(plan).launcher, spec, checkout);
  expect(Object.keys(await store.readFacts('some')).sort()).toEqual(['checkout', 'plan', 'planKey', 'sourceKey']);
  await store.writeFacts('some', { environment });
  await detect(harness, createLauncher(plan).launcher, spec, checkout);
  expect((await store.readFacts('some')).environment).toEqual(environment);
  await detect(harness, createLauncher({ ...plan, transport: 'http' }).launcher, spec, checkout);
  expect((await store.readFacts('some')).environment).toBeUndefined();
});

test('detect makes a launcher’s refusal a failure with what was looked for', async () => {
  await using harness = await createCloneHarness();
  const { spec, checkout } = await createCheckout(harness, { 'mine.txt': '', 'index.js': '' });
  const refusal: Refusal = {
    code: 'DETECT_AMBIGUOUS',
    message: 'Several.',
    hint: 'Choose.',
    evidence: [{ file: 'mine.txt', says: 'two' }],
    choices: ['a', 'b'],
  };
  if (spec.source.kind !== 'folder') throw new Error('it is a folder');
  expect(await detect(harness, createLauncher(refusal).launcher, spec, checkout)).toMatchObject({
    status: 'failed',
    failure: {
      code: 'DETECT_AMBIGUOUS',
      phase: 'detect',
      message: 'Several.',
      hint: `Choose. The sources are:\n${spec.source.path}#:a\n${spec.source.path}#:b`,
      data: {
        evidence: refusal.evidence,
        choices: ['a', 'b'],
        sources: [`${spec.source.path}#:a`, `${spec.source.path}#:b`],
      },
    },
  });
  expect((await harness.context.store.readFacts('some')).plan).toBeUndefined();
});

test('detect refuses a folder that is nobody’s', async () => {
  await using harness = await createCloneHarness();
  const { spec, checkout } = await createCheckout(harness, { 'README.md': '' });
  expect(await detect(harness, createLauncher(plan).launcher, spec, checkout)).toMatchObject({
    status: 'failed',
    failure: { code: 'DETECT_NOT_A_SERVER' },
  });
});

test('detect looks for the subfolder again', async () => {
  await using harness = await createCloneHarness();
  const { spec, checkout } = await createCheckout(harness, { 'mine.txt': '' });
  const below = { ...spec, source: pinSource(spec.source, { subdir: 'no/such' }) };
  expect(await detect(harness, createLauncher(plan).launcher, below, checkout)).toMatchObject({
    status: 'failed',
    failure: { code: 'CLONE_SUBDIR_NOT_FOUND' },
  });
});
