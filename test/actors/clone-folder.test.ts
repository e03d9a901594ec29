import { chmod, readdir, readFile, readlink, rename, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listFolder } from '../../actors/clone/folder-files.ts';
import { git } from '../support/git-server.ts';
import { checkoutsOf } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { type CloneHarness, createCloneHarness, writeFiles } from './clone-harness.ts';

const files = { 'package.json': '{}', 'src/index.js': '1', 'run.sh': '#!/bin/sh\n' };

async function createFolder({ home }: CloneHarness, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = join(home.root, 'plugin');
  await writeFiles(folder, { ...files, ...more });
  return folder;
}

/** Every file and folder below, with what tells whether it was touched. */
async function stateOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true });
  const states = entries.map(async (path) => {
    const { mtimeMs, ctimeMs, mode } = await stat(join(folder, path));
    return `${path} ${mtimeMs} ${ctimeMs} ${mode}`;
  });
  return (await Promise.all(states)).sort();
}

const pathsOf = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

describe('a folder', () => {
  test('is copied with modes and times, and never written to', async () => {
    await using harness = await createCloneHarness();
    const folder = await createFolder(harness);
    await utimes(join(folder, 'src/index.js'), 1_700_000_000, 1_700_000_000);
    const before = await stateOf(folder);
    const checkout = await harness.cloned(folder);
    expect(await pathsOf(checkout.dir)).toEqual(Object.keys(files).sort());
    expect((await stat(join(checkout.dir, 'run.sh'))).mode & 0o111).not.toBe(0);
    expect((await stat(join(checkout.dir, 'src/index.js'))).mtimeMs).toBe(1_700_000_000_000);
    expect(checkout.committedAt).toBeNull();
    expect(await stateOf(folder)).toEqual(before);
    await expectNothingLeft(harness.home);
  });

  test('is copied again when a file appears, goes, grows, is renamed or is written, and only then', async () => {
    await using harness = await createCloneHarness();
    const folder = await createFolder(harness);
    const commits = [(await harness.cloned(folder)).commit];
    expect((await harness.cloned(folder)).commit).toBe(commits[0]);
    const changes = [
      () => writeFile(join(folder, 'new.js'), ''),
      () => writeFile(join(folder, 'src/index.js'), '12'),
      () => rename(join(folder, 'new.js'), join(folder, 'newer.js')),
      () => utimes(join(folder, 'src/index.js'), 1, 1),
      () => chmod(join(folder, 'newer.js'), 0o755),
    ];
    for (const change of changes) {
      await change();
      commits.push((await harness.cloned(folder)).commit);
    }
    expect(new Set(commits).size).toBe(changes.length + 1);
    expect(await checkoutsOf(harness.home)).toHaveLength(changes.length + 1);
  });

  test('loses its earlier copies once no install can be reading them', async () => {
    await using harness = await createCloneHarness();
    const folder = await createFolder(harness);
    const edited = async (text: string) => {
      await writeFile(join(folder, 'src/index.js'), text);
      return harness.cloned(folder);
    };
    const old = await edited('one');
    const recent = await edited('three');
    const hourAgo = Date.now() / 1000 - 3601;
    await utimes(old.dir, hourAgo, hourAgo);
    const current = await edited('seventeen');
    const left = await readdir(join(old.dir, '..'));
    expect(left.sort()).toEqual([recent.commit, current.commit].sort());
  });

  test('leaves out .git, node_modules, caches, virtual environments and the home', async () => {
    await using harness = await createCloneHarness();
    const folder = await createFolder(harness, {
      '.git/config': '',
      'node_modules/a/index.js': '',
      'src/node_modules/b/index.js': '',
      '__pycache__/a.pyc': '',
      '.venv/pyvenv.cfg': '',
      '.venv/bin/python': '',
      'environment/pyvenv.cfg': '',
    });
    await writeFiles(join(folder, 'inner', 'home'), { format: '1' });
    const { files: listed } = await listFolder(folder, join(folder, 'inner', 'home'));
    expect(listed.map(({ path }) => path)).toEqual(Object.keys(files).sort());
  });

  test('leaves out what .gitignore names, at every depth, with or without a repository', async () => {
    await using harness = await createCloneHarness();
    const folder = await createFolder(harness, {
      '.gitignore': '*.log\n/dist\nsecret/\n!keep.log\n',
      'a.log': '',
      'keep.log': '',
      'src/b.log': '',
      'dist/x.js': '',
      'src/dist/y.js': '',
      'secret/key': '',
      'src/.gitignore': '!b.log\nindex.tmp\n',
      'src/index.tmp': '',
    });
    const expected = [
      '.gitignore',
      'keep.log',
      ...Object.keys(files),
      'src/.gitignore',
      'src/b.log',
      'src/dist/y.js',
    ].sort();
    expect(await pathsOf((await harness.cloned(folder)).dir)).toEqual(expected);
    await git(folder, 'init', '--quiet');
    const asGitSees = (await git(folder, 'ls-files', '-co', '--exclude-standard')).split('\n').sort();
    expect(expected).toEqual(asGitSees);
    expect(await pathsOf((await harness.cloned(folder)).dir)).toEqual(expected);
  });

  test.each([2, 3, 4])('takes what git tracks although a rule ignores it (index version %i)', async (version) => {
    await using harness = await createCloneHarness();
    const folder = await createFolder(harness, {
      'lib/tracked/a.py': '',
      'lib/tracked/äöü/b.py': '',
      'lib/other/c.py': '',
      'lib/d.py': '',
      [`lib/${'long/'.repeat(30)}e.py`]: '',
    });
    await git(folder, 'init', '--quiet');
    await git(folder, 'config', 'core.quotePath', 'false');
    await git(folder, 'add', 'lib/tracked', 'lib/long', 'package.json');
    // Version 3 is what git writes when an entry has an extended flag.
    if (version === 3) await git(folder, 'add', '--intent-to-add', 'run.sh');
    await git(folder, 'update-index', '--index-version', String(version === 3 ? 2 : version));
    expect((await readFile(join(folder, '.git/index'))).readUInt32BE(4)).toBe(version);
    await writeFiles(folder, { '.gitignore': 'lib/\n' });
    const asGitSees = (await git(folder, 'ls-files', '-co', '--exclude-standard')).split('\n').sort();
    expect(asGitSees).toHaveLength(7);
    expect(await pathsOf((await harness.cloned(folder)).dir)).toEqual(asGitSees);
  });

  test('inside of a repository obeys the rules above it and .git/info/exclude', async () => {
    await using harness = await createCloneHarness();
    const { root } = harness.home;
    await writeFiles(join(root, 'repo'), {
      '.gitignore': '*.log\n',
      'packages/one/a.log': '',
      'packages/one/b.tmp': '',
    });
    await writeFiles(join(root, 'repo/packages/one'), files);
    await git(join(root, 'repo'), 'init', '--quiet');
    await writeFiles(join(root, 'repo'), { '.git/info/exclude': '*.tmp\n' });
    const { dir } = await harness.cloned(join(root, 'repo/packages/one'));
    expect(await pathsOf(dir)).toEqual(Object.keys(files).sort());
  });

  test('that is itself ignored by the repository around it is copied whole', async () => {
    await using harness = await createCloneHarness();
    const { root } = harness.home;
    await writeFiles(join(root, 'repo'), { '.gitignore': 'out\n' });
    await writeFiles(join(root, 'repo/out'), files);
    await git(join(root, 'repo'), 'init', '--quiet');
    expect(await pathsOf((await harness.cloned(join(root, 'repo/out'))).dir)).toEqual(Object.keys(files).sort());
  });

  test('keeps its links inside and leaves out those that lead out', async () => {
    await using harness = await createCloneHarness();
    const folder = await createFolder(harness, { '../secret.txt': 'secret' });
    await symlink('src/index.js', join(folder, 'inside'));
    await symlink(join(folder, 'src'), join(folder, 'absolute'));
    await symlink('../secret.txt', join(folder, 'up'));
    await symlink('/etc/passwd', join(folder, 'out'));
    await symlink('.', join(folder, 'round'));
    const { dir } = await harness.cloned(folder);
    expect(await pathsOf(dir)).toEqual([...Object.keys(files), 'absolute', 'inside', 'round'].sort());
    expect(await readlink(join(dir, 'absolute'))).toBe('src');
    expect(await readFile(join(dir, 'inside'), 'utf8')).toBe('1');
    expect(harness.complaints.join()).toMatch(/"links":\["out","up"\]/);
  });

  test.each([
    ['is missing', 'nowhere', 'CLONE_NOT_FOUND'],
    ['is a file', 'plugin/package.json', 'CLONE_NOT_FOUND'],
    ['lacks the subfolder', 'plugin#:no/such', 'CLONE_SUBDIR_NOT_FOUND'],
  ])('that %s is refused, and nothing is left', async (_, source, code) => {
    await using harness = await createCloneHarness();
    await createFolder(harness);
    expect(await harness.refused(join(harness.home.root, source))).toMatchObject({ code, retryable: false });
    expect(await checkoutsOf(harness.home)).toEqual([]);
    expect(await harness.context.store.readFacts('some')).toEqual({});
    await expectNothingLeft(harness.home);
  });

  test.skipIf(process.getuid?.() === 0)('with a file that can not be read is refused by its name', async () => {
    await using harness = await createCloneHarness();
    const folder = await createFolder(harness);
    await chmod(join(folder, 'run.sh'), 0);
    expect(await harness.refused(folder)).toMatchObject({
      code: 'CLONE_FAILED',
      message: expect.stringContaining('run.sh'),
    });
    await expectNothingLeft(harness.home);
  });

  test('ends when cancelled, and leaves nothing', async () => {
    await using harness = await createCloneHarness();
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`files/${index}`, 'x']));
    const run = harness.clone(await createFolder(harness, many));
    await expect.poll(async () => (await readdir(join(harness.home.path, 'tmp')).catch(() => [])).length).toBe(1);
    run.cancel();
    expect(await run.ended).toEqual({ status: 'cancelled' });
    expect(await checkoutsOf(harness.home)).toEqual([]);
    await expectNothingLeft(harness.home);
  });
});
