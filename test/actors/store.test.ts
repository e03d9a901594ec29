import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createStore } from '../../actors/store/create-store.ts';
import { planKey, sourceHash, sourceKey } from '../../actors/store/keys.ts';
import { createHome } from '../support/home.ts';
import { specOf } from '../support/spec.ts';

const checkout = { dir: '/x', commit: 'c', committedAt: null };
const keyOf = (source: string) => sourceKey(specOf(source).source);
const hashOf = (source: string) => sourceHash(specOf(source).source);

describe('the home', () => {
  test('is made private, with its format, by the first use', async () => {
    await using home = await createHome();
    const store = createStore({ home: home.path });
    await expect(stat(home.path)).rejects.toThrow('ENOENT');
    expect(await store.readFacts('some')).toEqual({});
    expect((await stat(home.path)).mode & 0o777).toBe(0o700);
    expect(await readFile(join(home.path, 'format'), 'utf8')).toBe('1\n');
  });

  test('is made by twenty stores at once', async () => {
    await using home = await createHome();
    await Promise.all(Array.from({ length: 20 }, () => createStore({ home: home.path }).open()));
    expect((await readdir(home.path)).sort()).toEqual(['format', 'tmp']);
  });

  test('is made private again when it is not', async () => {
    await using home = await createHome();
    await mkdir(home.path);
    await chmod(home.path, 0o755);
    await createStore({ home: home.path }).open();
    expect((await stat(home.path)).mode & 0o777).toBe(0o700);
  });

  test('takes a folder in which only a config stands', async () => {
    await using home = await createHome();
    await mkdir(home.path);
    await writeFile(join(home.path, 'config.yaml'), '');
    await createStore({ home: home.path }).open();
  });

  test('refuses, untouched, one of a newer version', async () => {
    await using home = await createHome();
    await mkdir(home.path, { mode: 0o755 });
    await writeFile(join(home.path, 'format'), '2\n');
    const store = createStore({ home: home.path });
    for (const use of [
      () => store.open(),
      () => store.writeFacts('some', {}),
      () => store.makeTemp('some'),
      () => store.withLock('some', new AbortController().signal, async () => {}),
      () => store.ledger.intend({ plugin: 'some', generation: 1, cookie: 'x' }),
      () => store.ledger.reap(),
    ]) {
      await expect(use()).rejects.toMatchObject({ failure: { code: 'HOME_NEWER', retryable: false } });
    }
    expect(await readdir(home.path)).toEqual(['format']);
    expect((await stat(home.path)).mode & 0o777).toBe(0o755);
  });

  test.each([
    ['a folder with somebody’s files', { 'thesis.txt': '' }],
    ['a folder with another program’s format', { format: 'pdf' }],
  ])('refuses, untouched, %s', async (_, files) => {
    await using home = await createHome();
    await mkdir(home.path, { mode: 0o755 });
    for (const [name, text] of Object.entries(files)) await writeFile(join(home.path, name), text);
    await expect(createStore({ home: home.path }).open()).rejects.toMatchObject({ failure: { code: 'HOME_UNUSABLE' } });
    expect(await readdir(home.path)).toEqual(Object.keys(files));
    expect((await stat(home.path)).mode & 0o777).toBe(0o755);
  });

  test('is HOME_UNUSABLE where it can not be made, and usable once it can', async () => {
    await using home = await createHome();
    const file = join(home.root, 'file');
    await writeFile(file, '');
    const store = createStore({ home: join(file, 'home') });
    await expect(store.open()).rejects.toMatchObject({ failure: { code: 'HOME_UNUSABLE' } });
    await rm(file);
    await store.open();
  });
});

