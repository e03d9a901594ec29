import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createFileView } from '../../actors/file-view.ts';
import { createHome } from '../support/home.ts';
import { writeFiles } from './clone-harness.ts';

const tree = {
  'package.json': '\uFEFF{}',
  'src/index.ts': '',
  'dist/index.js': '',
  '.git/config': '',
  'node_modules/a/package.json': '{"name":"a"}',
  'src/__pycache__/a.pyc': '',
  '.venv/pyvenv.cfg': '',
  '.venv/bin/server': '',
  '.venv/lib/python3.12/site-packages/a/__init__.py': '',
  '.venv/lib/python3.12/site-packages/a-1.dist-info/entry_points.txt': '[console_scripts]',
};

describe('a file view', () => {
  test('lists sources, sorted, and not what tools put beside them', async () => {
    await using home = await createHome();
    await writeFiles(join(home.root, 'x'), tree);
    expect(createFileView(join(home.root, 'x')).files).toEqual(['dist/index.js', 'package.json', 'src/index.ts']);
  });

  test('of an installed tree lists programs and package records as well', async () => {
    await using home = await createHome();
    await writeFiles(join(home.root, 'x'), tree);
    await symlink(process.execPath, join(home.root, 'x/.venv/bin/python'));
    const view = createFileView(join(home.root, 'x'), { installed: true });
    expect(view.files).toEqual([
      '.venv/bin/python',
      '.venv/bin/server',
      '.venv/lib/python3.12/site-packages/a-1.dist-info/entry_points.txt',
      '.venv/pyvenv.cfg',
      'dist/index.js',
      'package.json',
      'src/index.ts',
    ]);
    expect(view.has('.venv/bin/python')).toBe(true);
  });

  test('has and reads also what it does not list, and nothing outside', async () => {
    await using home = await createHome();
    const root = join(home.root, 'x');
    await writeFiles(root, tree);
    await writeFiles(home.root, { 'secret.txt': 'secret', 'outside/deep.txt': 'secret' });
    await symlink('../secret.txt', join(root, 'link.txt'));
    await symlink('../outside', join(root, 'folder'));
    await symlink('package.json', join(root, 'inside.json'));
    await symlink('.', join(root, 'round'));
    const view = createFileView(root);
    expect(view.files).toEqual(['dist/index.js', 'inside.json', 'package.json', 'src/index.ts']);
    for (const path of [
      'src',
      'node_modules/a',
      'node_modules/a/package.json',
      '',
      'inside.json',
      './src/../package.json',
    ]) {
      expect(view.has(path), path).toBe(true);
    }
    expect(view.read('node_modules/a/package.json')).toBe('{"name":"a"}');
    expect(view.read('inside.json')).toBe('{}');
    for (const path of [
      'nothing',
      'folder/deep.txt',
      '../secret.txt',
      join(home.root, 'secret.txt'),
      'src/../../secret.txt',
      'a\0',
    ]) {
      expect(view.has(path), path).toBe(false);
    }
    for (const path of ['nothing', 'src', 'link.txt', 'folder/deep.txt', '../secret.txt', '/etc/passwd']) {
      expect(view.read(path), path).toBeUndefined();
    }
  });

  test('reads texts up to 1 MiB', async () => {
    await using home = await createHome();
    await writeFile(join(home.root, 'fits'), 'x'.repeat(1024 * 1024));
    await writeFile(join(home.root, 'large'), 'x'.repeat(1024 * 1024 + 1));
    const view = createFileView(home.root);
    expect(view.read('fits')).toHaveLength(1024 * 1024);
    expect(view.read('large')).toBeUndefined();
  });

  test('stops at its limit, with the shallow files first', async () => {
    await using home = await createHome();
    const root = join(home.root, 'x');
    await writeFiles(root, { 'z.txt': '', 'a/1': '', 'a/2': '', 'a/b/3': '' });
    expect(createFileView(root, { limit: 3 }).files).toEqual(['a/1', 'a/2', 'z.txt']);
  });
});
