import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyTree } from '../../actors/install/copy-tree.ts';

let root: string;
let from: string;
let to: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'copy-tree-'));
  from = join(root, 'from');
  to = join(root, 'to');
  await mkdir(from);
});

afterEach(() => rm(root, { recursive: true, force: true }));

const signal = new AbortController().signal;
const copy = (withoutInstalled = true) => copyTree(from, to, { withoutInstalled, signal });

async function file(path: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(join(from, path)), { recursive: true });
  await writeFile(join(from, path), path);
  await chmod(join(from, path), mode);
}

async function link(path: string, target: string): Promise<void> {
  await mkdir(dirname(join(from, path)), { recursive: true });
  await symlink(target, join(from, path));
}

const isThere = (path: string) =>
  lstat(join(to, path)).then(
    () => true,
    () => false,
  );

describe('the copy of a checkout', () => {
  it('has the same files, writable, programs still programs', async () => {
    await file('a/read-only.txt', 0o444);
    await file('a/program', 0o555);
    expect(await copy()).toEqual([]);
    expect(await readFile(join(to, 'a/read-only.txt'), 'utf8')).toBe('a/read-only.txt');
    expect((await stat(join(to, 'a/read-only.txt'))).mode & 0o777).toBe(0o644);
    expect((await stat(join(to, 'a/program'))).mode & 0o777).toBe(0o755);
  });

  it('leaves the original as it is when it is written to', async () => {
    await file('a.txt');
    await copy();
    await writeFile(join(to, 'a.txt'), 'changed');
    expect(await readFile(join(from, 'a.txt'), 'utf8')).toBe('a.txt');
  });

  it.each([
    ['to a file beside it', 'link', 'file'],
    ['to a folder', 'deep/link', '../dir'],
    ['to something that a build will make', 'link', 'dist/later.js'],
  ])('keeps a link %s', async (_, path, target) => {
    await file('file');
    await file('dir/inner');
    await link(path, target);
    expect(await copy()).toEqual([]);
    expect(await readlink(join(to, path))).toBe(target);
  });

  it.each([
    ['to somewhere above', 'link', '../outside'],
    ['to a dangling place above', 'link', '../nowhere'],
    ['by an absolute path', 'link', '/etc/passwd'],
  ])('leaves out a link that leads out %s', async (_, path, target) => {
    await writeFile(join(root, 'outside'), '');
    await link(path, target);
    expect(await copy()).toEqual([path]);
    expect(await isThere(path)).toBe(false);
  });

  it('leaves out a link that leads out through another link', async () => {
    await writeFile(join(root, 'outside'), '');
    await mkdir(join(from, 'a/b'), { recursive: true });
    await link('a/b/up', '../..');
    await link('a/b/out', 'up/../outside');
    expect(await copy()).toEqual(['a/b/out']);
    await link('a/b/dangling', 'up/../not-there');
    await rm(to, { recursive: true });
    expect(await copy()).toEqual(['a/b/dangling', 'a/b/out']);
  });

  it('leaves out what an installer made, unless nothing is to be installed', async () => {
    await file('node_modules/x/index.js');
    await file('packages/a/node_modules/y.js');
    await file('.venv/bin/python');
    await file('venv/pyvenv.cfg');
    await file('src/venv/module.py');
    await copy();
    expect((await readdir(to)).sort()).toEqual(['packages', 'src']);
    expect(await readdir(join(to, 'packages/a'))).toEqual([]);
    expect(await isThere('src/venv/module.py')).toBe(true);
    await rm(to, { recursive: true });
    await copy(false);
    expect(await isThere('node_modules/x/index.js')).toBe(true);
  });

  it('ends when it is aborted', async () => {
    await file('a/b/c');
    await expect(
      copyTree(from, to, { withoutInstalled: true, signal: AbortSignal.abort(new Error('stop')) }),
    ).rejects.toThrow('stop');
  });
});
