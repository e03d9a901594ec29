import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FailureCode } from '../../machines/failure.ts';
import { type GitServer, git, startGitServer } from '../support/git-server.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { specOf } from '../support/spec.ts';
import { type CloneHarness, createCloneHarness, createRepository, pathWithoutGit } from './clone-harness.ts';

const auth = { username: 'somebody', password: 'a-p@ssword' };

let root: TestHome;
let server: GitServer;
let locked: GitServer;
let stalled: GitServer;
let page: Server;
let broken: Server;
let withoutGit: string;

const listen = async (listener: Parameters<typeof createServer>[1]) => {
  const made = createServer(listener);
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return made;
};
const at = (made: Server) => `http://127.0.0.1:${(made.address() as AddressInfo).port}`;

beforeAll(async () => {
  root = await createHome();
  await createRepository(root.root, 'some');
  const served = join(root.root, 'served');
  await mkdir(join(served, 'empty-folder'));
  await git(served, 'init', '--quiet', '--bare', 'without-commits.git');
  server = await startGitServer({ root: served });
  locked = await startGitServer({ root: served, auth });
  stalled = await startGitServer({ root: served, stall: true });
  page = await listen((_, response) => response.end('<!doctype html><title>Not git</title>'));
  broken = await listen((_, response) => response.writeHead(503).end());
  withoutGit = await pathWithoutGit(root.root);
});
afterAll(async () => {
  page?.close();
  broken?.close();
  await Promise.all([server?.close(), locked?.close(), stalled?.close()]);
  await root?.[Symbol.asyncDispose]();
});

const clients = { git: () => ({}), 'isomorphic-git': () => ({ PATH: withoutGit }) };

const refusals: readonly [string, () => string, FailureCode, string | RegExp][] = [
  [
    'a host that does not exist',
    () => 'http://no-such-host.invalid/o/n.git',
    'CLONE_UNKNOWN_HOST',
    'no-such-host.invalid',
  ],
  ['a port that nobody listens on', () => 'http://127.0.0.1:1/o/n.git', 'CLONE_NETWORK', '127.0.0.1:1'],
  ['a host that is down', () => `${at(broken)}/o/n.git`, 'CLONE_NETWORK', '503'],
  ['a repository that the host does not have', () => `${server.url}/none.git`, 'CLONE_NOT_FOUND', '/none.git'],
  ['a page that is not git', () => `${at(page)}/o/n.git`, 'CLONE_NOT_GIT', 'not a git repository'],
  ['a private repository', () => `${locked.url}/some.git`, 'CLONE_AUTH', /wants a login/],
  ['a wrong login', () => `${locked.url.replace('://', '://somebody:wr0ng-t0ken@')}/some.git`, 'CLONE_AUTH', /login/],
  ['a branch that is not there', () => `${server.url}/some.git#no-such`, 'CLONE_REF_NOT_FOUND', "'no-such'"],
  [
    'a commit that is not there',
    () => `${server.url}/some.git#${'deadbeef'.repeat(5)}`,
    'CLONE_REF_NOT_FOUND',
    'deadbeef',
  ],
  ['a short commit id that is not there', () => `${server.url}/some.git#deadbeef`, 'CLONE_REF_NOT_FOUND', 'deadbeef'],
  ['a repository without commits', () => `${server.url}/without-commits.git`, 'CLONE_REF_NOT_FOUND', 'no commit yet'],
];

/** Where only the git program goes. */
const localRefusals: typeof refusals = [
  ['a file:// repository that is not there', () => fileUrl('none.git'), 'CLONE_NOT_FOUND', 'none.git'],
  ['a file:// folder that is not git', () => fileUrl('empty-folder'), 'CLONE_NOT_GIT', 'empty-folder'],
  ['an ssh host that is not there', () => 'ssh://git@127.0.0.1:1/o/n.git', 'CLONE_NETWORK', '127.0.0.1'],
];
const fileUrl = (name: string) => pathToFileURL(join(root.root, 'served', name)).href;