describe('facts', () => {
  test('are merged, kept for the next store, and forgotten when undefined', async () => {
    await using home = await createHome();
    const store = createStore({ home: home.path });
    await store.writeFacts('some', { sourceKey: 'a', checkout });
    await store.writeFacts('some', { planKey: 'b' });
    await store.writeFacts('other', { planKey: 'c' });
    const next = createStore({ home: home.path });
    expect(await next.readFacts('some')).toEqual({ sourceKey: 'a', checkout, planKey: 'b' });
    await next.writeFacts('some', { checkout: undefined });
    expect(await store.readFacts('some')).toEqual({ sourceKey: 'a', planKey: 'b' });
  });

  test('lose nothing when written at once', async () => {
    await using home = await createHome();
    const store = createStore({ home: home.path });
    await Promise.all([
      store.writeFacts('some', { sourceKey: 'a' }),
      store.writeFacts('some', { planKey: 'b' }),
      store.writeFacts('some', { attemptKey: 'c' }),
    ]);
    expect(await store.readFacts('some')).toEqual({ sourceKey: 'a', planKey: 'b', attemptKey: 'c' });
    expect(await readdir(join(home.path, 'plugins', 'some'))).toEqual(['facts.json']);
  });

  test.each(['', '{"planKey": "b', '[]', 'null', '\0\0\0'])('that are broken (%j) are set aside', async (text) => {
    await using home = await createHome();
    const complaints: string[] = [];
    const log = { debug() {}, info() {}, error() {}, warn: (_: object, message: string) => complaints.push(message) };
    const store = createStore({ home: home.path, now: () => 4711, log });
    await store.writeFacts('some', { planKey: 'b' });
    const folder = join(home.path, 'plugins', 'some');
    await writeFile(join(folder, 'facts.json'), text);
    expect(await store.readFacts('some')).toEqual({});
    expect(await readdir(folder)).toEqual(['facts.json.broken-4711']);
    expect(complaints).toHaveLength(1);
    await store.writeFacts('some', { planKey: 'c' });
    expect(await store.readFacts('some')).toEqual({ planKey: 'c' });
  });

  test('that can not be written leave the old ones', async () => {
    await using home = await createHome();
    const store = createStore({ home: home.path });
    await store.writeFacts('some', { planKey: 'b' });
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    await expect(store.writeFacts('some', { plan: cyclic as never })).rejects.toThrow();
    expect(await store.readFacts('some')).toEqual({ planKey: 'b' });
    await store.writeFacts('some', { sourceKey: 'a' });
    expect(await store.readFacts('some')).toEqual({ planKey: 'b', sourceKey: 'a' });
  });
});

describe('names', () => {
  test('of plugins and keys never leave their folder', async () => {
    const store = createStore({ home: '/home' });
    for (const name of ['..', '.', '../../etc', 'a/b', '.hidden', 'a\0b', 'x'.repeat(500), 'ü', '']) {
      for (const path of [store.dataDir(name), store.runtimeDir(name), store.environmentDir('p', name)]) {
        expect(path).toMatch(/^\/home\/(data|runtimes|envs\/p)\/[A-Za-z0-9%_@#+-][A-Za-z0-9%._@#+-]{0,200}$/);
      }
    }
    expect(store.dataDir('server-time-1a2b3c')).toBe('/home/data/server-time-1a2b3c');
    expect(new Set([store.dataDir('a/b'), store.dataDir('a%2Fb'), store.dataDir('a_b')]).size).toBe(3);
  });

  test('of temp folders are fresh', async () => {
    await using home = await createHome();
    const store = createStore({ home: home.path });
    const [first, second] = await Promise.all([store.makeTemp('../a b'), store.makeTemp('../a b')]);
    expect(first).not.toBe(second);
    expect(await readdir(join(home.path, 'tmp'))).toHaveLength(2);
  });
});

describe('keys', () => {
  test.each([
    ['https://Example.org/o/n.git/', 'https://example.org/o/n'],
    ['https://somebody:secret@example.org/o/n', 'https://example.org/o/n'],
    ['github:o/n', 'https://github.com/o/n'],
    ['/some/folder/', '/some/folder'],
  ])('are the same for %s and %s', (one, other) => {
    expect(keyOf(one)).toBe(keyOf(other));
  });

  test.each([
    ['https://example.org/o/n', 'https://example.org/o/N'],
    ['https://example.org/o/n', 'https://example.org:444/o/n'],
    ['https://example.org/o/n#a', 'https://example.org/o/n#b'],
    ['https://example.org/o/n', 'https://example.org/o/n#a'],
    ['/some/folder', 'file:///some/folder'],
  ])('differ for %s and %s', (one, other) => {
    expect(keyOf(one)).not.toBe(keyOf(other));
  });

  test('leave the ref out of where the checkouts are, and the subfolder out of both', () => {
    expect(hashOf('o/n#a')).toBe(hashOf('o/n#b'));
    expect(keyOf('o/n#a:x')).toBe(keyOf('o/n#a:y'));
  });

  test('of plans depend on commit, subfolder and overrides, not on the order of their names', () => {
    const base = planKey(checkout, specOf('o/n', { args: ['a'], cwd: 'b' }));
    expect(planKey({ ...checkout, dir: '/y' }, specOf('o/n', { cwd: 'b', args: ['a'] }))).toBe(base);
    expect(planKey({ ...checkout, commit: 'd' }, specOf('o/n', { args: ['a'], cwd: 'b' }))).not.toBe(base);
    expect(planKey(checkout, specOf('o/n#:x', { args: ['a'], cwd: 'b' }))).not.toBe(base);
    expect(planKey(checkout, specOf('o/n', { args: ['a', 'b'], cwd: 'b' }))).not.toBe(base);
  });
});
