import { chmod, readFile, readlink, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GitServer, git, startGitServer } from '../support/git-server.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import {
  addCommit,
  createCloneHarness,
  createRepository,
  pathWithoutGit,
  type TestRepository,
  writeFiles,
} from './clone-harness.ts';

let root: TestHome;
let server: GitServer;
let old: GitServer;
let repository: TestRepository;
let withoutGit: string;

beforeAll(async () => {
  root = await createHome();
  repository = await createRepository(root.root, 'some');
  const served = join(root.root, 'served');
  server = await startGitServer({ root: served, renamed: { from: 'former', to: 'some' } });
  old = await startGitServer({ root: served, old: true });
  withoutGit = await pathWithoutGit(root.root);
});
afterAll(async () => {
  await Promise.all([server?.close(), old?.close()]);
  await root?.[Symbol.asyncDispose]();
});

const ways = {
  'git over http': { env: () => ({}), url: () => `${server.url}/some.git` },
  'git over http of an old host': { env: () => ({}), url: () => `${old.url}/some.git` },
  'git from a file:// address': { env: () => ({}), url: () => repository.url },
  'isomorphic-git over http': { env: () => ({ PATH: withoutGit }), url: () => `${server.url}/some.git` },
};

describe.each(Object.entries(ways))('%s', (_, { env, url }) => {
  const pins: Record<string, { pin: () => string; text: string; commit: () => string }> = {
    'the default branch': { pin: () => '', text: 'two\n', commit: () => repository.commits[1]! },
    'a branch': { pin: () => '#main', text: 'two\n', commit: () => repository.commits[1]! },
    'an annotated tag': { pin: () => '#v1', text: 'one\n', commit: () => repository.commits[0]! },
    'a commit that is no tip': {
      pin: () => `#${repository.commits[0]}`,
      text: 'one\n',
      commit: () => repository.commits[0]!,
    },
    'a short commit id': {
      pin: () => `#${repository.commits[0]?.slice(0, 9)}`,
      text: 'one\n',
      commit: () => repository.commits[0]!,
    },
  };

  test.each(Object.entries(pins))('takes %s', async (_name, { pin, text, commit }) => {
    await using harness = await createCloneHarness(env());
    const checkout = await harness.cloned(url() + pin());
    expect(checkout.commit).toBe(commit());
    expect(new Date(checkout.committedAt ?? '').toISOString()).toBe('2026-10-01T12:00:00.000Z');
    expect(await readFile(join(checkout.dir, 'version.txt'), 'utf8')).toBe(text);
    expect((await stat(join(checkout.dir, 'inner/server/run.sh'))).mode & 0o111).not.toBe(0);
    expect(await git(checkout.dir, 'rev-parse', 'HEAD')).toBe(commit());
    expect(await git(checkout.dir, 'status', '--porcelain')).toBe('');
    expect(await git(checkout.dir, 'remote', 'get-url', 'origin')).toBe(url());
    expect(harness.complaints).toEqual([]);
    await expectNothingLeft(harness.home);
  });

  test('takes a branch with a slash in its name', async () => {
    await using harness = await createCloneHarness(env());
    const checkout = await harness.cloned(`${url()}#topic/one`);
    expect(await readFile(join(checkout.dir, 'version.txt'), 'utf8')).toBe('topic\n');
  });

  test('takes a repository for a subfolder, and refuses one that is not there without keeping anything', async () => {
    await using harness = await createCloneHarness(env());
    expect(await harness.refused(`${url()}#:no/such`)).toMatchObject({
      code: 'CLONE_SUBDIR_NOT_FOUND',
      message: expect.stringContaining("'no/such'"),
      hint: 'Its folders are inner.',
    });
    expect(await harness.refused(`${url()}#:inner/such`)).toMatchObject({ hint: 'The folders in inner are server.' });
    await expect(stat(join(harness.home.path, 'checkouts'))).rejects.toThrow('ENOENT');
    await expectNothingLeft(harness.home);
    await harness.cloned(`${url()}#:inner/server`);
  });

  test('keeps an unpinned source at its commit, and asks again when the facts are forgotten', async () => {
    await using harness = await createCloneHarness(env());
    const { root: top } = harness.home;
    const before = await createRepository(top, 'moving');
    const moving = await startGitServer({ root: join(top, 'served') });
    try {
      const source = url().startsWith('file:') ? before.url : `${moving.url}/moving.git`;
      const first = await harness.cloned(source);
      const next = await addCommit(top, 'moving', { 'version.txt': 'three\n' });
      const requests = moving.log.length;
      expect(await harness.cloned(source)).toEqual(first);
      expect(moving.log.length).toBe(requests);

      await harness.context.store.writeFacts('some', { sourceKey: undefined, checkout: undefined });
      const updated = await harness.cloned(source);
      expect(updated.commit).toBe(next);
      expect(await readFile(join(first.dir, 'version.txt'), 'utf8')).toBe('two\n');
    } finally {
      await moving.close();
    }
  });

  test('downloads a commit once for two plugins', async () => {
    await using harness = await createCloneHarness(env());
    const first = await harness.cloned(url(), { plugin: 'first' });
    const downloads = server.fetches() + old.fetches();
    expect(await harness.cloned(url(), { plugin: 'second' })).toEqual(first);
    expect(await harness.cloned(`${url()}#main`, { plugin: 'third' })).toEqual(first);
    expect(server.fetches() + old.fetches()).toBe(downloads);
  });
});

