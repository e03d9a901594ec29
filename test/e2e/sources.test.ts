/** Sources that are no repository, from the command line to a tool. */

import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tar, zip } from '../support/archives.ts';
import { errorOf, runCli } from '../support/cli.ts';
import { fixtureFolder } from '../support/fixture-repos.ts';
import { checkoutsOf, createHome, environmentsOf, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { needsRegistries } from '../support/registries.ts';

/** A server without dependencies, whose one tool is the length of its key. */
let files: { path: string; text: string }[];
let script: string;
let home: TestHome;

beforeAll(async () => {
  const read = (name: string) => readFile(join(fixtureFolder('needs-setting'), name), 'utf8');
  script = await read('server.js');
  files = [
    { path: 'name-1.0/package.json', text: await read('package.json') },
    { path: 'name-1.0/server.js', text: script },
  ];
});
beforeEach(async () => {
  home = await createHome();
  return () => home[Symbol.asyncDispose]();
});

async function expectTool(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const result = await runCli(home, args, { env });
  expect(result, result.stderr).toMatchObject({ exitCode: 0, stdout: 'key-length\n', stderr: '' });
  await expectNothingLeft(home);
}

describe('an archive', () => {
  test.each([
    ['x.zip', () => zip(files)],
    ['x.tar', () => tar(files)],
    ['x.tgz', () => tar(files, { gzip: true })],
  ])('%s of this machine', async (name, pack) => {
    await writeFile(join(home.root, name), pack());
    await expectTool(['tools', `./${name}`, '--env', 'API_KEY=x']);
    await expectTool(['tools', name, '--env', 'API_KEY=x']);
  });

  describe('at an address', () => {
    let server: Server;
    let url: string;
    let bytes: Buffer;
    beforeAll(async () => {
      bytes = tar(files, { gzip: true });
      server = createServer((_, response) => response.end(bytes));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/o/n/archive/refs/tags/v1.tar.gz`;
    });
    afterAll(() => server?.close());

    test('with and without its checksum', async () => {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      await expectTool(['tools', url, '--env', 'API_KEY=x']);
      await expectTool(['tools', `${url}#sha256=${sha256}`, '--env', 'API_KEY=x']);
      await expectTool(['tools', url, '--ref', `sha256=${sha256}`, '--env', 'API_KEY=x']);
      const other = await runCli(home, ['tools', `${url}#sha256=${'0'.repeat(64)}`, '--json']);
      expect(errorOf(other).code).toBe('CLONE_CHECKSUM');
      expect((await checkoutsOf(home)).length).toBe(1);
    });
  });
});

describe('a script', () => {
  test('of JavaScript runs alone, and anew when it was written', async () => {
    const path = join(home.root, 'server.mjs');
    await writeFile(path, script);
    await expectTool(['tools', './server.mjs', '--env', 'API_KEY=x']);
    await writeFile(path, script.replace("'key-length'", "'other'"));
    const result = await runCli(home, ['tools', path, '--env', 'API_KEY=x']);
    expect(result.stdout, result.stderr).toBe('other\n');
  });

  test('that is none says how to run it', async () => {
    await writeFile(join(home.root, 'server.txt'), '');
    const error = errorOf(await runCli(home, ['tools', './server.txt', '--json']));
    expect(error).toMatchObject({
      code: 'CLONE_NOT_FOUND',
      hint: expect.stringContaining(`-- ${home.root}/server.txt`),
    });
  });
});

describe('a command behind --', () => {
  test('runs where the user is, with their environment, and is not copied', async () => {
    await cp(fixtureFolder('needs-setting'), join(home.root, 'work'), { recursive: true });
    const options = { cwd: join(home.root, 'work'), env: { API_KEY: 'abc' } };
    const listed = await runCli(home, ['tools', '--', 'node', './server.js'], options);
    expect(listed, listed.stderr).toMatchObject({ exitCode: 0, stdout: 'key-length\n' });
    const called = await runCli(home, ['call', 'key-length', '--', 'node', './server.js'], options);
    expect(called, called.stderr).toMatchObject({ exitCode: 0, stdout: '3\n' });
    expect((await checkoutsOf(home)).length).toBe(1);
    expect((await environmentsOf(home)).length).toBe(1);
    await expectNothingLeft(home);
  });

  test('is shown by detect', async () => {
    const { stdout } = await runCli(home, ['detect', '--', 'node', './server.js', '--token', 's3cr3t'], {
      cwd: home.root,
    });
    expect(stdout).toContain(`-- node ./server.js --token [redacted]`);
    expect(stdout).toContain(home.root);
  });

  test('that is not there is LAUNCH_SPAWN', async () => {
    const error = errorOf(await runCli(home, ['tools', '--json', '--', 'no-such-program-anywhere']));
    expect(error).toMatchObject({ code: 'LAUNCH_SPAWN', message: expect.stringContaining('no-such-program-anywhere') });
    await expectNothingLeft(home);
  });

  test.each([
    [['tools'], 'source'],
    [['tools', '--'], 'source'],
    [['call'], 'source'],
    [['call', 'echo', '--'], 'tool'],
  ])('%j names neither a source nor a command', async (args, missing) => {
    const error = errorOf(await runCli(home, [args[0] ?? '', '--json', ...args.slice(1)]));
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: `Missing required argument '${missing}'.` });
  });
});

describe('a catalogue', () => {
  test('names each of its servers as it is to be typed', async () => {
    const folder = join(home.root, 'catalogue');
    for (const name of ['one', 'two']) {
      await cp(fixtureFolder('needs-setting'), join(folder, 'src', name), { recursive: true });
    }
    const error = errorOf(await runCli(home, ['tools', folder, '--json']));
    expect(error.code).toBe('DETECT_AMBIGUOUS');
    const [, first = '', second] = error.hint.split('\n');
    expect([first, second]).toEqual([`${folder}#:src/one`, `${folder}#:src/two`]);
    await expectTool(['tools', first, '--env', 'API_KEY=x']);
  });
});

describe('a bundle', () => {
  test('starts as its manifest says, and is not unpacked any further than it is', async () => {
    const server = {
      type: 'node',
      entry_point: 'server/main.mjs',
      mcp_config: { command: 'node', args: [`${'$'}{__dirname}/server/main.mjs`] },
    };
    const manifest = {
      manifest_version: '0.3',
      name: 'x',
      version: '1.0.0',
      description: 'x',
      author: { name: 'x' },
      server,
    };
    const bundle = zip([
      { path: 'manifest.json', text: JSON.stringify(manifest) },
      { path: 'server/main.mjs', text: script },
    ]);
    await writeFile(join(home.root, 'x.mcpb'), bundle);
    await expectTool(['tools', './x.mcpb', '--env', 'API_KEY=x']);
  });
});

describe('an archive of a repository', () => {
  needsRegistries('npm');

  test('whose prepare script needs the repository around it is installed without that', async () => {
    const manifest = {
      name: 'x',
      bin: 'server.mjs',
      type: 'module',
      scripts: { prepare: 'git rev-parse --git-dir && husky install' },
      dependencies: { ms: '2.1.3' },
    };
    const packed = zip([
      { path: 'x-main/package.json', text: JSON.stringify(manifest) },
      { path: 'x-main/server.mjs', text: `import 'ms';\n${script}` },
    ]);
    await writeFile(join(home.root, 'x.zip'), packed);
    const result = await runCli(home, ['tools', './x.zip', '--env', 'API_KEY=x']);
    expect(result, result.stderr).toMatchObject({ exitCode: 0, stdout: 'key-length\n' });
    await expectNothingLeft(home);
  });
});
