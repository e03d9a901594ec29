/** Clone jobs on a real store, and repositories made for one test; the test is their machine. */

import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createActor, createMachine } from 'xstate';
import { createCloneActor } from '../../actors/clone.ts';
import type { ActorContext } from '../../actors/context.ts';
import { createStore } from '../../actors/store/create-store.ts';
import type { Checkout, JobEnded, JobResult } from '../../machines/contracts.ts';
import { git } from '../support/git-server.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { specOf } from '../support/spec.ts';

export interface CloneHarness extends AsyncDisposable {
  readonly home: TestHome;
  readonly context: ActorContext;
  /** Text of every line that reached the log. */
  readonly output: string[];
  readonly complaints: string[];
  clone(source: string, options?: CloneOptions): CloneRun;
  /** The same, and the checkout; throws with the failure when there is none. */
  cloned(source: string, options?: CloneOptions): Promise<Checkout>;
  /** The failure that cloning must end in. */
  refused(
    source: string,
    options?: CloneOptions,
  ): Promise<Extract<JobResult<Checkout>, { status: 'failed' }>['failure']>;
}

export interface CloneOptions {
  readonly plugin?: string;
}

export interface CloneRun {
  readonly ended: Promise<JobResult<Checkout>>;
  cancel(): void;
}

/** `env` is laid over a caller's environment whose HOME is empty. */
export async function createCloneHarness(
  env: Readonly<Record<string, string>> = {},
  limits: Partial<ActorContext['limits']> = {},
): Promise<CloneHarness> {
  const home = await createHome();
  const output: string[] = [];
  const complaints: string[] = [];
  const complain = (fields: object, message: string) => complaints.push(`${message} ${JSON.stringify(fields)}`);
  const userHome = join(home.root, 'user');
  await mkdir(userHome);
  const context: ActorContext = {
    store: createStore({ home: home.path }),
    log: { debug() {}, info() {}, warn: complain, error: complain },
    launchers: async () => [],
    runtimes: { check: async () => [], provide: () => Promise.reject(new Error('no runtimes here')) },
    guard: { watch() {}, unwatch() {}, close() {} },
    instances: new Map(),
    output: ({ text }) => output.push(text),
    callerEnv: { PATH: process.env.PATH, HOME: userHome, GIT_CONFIG_NOSYSTEM: '1', ...env },
    limits: { maxMessage: 1, maxResult: 1, maxFiles: 200_000, maxSource: 1_073_741_824, ...limits },
  };
  const actor = createCloneActor(context);

  const clone: CloneHarness['clone'] = (source, { plugin = 'some' } = {}) => {
    const input = { plugin, spec: specOf(source) };
    let cancel = () => {};
    const ended = new Promise<JobResult<Checkout>>((resolve) => {
      const machine = createMachine({
        invoke: { id: 'clone', src: actor, input },
        on: { 'job.ended': { actions: ({ event }) => resolve((event as JobEnded & { job: 'clone' }).result) } },
      });
      const parent = createActor(machine).start();
      cancel = () => parent.getSnapshot().children.clone?.send({ type: 'job.cancel' });
    });
    return { ended, cancel };
  };
  return {
    home,
    context,
    output,
    complaints,
    clone,
    async cloned(source, options) {
      const result = await clone(source, options).ended;
      if (result.status !== 'done') throw new Error(JSON.stringify(result));
      return result.value;
    },
    async refused(source, options) {
      const result = await clone(source, options).ended;
      if (result.status !== 'failed') throw new Error(JSON.stringify(result));
      return result.failure;
    },
    async [Symbol.asyncDispose]() {
      await context.store.ledger.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

/** A PATH on which everything is found but git. */
export async function pathWithoutGit(folder: string): Promise<string> {
  const bin = join(folder, 'bin-without-git');
  await mkdir(bin, { recursive: true });
  for (const name of ['sh', 'flock']) await symlink(await which(name), join(bin, name)).catch(() => undefined);
  return bin;
}

async function which(name: string): Promise<string> {
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    const found = await realpath(join(dir, name)).catch(() => null);
    if (found !== null) return found;
  }
  return name;
}

export interface TestRepository {
  readonly url: string;
  /** By name: commits of `main` from the oldest on. */
  readonly commits: readonly string[];
}

/**
 * `<root>/<name>.git` with two commits on `main`, an annotated tag `v1` on the first, a branch `topic/one` and whatever
 * `files` add to the second.
 */
export async function createRepository(
  root: string,
  name: string,
  files: Readonly<Record<string, string>> = {},
): Promise<TestRepository> {
  const work = join(root, 'work', name);
  const bare = join(root, 'served', `${name}.git`);
  await writeFiles(work, { 'version.txt': 'one\n', 'inner/server/run.sh': '#!/bin/sh\n' });
  await git(work, 'init', '--quiet', '--initial-branch=main');
  const commits = [await commit(work, 'one')];
  await git(work, 'tag', '--annotate', '--message=first', 'v1');
  await git(work, 'checkout', '--quiet', '-b', 'topic/one');
  await writeFiles(work, { 'version.txt': 'topic\n' });
  await commit(work, 'topic');
  await git(work, 'checkout', '--quiet', 'main');
  await writeFiles(work, { 'version.txt': 'two\n', ...files });
  commits.push(await commit(work, 'two'));
  await git(root, 'clone', '--quiet', '--bare', work, bare);
  return { url: pathToFileURL(bare).href, commits };
}

/** Adds a commit on `main`. */
export async function addCommit(root: string, name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const work = join(root, 'work', name);
  await writeFiles(work, files);
  const id = await commit(work, 'another');
  await git(work, 'push', '--quiet', join(root, 'served', `${name}.git`), 'main');
  return id;
}

async function commit(work: string, message: string): Promise<string> {
  await git(work, 'add', '--all');
  await git(work, 'commit', '--quiet', '--message', message);
  return git(work, 'rev-parse', 'HEAD');
}

export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { mode: path.endsWith('.sh') ? 0o755 : 0o644 });
  }
}