describe('git', () => {
  test('fetches one commit and not the history', async () => {
    await using harness = await createCloneHarness();
    const { dir } = await harness.cloned(`${server.url}/some.git`);
    expect(await git(dir, 'rev-list', '--count', 'HEAD')).toBe('1');
  });

  test('leaves the tag of a tag pin for builds that take their version from it', async () => {
    await using harness = await createCloneHarness();
    const { dir } = await harness.cloned(`${server.url}/some.git#v1`);
    expect(await git(dir, 'describe')).toBe('v1');
  });

  test('runs no hook and no template of the user', async () => {
    await using harness = await createCloneHarness();
    const user = join(harness.home.root, 'user');
    const trace = join(harness.home.root, 'hooked');
    const hook = `#!/bin/sh\ntouch ${trace}\n`;
    await writeFiles(user, {
      '.gitconfig': `[core]\n\thooksPath = ${user}/hooks\n[init]\n\ttemplateDir = ${user}/template\n`,
      'hooks/post-checkout': hook,
      'template/hooks/post-checkout': hook,
    });
    for (const folder of ['hooks', 'template/hooks']) await chmod(join(user, folder, 'post-checkout'), 0o755);
    const { dir } = await harness.cloned(`${server.url}/some.git`);
    await expect(stat(trace)).rejects.toThrow('ENOENT');
    await expect(stat(join(dir, '.git/hooks/post-checkout'))).rejects.toThrow('ENOENT');
  });

  test('fetches submodules, and leaves those empty that would run a program or read the local disk', async () => {
    await using harness = await createCloneHarness();
    const { root: top } = harness.home;
    const trace = join(top, 'ran');
    const { commits, url: local } = await createRepository(top, 'sub');
    await createRepository(top, 'super');
    const served = await startGitServer({ root: join(top, 'served') });
    try {
      const work = join(top, 'work', 'super');
      await git(work, 'submodule', '--quiet', 'add', `${served.url}/sub.git`, 'good');
      for (const [name, address] of [
        ['evil', `ext::sh -c touch% ${trace}`],
        ['local', local],
      ]) {
        await git(work, 'config', '-f', '.gitmodules', `submodule.${name}.path`, name!);
        await git(work, 'config', '-f', '.gitmodules', `submodule.${name}.url`, address!);
        await git(work, 'update-index', '--add', '--cacheinfo', `160000,${commits[1]},${name}`);
      }
      await git(work, 'add', '.gitmodules');
      await git(work, 'commit', '--quiet', '--message=submodules');
      await git(work, 'push', '--quiet', join(top, 'served', 'super.git'), 'main');
      const { dir } = await harness.cloned(`${served.url}/super.git`);
      expect(await readFile(join(dir, 'good/version.txt'), 'utf8')).toBe('two\n');
      for (const name of ['evil', 'local']) {
        await expect(stat(join(dir, name, 'version.txt'))).rejects.toThrow('ENOENT');
      }
      await expect(stat(trace)).rejects.toThrow('ENOENT');
      expect(harness.complaints.join()).toMatch(/submodule evil could not .* submodule local could not/s);
    } finally {
      await served.close();
    }
  });

  test('checks out a link that leaves the tree as a link', async () => {
    await using harness = await createCloneHarness();
    const { root: top } = harness.home;
    const { url } = await createRepository(top, 'linked');
    const work = join(top, 'work', 'linked');
    await symlink('/etc/passwd', join(work, 'out'));
    await git(work, 'add', '--all');
    await git(work, 'commit', '--quiet', '--message=link');
    await git(work, 'push', '--quiet', join(top, 'served', 'linked.git'), 'main');
    const { dir } = await harness.cloned(url);
    expect(await readlink(join(dir, 'out'))).toBe('/etc/passwd');
  });

  /** An ssh that notes how it was called and runs the command here. */
  const writeSsh = async (path: string, trace: string) => {
    await writeFiles(path, { ssh: `#!/bin/sh\necho "$@" >> ${trace}\nfor last; do :; done\neval "$last"\n` });
    await chmod(join(path, 'ssh'), 0o755);
  };

  test.each(['ssh://git@some.host', 'git@some.host:'])('clones over ssh (%s…), which may not ask', async (start) => {
    await using harness = await createCloneHarness({ PATH: `${join(root.root, 'ssh-bin')}:${process.env.PATH}` });
    const trace = join(harness.home.root, 'trace');
    await writeSsh(join(root.root, 'ssh-bin'), trace);
    const { commit } = await harness.cloned(`${start}${join(root.root, 'served/some.git')}`);
    expect(commit).toBe(repository.commits[1]);
    expect(await readFile(trace, 'utf8')).toMatch(/-o BatchMode=yes .*git@some\.host/);
  });

  test('leaves the user’s own ssh command as it is', async () => {
    await using harness = await createCloneHarness();
    const { root: top } = harness.home;
    await writeSsh(join(top, 'own'), join(top, 'trace'));
    await writeFiles(join(top, 'user'), { '.gitconfig': `[core]\n\tsshCommand = ${join(top, 'own/ssh')} --mine\n` });
    await harness.cloned(`ssh://git@some.host${join(root.root, 'served/some.git')}`);
    expect(await readFile(join(top, 'trace'), 'utf8')).toMatch(/^--mine /);
  });

  test('does as told by git’s own variables of a surrounding hook in nothing', async () => {
    await using harness = await createCloneHarness({
      GIT_DIR: tmpdir(),
      GIT_INDEX_FILE: '/nowhere',
      GIT_WORK_TREE: '/',
    });
    await harness.cloned(repository.url);
  });
});

describe('isomorphic-git', () => {
  test('finds a repository that was renamed', async () => {
    await using harness = await createCloneHarness({ PATH: withoutGit });
    const { commit } = await harness.cloned(`${server.url}/former.git`);
    expect(commit).toBe(repository.commits[1]);
  });

  test('says that submodules are missing', async () => {
    await using harness = await createCloneHarness({ PATH: withoutGit });
    await createRepository(harness.home.root, 'with-modules', { '.gitmodules': '' });
    const served = await startGitServer({ root: join(harness.home.root, 'served') });
    try {
      await harness.cloned(`${served.url}/with-modules.git`);
      expect(harness.complaints.join()).toMatch(/Submodules are empty/);
    } finally {
      await served.close();
    }
  });

  test.each(['ssh://git@127.0.0.1/o/n.git', 'git@127.0.0.1:o/n.git', 'file:///'])('refuses %s', async (url) => {
    await using harness = await createCloneHarness({ PATH: withoutGit });
    expect(await harness.refused(url)).toMatchObject({ code: 'CLONE_NO_GIT', retryable: false });
    await expectNothingLeft(harness.home);
  });
});
