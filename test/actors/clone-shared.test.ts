import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStore } from '../../actors/store/create-store.ts';
import type { Checkout, JobResult } from '../../machines/contracts.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { checkoutsOf, createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft, expectProcessesToEnd } from '../support/leftovers.ts';
import { bundleProgram, startProgram } from '../support/program.ts';
import { createRepository, pathWithoutGit } from './clone-harness.ts';

let root: TestHome;
let cloneOnce: string;
let server: GitServer;
let stalled: GitServer;
let withoutGit: string;

beforeAll(async () => {
  root = await createHome();
  await createRepository(root.root, 'some');
  const served = join(root.root, 'served');
  server = await startGitServer({ root: served });
  stalled = await startGitServer({ root: served, stall: true });
  cloneOnce = await bundleProgram('actors/programs/clone-once.ts');
  withoutGit = await pathWithoutGit(root.root);
});
afterAll(async () => {
  await Promise.all([server?.close(), stalled?.close()]);
  await root?.[Symbol.asyncDispose]();
});

const run = (home: TestHome, source: string, plugin: string, env: Readonly<Record<string, string>> = {}) =>
  startProgram(cloneOnce, [home.path, source, plugin], { ...home.env, ...env });

test.each([
  ['git', () => ({})],
  ['isomorphic-git', () => ({ PATH: withoutGit })],
])('six processes that want one source at once clone it once (%s)', async (_, env) => {
  await using home = await createHome();
  const before = server.fetches();
  const plugins = ['same', 'same', 'same', 'other', 'third', 'fourth'];
  const runs = plugins.map((plugin) => run(home, `${server.url}/some.git`, plugin, env()));
  const results: JobResult<Checkout>[] = (await Promise.all(runs.map(({ output }) => output))).map((text) =>
    JSON.parse(text),
  );
  expect(results.map(({ status }) => status)).toEqual(plugins.map(() => 'done'));
  expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
  expect(server.fetches()).toBe(before + 1);
  expect(await checkoutsOf(home)).toHaveLength(1);
  await expectNothingLeft(home);
});

test('a process that is killed in the middle leaves no checkout, and the next one goes on', async () => {
  await using home = await createHome();
  const killed = run(home, `${stalled.url}/some.git`, 'some');
  const before = stalled.fetches();
  await expect.poll(() => stalled.fetches(), { timeout: 20_000 }).toBe(before + 1);
  killed.child.kill('SIGKILL');
  await killed.output;
  expect(await readdir(join(home.path, 'tmp'))).toHaveLength(1);
  expect(await checkoutsOf(home)).toEqual([]);

  const next = run(home, `${server.url}/some.git`, 'some');
  expect(JSON.parse(await next.output)).toMatchObject({ status: 'done' });
  await createStore({ home: home.path }).ledger.reap();
  await expectProcessesToEnd(home);
  await expectNothingLeft(home);
});
