import { createHash } from 'node:crypto';
import { chmod, lstat, readdir, readFile, readlink, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FailureCode } from '../../machines/failure.ts';
import { type Packed, tar, zip } from '../support/archives.ts';
import { checkoutsOf } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { type CloneHarness, createCloneHarness } from './clone-harness.ts';

const FILES: readonly Packed[] = [
  { path: 'name-1.0/' },
  { path: 'name-1.0/package.json', text: '{}' },
  { path: 'name-1.0/bin/run.sh', text: '#!/bin/sh\n', mode: 0o755 },
  { path: 'name-1.0/src/ünï.js', text: '1' },
];

const packers = {
  'a zip': (entries: readonly Packed[]) => zip(entries),
  'a tar': (entries: readonly Packed[]) => tar(entries),
  'a gzipped tar': (entries: readonly Packed[]) => tar(entries, { gzip: true }),
};

async function put({ home }: CloneHarness, bytes: Buffer, name = 'plugin.zip'): Promise<string> {
  const file = join(home.root, name);
  await writeFile(file, bytes);
  return file;
}

const filesOf = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe.each(Object.entries(packers))('%s', (_, pack) => {
  test('is unpacked without the folder around it (trap 35), with its modes and times', async () => {
    await using harness = await createCloneHarness();
    const checkout = await harness.cloned(await put(harness, pack(FILES)));
    expect(await filesOf(checkout.dir)).toEqual(['bin/run.sh', 'package.json', 'src/ünï.js']);
    expect((await stat(join(checkout.dir, 'bin/run.sh'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(checkout.dir, 'package.json'))).mode & 0o777).toBe(0o644);
    expect(checkout.committedAt?.slice(0, 4)).toBe('2026');
    await expectNothingLeft(harness.home);
  });

  test('is left as it is when it holds several things, or is a bundle', async () => {
    await using harness = await createCloneHarness();
    const several = pack([...FILES, { path: 'README.md', text: '' }]);
    expect(await readdir((await harness.cloned(await put(harness, several))).dir)).toContain('name-1.0');
    const bundle = await harness.cloned(await put(harness, pack(FILES), 'plugin.mcpb'));
    expect(await readdir(bundle.dir)).toEqual(['name-1.0']);
  });

  test('keeps links that stay inside', async () => {
    await using harness = await createCloneHarness();
    const links = [
      { path: 'top/a/one', link: '../b/two' },
      { path: 'top/three', link: 'b' },
      { path: 'top/b/two', text: '2' },
      { path: 'top/gone', link: './later' },
    ];
    const { dir } = await harness.cloned(await put(harness, pack(links)));
    expect(await readFile(join(dir, 'a/one'), 'utf8')).toBe('2');
    expect(await readFile(join(dir, 'three/two'), 'utf8')).toBe('2');
    expect(await readlink(join(dir, 'gone'))).toBe('later');
  });

  test('loses setuid, what others may write, and a repository of its own', async () => {
    await using harness = await createCloneHarness();
    const entries = [
      { path: 'run', text: 'x', mode: 0o6777 },
      { path: 'all', text: 'x', mode: 0o666 },
      { path: '.git/hooks/post-checkout', text: '#!/bin/sh\n', mode: 0o755 },
      { path: 'inner/.GIT/config', text: '[core]\n' },
    ];
    const { dir } = await harness.cloned(await put(harness, pack(entries)));
    expect(await filesOf(dir)).toEqual(['all', 'run']);
    expect((await stat(join(dir, 'run'))).mode & 0o7777).toBe(0o755);
    expect((await stat(join(dir, 'all'))).mode & 0o7777).toBe(0o644);
  });

  const hostile: Readonly<Record<string, readonly Packed[]>> = {
    'an entry above': [{ path: '../canary', text: 'x' }],
    'an entry above, from below': [{ path: 'a/../../canary', text: 'x' }],
    'an absolute entry': [{ path: '/tmp/mcps-canary', text: 'x' }],
    'a drive': [{ path: 'C:/canary', text: 'x' }],
    'backslashes that climb': [{ path: '..\\..\\canary', text: 'x' }],
    'a link out': [{ path: 'link', link: '../../outside' }],
    'an absolute link': [{ path: 'link', link: '/etc/passwd' }],
    'a link that climbs through another': [
      { path: 'a/b/loop', link: '..' },
      { path: 'link', link: 'a/b/loop/../../../outside' },
    ],
    'a file written through a link': [
      { path: 'out', link: '..' },
      { path: 'out/canary', text: 'x' },
    ],
    'a link below a link': [
      { path: 'x', text: '' },
      { path: 'dir', link: '.' },
      { path: 'dir/inner', link: '..' },
    ],
    'a file below a file': [
      { path: 'a', text: '' },
      { path: 'a/b', text: '' },
    ],
  };

  test.each(Object.entries(hostile))('is refused as a whole for %s', async (_name, entries) => {
    await using harness = await createCloneHarness();
    const failure = await harness.refused(await put(harness, pack([{ path: 'good.txt', text: '' }, ...entries])));
    expect(failure.code).toBe('CLONE_UNSAFE_ARCHIVE' satisfies FailureCode);
    expect(await checkoutsOf(harness.home)).toEqual([]);
    expect(await readdir(harness.home.root)).not.toContain('canary');
    expect(await readdir(harness.home.path)).not.toContain('canary');
    await expectNothingLeft(harness.home);
  });

  test('is refused for a link out of what is left once the folder around is gone', async () => {
    await using harness = await createCloneHarness();
    const entries = [
      { path: 'top/good.txt', text: '' },
      { path: 'top/link', link: '..' },
    ];
    const failure = await harness.refused(await put(harness, pack(entries)));
    expect(failure).toMatchObject({ code: 'CLONE_UNSAFE_ARCHIVE', message: expect.stringContaining('outside') });
    expect(await checkoutsOf(harness.home)).toEqual([]);
    await expectNothingLeft(harness.home);
  });

  test('is refused for more files than it may hold', async () => {
    await using harness = await createCloneHarness({}, { maxFiles: 3 });
    const failure = await harness.refused(await put(harness, pack(FILES)));
    expect(failure).toMatchObject({ code: 'CLONE_TOO_LARGE', message: expect.stringContaining('3 files') });
    expect(await checkoutsOf(harness.home)).toEqual([]);
    await expectNothingLeft(harness.home);
  });

  test('is refused for more bytes than it may hold', async () => {
    await using harness = await createCloneHarness({}, { maxSource: 100_000 });
    const failure = await harness.refused(await put(harness, pack([{ path: 'x', text: Buffer.alloc(100_001) }])));
    expect(failure).toMatchObject({ code: 'CLONE_TOO_LARGE', message: expect.stringContaining('100000 bytes') });
    await expectNothingLeft(harness.home);
  });

  test('is refused when it is cut off', async () => {
    await using harness = await createCloneHarness();
    const bytes = pack([{ path: 'x', text: Buffer.alloc(2000, 'x') }]);
    const cut = await put(harness, bytes.subarray(0, Math.min(bytes.length - 100, 700)));
    expect((await harness.refused(cut)).code).toBe('CLONE_BAD_ARCHIVE');
    expect(await checkoutsOf(harness.home)).toEqual([]);
    await expectNothingLeft(harness.home);
  });
});

describe('a zip', () => {
  test('that says it is small and is not is refused: a bomb', async () => {
    await using harness = await createCloneHarness();
    // A thousand to one: 128 MiB in 130 KiB.
    const bomb = zip([{ path: 'zeros', text: Buffer.alloc(128 * 1024 * 1024) }]);
    const failure = await harness.refused(await put(harness, bomb));
    expect(failure).toMatchObject({ code: 'CLONE_TOO_LARGE', message: expect.stringContaining('200 times') });
    await expectNothingLeft(harness.home);
  });

  test.each([
    ['deep', 'a/'.repeat(70)],
    ['long', `${'a'.repeat(200)}/`.repeat(6)],
    ['long in one name', `${'a'.repeat(256)}/`],
  ])('with a path that is too %s is refused', async (_, path) => {
    await using harness = await createCloneHarness();
    const failure = await harness.refused(await put(harness, zip([{ path: `${path}x`, text: '' }])));
    expect(failure.code).toBe('CLONE_UNSAFE_ARCHIVE');
    await expectNothingLeft(harness.home);
  });

  test('with a wrong checksum inside is refused', async () => {
    await using harness = await createCloneHarness();
    const failure = await harness.refused(await put(harness, zip([{ path: 'x', text: 'x' }], { crc: 1 })));
    expect(failure).toMatchObject({ code: 'CLONE_BAD_ARCHIVE', message: expect.stringContaining('checksum of x') });
  });

  test('of Windows knows programs by their first bytes, and has folders with backslashes', async () => {
    await using harness = await createCloneHarness();
    const entries = [
      { path: 'bin\\run', text: '#!/bin/sh\n' },
      { path: 'elf', text: Buffer.from('7f454c4602', 'hex') },
      { path: 'plain.txt', text: 'x' },
    ];
    const { dir } = await harness.cloned(await put(harness, zip(entries, { dos: true })));
    const executable = async (path: string) => ((await stat(join(dir, path))).mode & 0o100) !== 0;
    expect(await Promise.all(['bin/run', 'elf', 'plain.txt'].map(executable))).toEqual([true, true, false]);
  });
});

describe('a tar', () => {
  test.each([
    ['a device', '3'],
    ['a pipe', '6'],
  ])('with %s is refused', async (_, type) => {
    await using harness = await createCloneHarness();
    const failure = await harness.refused(await put(harness, tar([{ path: 'x', type }]), 'x.tar'));
    expect(failure.code).toBe('CLONE_UNSAFE_ARCHIVE');
    await expectNothingLeft(harness.home);
  });

  test('has hard links to its own files only', async () => {
    await using harness = await createCloneHarness();
    const inside = tar([
      { path: 'top/a', text: 'x' },
      { path: 'top/b', type: '1', link: 'top/a' },
    ]);
    const { dir } = await harness.cloned(await put(harness, inside, 'x.tar'));
    expect(await readFile(join(dir, 'b'), 'utf8')).toBe('x');
    for (const link of ['/etc/passwd', '../outside', 'top/none', 'top']) {
      const outside = tar([
        { path: 'top/a', text: 'x' },
        { path: 'top/b', type: '1', link },
      ]);
      const failure = await harness.refused(await put(harness, outside, 'y.tar'), { plugin: 'other' });
      expect(failure.code, link).toBe('CLONE_UNSAFE_ARCHIVE');
    }
    await expectNothingLeft(harness.home);
  });

  test('that nests without end is refused: a bomb', async () => {
    await using harness = await createCloneHarness();
    const bomb = tar([{ path: 'zeros', text: Buffer.alloc(128 * 1024 * 1024) }], { gzip: true });
    expect((await harness.refused(await put(harness, bomb, 'x.tgz'))).code).toBe('CLONE_TOO_LARGE');
    await expectNothingLeft(harness.home);
  });
});

describe('a file', () => {
  test('with the right checksum is taken, with another one refused', async () => {
    await using harness = await createCloneHarness();
    const bytes = zip(FILES);
    const file = await put(harness, bytes);
    expect((await harness.cloned(`${file}#sha256=${sha256(bytes)}:src`)).commit).toMatch(/^[0-9a-f]{40}$/);
    const failure = await harness.refused(`${file}#sha256=${'0'.repeat(64)}`, { plugin: 'other' });
    expect(failure).toMatchObject({ code: 'CLONE_CHECKSUM', data: { found: sha256(bytes) } });
    await expectNothingLeft(harness.home);
  });

  test('is unpacked again when it was written, and only then', async () => {
    await using harness = await createCloneHarness();
    const file = await put(harness, zip(FILES));
    const first = await harness.cloned(file);
    const inode = (await lstat(first.dir)).ino;
    expect(await harness.cloned(file)).toEqual(first);
    expect((await lstat(first.dir)).ino).toBe(inode);
    await writeFile(file, zip([{ path: 'other.txt', text: 'other' }]));
    await utimes(file, 1_700_000_000, 1_700_000_000);
    const second = await harness.cloned(file);
    expect(second.commit).not.toBe(first.commit);
    expect(await filesOf(second.dir)).toEqual(['other.txt']);
  });

  test.each([
    ['nothing', Buffer.alloc(0), /empty/],
    ['a web page', Buffer.from('<!doctype html><title>x</title>'), /web page/],
    ['something else', Buffer.from('something else'), /neither a zip nor a tar/],
  ])('with %s in it is refused', async (_, bytes, message) => {
    await using harness = await createCloneHarness();
    expect(await harness.refused(await put(harness, bytes))).toMatchObject({
      code: 'CLONE_BAD_ARCHIVE',
      message: expect.stringMatching(message),
    });
  });

  test('that is not there, or a folder of such a name, is not found', async () => {
    await using harness = await createCloneHarness();
    expect((await harness.refused(join(harness.home.root, 'none.zip'))).code).toBe('CLONE_NOT_FOUND');
    expect((await harness.refused(join(harness.home.root, 'none.zip'))).hint).toMatch(/typing/);
  });

  test('of which a subfolder is missing is refused without keeping anything', async () => {
    await using harness = await createCloneHarness();
    const failure = await harness.refused(`${await put(harness, zip(FILES))}#:no/such`);
    expect(failure).toMatchObject({ code: 'CLONE_SUBDIR_NOT_FOUND', hint: expect.stringContaining('bin') });
    expect(await checkoutsOf(harness.home)).toEqual([]);
    await expectNothingLeft(harness.home);
  });

  test('that can not be read says so', async () => {
    await using harness = await createCloneHarness();
    const file = await put(harness, zip(FILES));
    await chmod(file, 0o000);
    // Root reads everything.
    if (process.getuid?.() === 0) return;
    expect((await harness.refused(file)).code).toBe('CLONE_FAILED');
  });
});

describe('an address', () => {
  const bytes = zip(FILES);
  const seen: { url: string; authorization: string | undefined }[] = [];
  let server: Server;
  let other: Server;
  let url = '';
  let elsewhere = '';

  beforeAll(async () => {
    const listen = (each: Server) => new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
    other = createServer((request, response) => {
      seen.push({ url: `other ${request.url}`, authorization: request.headers.authorization });
      response.end(bytes);
    });
    server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      const { authorization } = request.headers;
      seen.push({ url: `${request.url}`, authorization });
      if (pathname === '/x.zip') response.end(bytes);
      else if (pathname === '/page.zip') response.end('<!DOCTYPE html><title>Sign in</title>');
      else if (pathname === '/moved.zip') response.writeHead(302, { location: `${elsewhere}/x` }).end();
      else if (pathname === '/round.zip') response.writeHead(302, { location: '/round.zip' }).end();
      else if (pathname === '/odd.zip') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      else if (pathname === '/private.zip' && authorization === undefined) response.writeHead(401).end();
      else if (pathname === '/private.zip') response.end(bytes);
      else if (pathname === '/endless.zip') endless(response);
      else if (pathname === '/busy.zip') response.writeHead(503).end();
      else if (pathname === '/breaks.zip') response.writeHead(200, { 'content-length': '9999' }).end('PK');
      else if (pathname === '/stalls.zip') response.writeHead(200).write('PK');
      else response.writeHead(404).end();
    });
    await Promise.all([listen(server), listen(other)]);
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    for (const each of [server, other]) {
      each?.close();
      each?.closeAllConnections();
    }
  });

  function endless(response: import('node:http').ServerResponse) {
    const write = () => {
      while (response.write(Buffer.alloc(64 * 1024))) if (response.destroyed) return;
      response.once('drain', write);
    };
    response.on('error', () => {});
    write();
  }

  test('is downloaded once, and known by its content', async () => {
    await using harness = await createCloneHarness();
    const checkout = await harness.cloned(`${url}/x.zip`);
    expect(checkout.commit).toBe(sha256(bytes));
    expect(await filesOf(checkout.dir)).toContain('package.json');
    const before = seen.length;
    expect(await harness.cloned(`${url}/x.zip`)).toEqual(checkout);
    expect(seen.length).toBe(before);
    await expectNothingLeft(harness.home);
  });

  test('is checked before it is unpacked', async () => {
    await using harness = await createCloneHarness();
    expect((await harness.refused(`${url}/x.zip#sha256=${'0'.repeat(64)}`)).code).toBe('CLONE_CHECKSUM');
    expect(await checkoutsOf(harness.home)).toEqual([]);
    expect((await harness.cloned(`${url}/x.zip#sha256=${sha256(bytes)}`)).commit).toBe(sha256(bytes));
  });

  test('gets the login that stands before its host, and no other host does', async () => {
    await using harness = await createCloneHarness();
    const withLogin = url.replace('://', '://somebody:s3cr3t@');
    await harness.cloned(`${withLogin}/private.zip`);
    await harness.cloned(`${withLogin}/moved.zip`, { plugin: 'other' });
    const logins = seen.filter(({ authorization }) => authorization !== undefined).map((each) => each.url);
    expect(logins).toEqual(['/private.zip', '/moved.zip']);
    expect(seen.at(-1)).toEqual({ url: 'other /x', authorization: undefined });
    expect(JSON.stringify(await harness.context.store.readFacts('some'))).not.toContain('s3cr3t');
  });

  test('goes through the proxy of the caller', async () => {
    await using harness = await createCloneHarness({ http_proxy: elsewhere });
    await harness.cloned('http://archives.invalid/x.zip');
    expect(seen.at(-1)?.url).toBe('other http://archives.invalid/x.zip');
  });

  test.each([
    ['/none.zip', 'CLONE_NOT_FOUND'],
    ['/private.zip', 'CLONE_AUTH'],
    ['/page.zip', 'CLONE_BAD_ARCHIVE'],
    ['/busy.zip', 'CLONE_NETWORK'],
    ['/breaks.zip', 'CLONE_NETWORK'],
    ['/round.zip', 'CLONE_FAILED'],
    ['/odd.zip', 'CLONE_FAILED'],
  ])('%s is %s', async (path, code) => {
    await using harness = await createCloneHarness();
    expect((await harness.refused(url + path)).code).toBe(code);
    await expectNothingLeft(harness.home);
  });

  test('of a host that nobody knows is CLONE_UNKNOWN_HOST', async () => {
    await using harness = await createCloneHarness();
    expect((await harness.refused('http://no-such-host.invalid/x.zip')).code).toBe('CLONE_UNKNOWN_HOST');
  });

  test('that sends without end is cut off', async () => {
    await using harness = await createCloneHarness({}, { maxSource: 1_000_000 });
    expect((await harness.refused(`${url}/endless.zip`)).code).toBe('CLONE_TOO_LARGE');
    await expectNothingLeft(harness.home);
  });

  test('that stalls is left on cancel, with nothing', async () => {
    await using harness = await createCloneHarness();
    const run = harness.clone(`${url}/stalls.zip`);
    while (!seen.some((each) => each.url === '/stalls.zip')) await new Promise((resolve) => setTimeout(resolve, 10));
    run.cancel();
    expect(await run.ended).toEqual({ status: 'cancelled' });
    expect(await checkoutsOf(harness.home)).toEqual([]);
    await expectNothingLeft(harness.home);
  });
});
