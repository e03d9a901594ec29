/** How much a repository may hold, and what is said of what it lacks. */

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { causeWithGaps, findGaps, gapHint, submodulesIn } from '../../actors/clone/gaps.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { checkoutsOf, createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { createCloneHarness, createRepository, pathWithoutGit, writeFiles } from './clone-harness.ts';

let root: TestHome;
let server: GitServer;
let withoutGit: string;

beforeAll(async () => {
  root = await createHome();
  await createRepository(root.root, 'some', { 'one.txt': '1', 'two.txt': '2', 'large.txt': 'x'.repeat(50_000) });
  server = await startGitServer({ root: join(root.root, 'served') });
  withoutGit = await pathWithoutGit(root.root);
});
afterAll(async () => {
  await server?.close();
  await root?.[Symbol.asyncDispose]();
});

/** Type (blob) and size of an object in a pack, in hexadecimal. */
function objectHeader(size: number): string {
  const bytes = [0x30 | (size & 0xf)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1]! |= 0x80;
    bytes.push(rest & 0x7f);
  }
  return Buffer.from(bytes).toString('hex');
}

const ways = { git: () => ({}), 'isomorphic-git': () => ({ PATH: withoutGit }) };

describe.each(Object.entries(ways))('%s', (name, env) => {
  test('refuses more files than a source may hold, before it writes one', async () => {
    await using harness = await createCloneHarness(env(), { maxFiles: 3 });
    expect(await harness.refused(`${server.url}/some.git`)).toMatchObject({
      code: 'CLONE_TOO_LARGE',
      message: expect.stringContaining('3 files'),
      hint: expect.stringContaining('maxFiles'),
    });
    expect(await checkoutsOf(harness.home)).toEqual([]);
    await expectNothingLeft(harness.home);
  });

  test('takes as many as it may', async () => {
    await using harness = await createCloneHarness(env(), { maxFiles: 10, maxSource: 60_000 });
    await harness.cloned(`${server.url}/some.git`);
  });

  test.runIf(name === 'git')('refuses more bytes than a source may hold', async () => {
    await using harness = await createCloneHarness(env(), { maxSource: 40_000 });
    expect(await harness.refused(`${server.url}/some.git`)).toMatchObject({
      code: 'CLONE_TOO_LARGE',
      message: expect.stringContaining('40000 bytes'),
    });
    await expectNothingLeft(harness.home);
  });

  describe('of a host that sends without end', () => {
    let endless: Server;
    beforeAll(async () => {
      endless = createServer(async (request, response) => {
        const line = (text: string) => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`;
        const id = '1'.repeat(40);
        if (request.method === 'GET') {
          response.setHeader('content-type', 'application/x-git-upload-pack-advertisement');
          const capabilities = 'side-band-64k shallow agent=git/2 symref=HEAD:refs/heads/main';
          response.end(
            `${line('# service=git-upload-pack\n')}0000${line(`${id} HEAD\0${capabilities}\n`)}${line(`${id} refs/heads/main\n`)}0000`,
          );
          return;
        }
        response.setHeader('content-type', 'application/x-git-upload-pack-result');
        // What is asked first is how deep it goes; then comes a pack of one endless blob.
        response.write(`${line(`shallow ${id}\n`)}0000`);
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        if (!Buffer.concat(chunks).includes('done')) {
          response.end();
          return;
        }
        response.write(line('NAK\n'));
        const band = (data: Buffer) =>
          Buffer.concat([Buffer.from(line(`\x01${' '.repeat(data.length)}`).slice(0, 5), 'latin1'), data]);
        // One blob of 400 MB, deflated without compression.
        response.write(band(Buffer.from(`5041434b0000000200000001${objectHeader(400_000_000)}7801`, 'hex')));
        const block = Buffer.concat([Buffer.from([0, 0x60, 0xea, 0x9f, 0x15]), Buffer.alloc(60_000)]);
        const timer = setInterval(() => {
          for (let count = 0; count < 20; count += 1) response.write(band(block));
        }, 100);
        response.on('error', () => {}).on('close', () => clearInterval(timer));
      });
      await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve));
    });
    afterAll(() => {
      endless?.close();
      endless?.closeAllConnections();
    });

    test('is cut off', async () => {
      await using harness = await createCloneHarness(env(), { maxSource: 5_000_000 });
      const failure = await harness.refused(`http://127.0.0.1:${(endless.address() as AddressInfo).port}/o/n.git`);
      expect(failure, JSON.stringify(failure)).toMatchObject({ code: 'CLONE_TOO_LARGE' });
      await expectNothingLeft(harness.home);
    });
  });
});

test('a folder with more files than it may hold is refused', async () => {
  await using harness = await createCloneHarness({}, { maxFiles: 2 });
  const folder = join(harness.home.root, 'plugin');
  await writeFiles(folder, { 'a.txt': '', 'b.txt': '', 'c.txt': '' });
  expect(await harness.refused(folder)).toMatchObject({
    code: 'CLONE_TOO_LARGE',
    message: expect.stringContaining('2 files'),
  });
  await expectNothingLeft(harness.home);
});

describe('what a checkout lacks', () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 1\n`;

  test('is found: pointers where the repository uses LFS, and empty submodules (trap 36)', async () => {
    await using home = await createHome();
    await writeFiles(home.root, {
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      '.gitmodules':
        '[submodule "a"]\n\tpath = vendor/a\n\turl = ../a\n[submodule "b"]\n\tpath = vendor/b\n[submodule "c"]\n\tpath = ../c\n',
      'model.bin': pointer,
      'deep/er/model.bin': pointer,
      'real.bin': 'real',
      'vendor/b/file.txt': '',
      '.git/model.bin': pointer,
    });
    await mkdir(join(home.root, 'vendor/a'));
    expect(await findGaps(home.root)).toEqual([
      { file: 'vendor/a', says: 'is a submodule, and empty here' },
      { file: 'model.bin', says: 'is only a pointer into Git LFS' },
      { file: 'deep/er/model.bin', says: 'is only a pointer into Git LFS' },
    ]);
  });

  test('is nothing where nothing says that there may be some', async () => {
    await using home = await createHome();
    await writeFile(join(home.root, 'model.bin'), pointer);
    expect(await findGaps(home.root)).toEqual([]);
  });

  test('is told only where it can be the reason', () => {
    const gaps = [{ file: 'vendor/a', says: 'is a submodule, and empty here' }];
    expect(gapHint(gaps, 'missing-module')).toMatch(/vendor\/a is a submodule/);
    expect(gapHint(gaps, 'missing-setting')).toBeNull();
    expect(gapHint([], 'missing-module')).toBeNull();
    const cause = { kind: 'missing-module', detail: 'x', hint: 'Do that.' } as const;
    expect(causeWithGaps(cause, gaps)?.hint).toMatch(/vendor\/a.* Do that\.$/);
    expect(causeWithGaps(cause, undefined)).toBe(cause);
    expect(causeWithGaps(null, gaps)).toBeNull();
  });

  test('submodules are those inside', () => {
    expect(submodulesIn('path = a\n\tpath = "b c"\npath=../d\npath = /e\n')).toEqual(['a', 'b c']);
  });
});

describe('a ref that is not there', () => {
  test.each([
    ['#installation', /anchor of a page/],
    ['#feature:a/src', /If the branch is feature\/a/],
    ['#v9.9.9', /lists branches and tags/],
  ])('%s says what may be meant', async (fragment, hint) => {
    await using harness = await createCloneHarness();
    expect(await harness.refused(`${server.url}/some.git${fragment}`)).toMatchObject({
      code: 'CLONE_REF_NOT_FOUND',
      hint: expect.stringMatching(hint),
    });
  });
});

describe('a script', () => {
  test('is a source of one file, copied again when it was written', async () => {
    await using harness = await createCloneHarness();
    const folder = join(harness.home.root, 'scripts');
    await writeFiles(folder, { 'server.py': 'one', 'other.py': '' });
    const first = await harness.cloned(join(folder, 'server.py'));
    expect(await readdir(first.dir)).toEqual(['server.py']);
    await writeFile(join(folder, 'server.py'), 'two, which is longer');
    const second = await harness.cloned(join(folder, 'server.py'));
    expect(await readFile(join(second.dir, 'server.py'), 'utf8')).toBe('two, which is longer');
    await expectNothingLeft(harness.home);
  });

  test('of another kind is no source', async () => {
    await using harness = await createCloneHarness();
    await writeFiles(harness.home.root, { 'server.rb': '' });
    const path = join(harness.home.root, 'server.rb');
    expect(await harness.refused(path)).toMatchObject({
      code: 'CLONE_NOT_FOUND',
      hint: expect.stringContaining(`-- ${path}`),
    });
  });
});