describe.each(Object.entries(clients))('%s', (client, env) => {
  test.each(client === 'git' ? [...refusals, ...localRefusals] : refusals)(
    'names %s and leaves nothing',
    async (_, source, code, says) => {
      await using harness = await createCloneHarness(env());
      const failure = await harness.refused(source());
      expect(failure).toMatchObject({ code, phase: 'clone', message: expect.stringMatching(says) });
      expect(await harness.context.store.readFacts('some')).toEqual({});
      expectNoSecret(harness, failure);
      await expectNothingLeft(harness.home);
    },
  );

  test('does not send the owner of an empty repository to its branches', async () => {
    await using harness = await createCloneHarness(env());
    const { hint } = await harness.refused(`${server.url}/without-commits.git`);
    expect(hint).toContain('Push a first commit');
    expect(hint).not.toContain('ls-remote');
  });

  test('uses the login of the URL, and writes it nowhere', async () => {
    await using harness = await createCloneHarness(env());
    const source = `${locked.url.replace('://', `://somebody:${encodeURIComponent(auth.password)}@`)}/some.git`;
    const checkout = await harness.cloned(source);
    const config = await git(checkout.dir, 'config', '--list', '--local');
    expect(config).toContain(`remote.origin.url=${locked.url}/some.git`);
    const facts = await harness.context.store.readFacts('some');
    expectNoSecret(harness, [checkout, facts, config, specOf(source), String(specOf(source).credential)]);
    expect(await filesWith(harness.home.path, auth.password)).toEqual([]);
  });

  test('ends at once when cancelled in the middle, and leaves nothing', async () => {
    await using harness = await createCloneHarness(env());
    const run = harness.clone(`${stalled.url}/some.git`);
    const before = stalled.fetches();
    await expect.poll(() => stalled.fetches(), { timeout: 20_000 }).toBe(before + 1);
    run.cancel();
    expect(await run.ended).toEqual({ status: 'cancelled' });
    expect(await harness.context.store.readFacts('some')).toEqual({});
    await expectNothingLeft(harness.home);
  });
});

describe('git', () => {
  test('logs in with the user’s credential helper', async () => {
    await using harness = await createCloneHarness();
    const helper = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' ${auth.username} '${auth.password}'; }; f`;
    await writeFile(
      join(harness.home.root, 'user', '.gitconfig'),
      `[credential]\n\thelper = ${JSON.stringify(helper)}\n`,
    );
    await harness.cloned(`${locked.url}/some.git`);
    await harness.cloned(`${locked.url.replace('://', '://somebody@')}/some.git#main`);
  });

  test('logs in with the user’s netrc', async () => {
    await using harness = await createCloneHarness();
    await writeFile(
      join(harness.home.root, 'user', '.netrc'),
      `machine 127.0.0.1\nlogin ${auth.username}\npassword ${auth.password}\n`,
      { mode: 0o600 },
    );
    await harness.cloned(`${locked.url}/some.git`);
  });

  test('offers the login of the URL to no helper of the user', async () => {
    await using harness = await createCloneHarness();
    const trace = join(harness.home.root, 'helper-saw');
    await writeFile(
      join(harness.home.root, 'user', '.gitconfig'),
      `[credential]\n\thelper = ${JSON.stringify(`!f() { cat >> ${trace}; }; f`)}\n`,
    );
    await harness.refused(`${locked.url.replace('://', '://somebody:wr0ng-t0ken@')}/some.git`);
    expect(await filesWith(harness.home.root, 'wr0ng-t0ken')).toEqual([]);
  });

  test('opens no window to ask', async () => {
    const trace = join(root.root, 'asked');
    const ask = join(root.root, 'ask.sh');
    await writeFile(ask, `#!/bin/sh\ntouch ${trace}\n`, { mode: 0o755 });
    await using harness = await createCloneHarness({ GIT_ASKPASS: ask, SSH_ASKPASS: ask, DISPLAY: ':0' });
    await writeFile(join(harness.home.root, 'user', '.gitconfig'), `[core]\n\taskPass = ${ask}\n`);
    expect(await harness.refused(`${locked.url}/some.git`)).toMatchObject({
      code: 'CLONE_AUTH',
      hint: expect.stringMatching(/credential helper.*netrc/),
    });
    expect(await filesWith(root.root, 'asked', { byName: true })).toEqual([]);
  });
});

test('a source that could not be had can be had later', async () => {
  await using harness = await createCloneHarness();
  const { root: top } = harness.home;
  await createRepository(top, 'first');
  const served = await startGitServer({ root: join(top, 'served') });
  try {
    await harness.refused(`${served.url}/later.git`);
    await createRepository(top, 'later');
    await harness.cloned(`${served.url}/later.git`);
  } finally {
    await served.close();
  }
});

function expectNoSecret({ output, complaints }: CloneHarness, shown: unknown): void {
  const text = [...output, ...complaints, JSON.stringify(shown), inspect(shown, { depth: 9, showHidden: true })].join(
    '\n',
  );
  for (const secret of ['wr0ng-t0ken', auth.password, encodeURIComponent(auth.password)]) {
    expect(text).not.toContain(secret);
  }
}

/** Paths of files that hold the text, or have it as their name. */
async function filesWith(folder: string, text: string, { byName = false } = {}): Promise<string[]> {
  const { readdir, readFile } = await import('node:fs/promises');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const hit = byName ? entry.name === text : (await readFile(path)).includes(text);
      return hit ? [path] : [];
    });
  return (await Promise.all(found)).flat();
}
