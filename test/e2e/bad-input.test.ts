import { mkdir, readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorOf, runCli } from '../support/cli.ts';
import { createFixtureRepos, type FixtureRepos, fixtureFolder } from '../support/fixture-repos.ts';
import { startGitServer } from '../support/git-server.ts';
import { checkoutsOf, createHome, environmentsOf, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { needsRegistries } from '../support/registries.ts';

const INPUT = 2;
const PLUGIN = 3;

let repos: FixtureRepos;
let git: Awaited<ReturnType<typeof startGitServer>>;
let locked: Awaited<ReturnType<typeof startGitServer>>;
let page: Server;

beforeAll(async () => {
  repos = await createFixtureRepos();
  await repos.add('needs-setting');
  await mkdir(join(repos.root, 'empty-folder'));
  git = await startGitServer({ root: repos.root });
  locked = await startGitServer({ root: repos.root, auth: { username: 'somebody', password: 'a-password' } });
  page = createServer((_, response) => response.end('<!doctype html><title>Not git</title>'));
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  page?.close();
  await Promise.all([git?.close(), locked?.close()]);
  await repos?.[Symbol.asyncDispose]();
});

interface Case {
  readonly name: string;
  readonly args: () => readonly string[];
  readonly code: string;
  readonly exitCode: number;
  /** What the message or the quoted output must say. */
  readonly says?: RegExp;
  /** What the last lines of the plugin, the installer or git must contain. */
  readonly tail?: RegExp;
  readonly hint?: RegExp;
}

const url = (name: string) => `${git.url}/${name}.git`;
const fixture =
  (name: string, ...more: readonly string[]) =>
  () => ['tools', fixtureFolder(name), ...more];

/** Nothing of the source may be in the home afterwards. */
const CLONE: readonly Case[] = [
  {
    name: 'a source that is nothing we know',
    args: () => ['tools', 'ht!tp::/what'],
    code: 'CONFIG_SOURCE',
    exitCode: INPUT,
  },
  {
    name: 'an unknown host',
    args: () => ['tools', 'http://no-such-host.invalid/owner/name.git'],
    code: 'CLONE_UNKNOWN_HOST',
    exitCode: INPUT,
    says: /no-such-host\.invalid/,
  },
  {
    name: 'a repository that the host does not have',
    args: () => ['tools', url('no-such-repository')],
    code: 'CLONE_NOT_FOUND',
    exitCode: INPUT,
  },
  {
    name: 'a file:// repository that is not there',
    args: () => ['tools', `${pathToFileURL(repos.root).href}/no-such-repository.git`],
    code: 'CLONE_NOT_FOUND',
    exitCode: INPUT,
  },
  {
    name: 'a folder that is not there',
    args: () => ['tools', join(repos.root, 'no-such-folder')],
    code: 'CLONE_NOT_FOUND',
    exitCode: INPUT,
  },
  {
    name: 'a ref that the repository does not have',
    args: () => ['tools', url('needs-setting'), '--ref', 'no-such-branch'],
    code: 'CLONE_REF_NOT_FOUND',
    exitCode: INPUT,
    says: /no-such-branch/,
  },
  {
    name: 'a commit that the repository does not have',
    args: () => ['tools', url('needs-setting'), '--ref', 'deadbeefdeadbeefdeadbeefdeadbeefdeadbeef'],
    code: 'CLONE_REF_NOT_FOUND',
    exitCode: INPUT,
    says: /deadbeef/,
  },
  {
    name: 'a subfolder that the repository does not have',
    args: () => ['tools', url('needs-setting'), '--subdir', 'no/such/folder'],
    code: 'CLONE_SUBDIR_NOT_FOUND',
    exitCode: INPUT,
    says: /no\/such\/folder/,
  },
  {
    name: 'an address that answers without being git',
    args: () => ['tools', `http://127.0.0.1:${(page.address() as AddressInfo).port}/owner/name.git`],
    code: 'CLONE_NOT_GIT',
    exitCode: INPUT,
  },
  {
    name: 'a file:// folder that is not git',
    args: () => ['tools', `${pathToFileURL(repos.root).href}/empty-folder`],
    code: 'CLONE_NOT_GIT',
    exitCode: INPUT,
  },
  {
    name: 'a private repository',
    args: () => ['tools', `${locked.url}/needs-setting.git`],
    code: 'CLONE_AUTH',
    exitCode: INPUT,
    hint: /netrc|credential/,
  },
];

/** No environment may be left that looks as if it were ready. */
const BEFORE_LAUNCH: readonly Case[] = [
  {
    name: 'a library',
    args: fixture('not-a-server'),
    code: 'DETECT_NOT_A_SERVER',
    exitCode: PLUGIN,
    hint: /--command/,
  },
  {
    name: 'a broken package.json',
    args: fixture('broken-package-json'),
    code: 'DETECT_BAD_MANIFEST',
    exitCode: PLUGIN,
    says: /package\.json/,
  },
  {
    name: 'a broken pyproject.toml',
    args: fixture('broken-pyproject'),
    code: 'DETECT_BAD_MANIFEST',
    exitCode: PLUGIN,
    says: /pyproject\.toml/,
  },
  {
    name: 'a broken manifest of ours',
    args: fixture('broken-manifest'),
    code: 'DETECT_BAD_MANIFEST',
    exitCode: PLUGIN,
    says: /mcp-supervisor\.yaml/,
  },
  {
    name: 'a build that fails',
    args: fixture('build-fails'),
    code: 'INSTALL_BUILD_FAILED',
    exitCode: PLUGIN,
    tail: /error TS2322: the build of this fixture fails/,
  },
  {
    name: 'a build that writes no entry',
    args: fixture('entry-missing'),
    code: 'INSTALL_ENTRY_MISSING',
    exitCode: PLUGIN,
    says: /dist\/server\.js/,
  },
];

const STARTS: readonly Case[] = [
  {
    name: 'a program that exits at once',
    args: fixture('exits-at-once'),
    code: 'LAUNCH_EXITED',
    exitCode: PLUGIN,
    tail: /the database of this fixture is corrupt/,
  },
  {
    name: 'a program that needs a setting',
    args: fixture('needs-setting'),
    code: 'LAUNCH_NEEDS_SETTING',
    exitCode: PLUGIN,
    says: /API_KEY/,
    tail: /API_KEY environment variable is required/,
    hint: /--env/,
  },
  {
    name: 'a program that is silent for ever',
    args: fixture('silent', '--timeout', '4'),
    code: 'PROBE_TIMEOUT',
    exitCode: PLUGIN,
    tail: /thinking/,
  },
  {
    name: 'a program that never opens its port',
    args: fixture('http-never-opens', '--timeout', '4'),
    code: 'PROBE_NO_PORT',
    exitCode: PLUGIN,
    tail: /about to listen, any time now/,
  },
  {
    name: 'a command that is not there',
    args: () => ['tools', fixtureFolder('needs-setting'), '--command', 'no-such-program-anywhere --stdio'],
    code: 'LAUNCH_SPAWN',
    exitCode: PLUGIN,
    says: /no-such-program-anywhere/,
  },
];

async function expectFailure(home: TestHome, wanted: Case): Promise<void> {
  const { args, code, exitCode, says, tail, hint } = wanted;
  const asJson = await runCli(home, [...args(), '--json']);
  const error = errorOf(asJson);
  expect({ code: error.code, exitCode: asJson.exitCode, stdout: asJson.stdout }, asJson.stderr).toEqual({
    code,
    exitCode,
    stdout: '',
  });
  expect(error.phase).toBe(code.slice(0, code.indexOf('_')).toLowerCase());
  expect(error.hint).toMatch(hint ?? /\w+/);
  if (says) expect(error.message).toMatch(says);
  if (tail) expect(error.stderrTail.join('\n')).toMatch(tail);
  await expectNothingLeft(home);
}

describe('each mistake has its own code, phase, hint and exit code, and leaves nothing', () => {
  test.each(CLONE)('$name: $code', async (wanted) => {
    await using home = await createHome();
    await expectFailure(home, wanted);
    expect(
      await checkoutsOf(home).then((found) => found.filter(() => wanted.code !== 'CLONE_SUBDIR_NOT_FOUND')),
    ).toEqual([]);
    expect(await environmentsOf(home)).toEqual([]);
  });

  test.each(BEFORE_LAUNCH)('$name: $code', async (wanted) => {
    await using home = await createHome();
    await expectFailure(home, wanted);
    expect(await environmentsOf(home)).toEqual([]);
  });

  test.each(STARTS)('$name: $code', async (wanted) => {
    await using home = await createHome();
    await expectFailure(home, wanted);
  });

  test('a runtime that nobody has: DETECT_MISSING_RUNTIME, by name and with how to get it', async () => {
    await using home = await createHome();
    const pyproject = await readFile(join(fixtureFolder('python-stdio'), 'pyproject.toml'), 'utf8');
    const { url } = await repos.add('python-stdio', {
      as: 'python-of-the-future',
      files: { 'pyproject.toml': pyproject.replace('>=3.10', '>=3.99') },
    });
    await expectFailure(home, {
      name: 'python-of-the-future',
      args: () => ['tools', url],
      code: 'DETECT_MISSING_RUNTIME',
      exitCode: PLUGIN,
      says: /python.*3\.99/i,
      hint: /python/i,
    });
    expect(await environmentsOf(home)).toEqual([]);
  });

  describe('with the package registry', () => {
    needsRegistries('npm');

    test('a dependency that does not exist: INSTALL_FAILED', async () => {
      await using home = await createHome();
      await expectFailure(home, {
        name: 'install-fails',
        args: fixture('install-fails'),
        code: 'INSTALL_FAILED',
        exitCode: PLUGIN,
        tail: /this-package-does-not-exist/,
      });
      expect(await environmentsOf(home)).toEqual([]);
    });
  });

  test('the setting that was missing, once given, lets it start', async () => {
    await using home = await createHome();
    const source = fixtureFolder('needs-setting');
    expect((await runCli(home, ['tools', source])).exitCode).toBe(PLUGIN);
    const called = await runCli(home, ['call', source, 'key-length', '--env', 'API_KEY=12345']);
    expect(called, called.stderr).toMatchObject({ exitCode: 0, stdout: '5\n' });
  });
});

describe('a call that can not be made', () => {
  needsRegistries('npm');
  let home: TestHome;
  let source: string;

  beforeAll(async () => {
    home = await createHome();
    source = (await repos.add('node-stdio')).url;
  });
  afterAll(() => home?.[Symbol.asyncDispose]());

  const CALLS: readonly Case[] = [
    {
      name: 'an unknown tool',
      args: () => ['call', source, 'no-such-tool'],
      code: 'CALL_UNKNOWN_TOOL',
      exitCode: INPUT,
      says: /no-such-tool/,
    },
    {
      name: 'arguments that are not JSON',
      args: () => ['call', source, 'echo', '{"message": '],
      code: 'CALL_NOT_JSON',
      exitCode: INPUT,
    },
    {
      name: 'arguments that are not an object',
      args: () => ['call', source, 'echo', '["hello"]'],
      code: 'CALL_BAD_ARGUMENTS',
      exitCode: INPUT,
    },
    {
      name: 'a missing argument',
      args: () => ['call', source, 'echo'],
      code: 'CALL_BAD_ARGUMENTS',
      exitCode: INPUT,
      says: /message/,
    },
    {
      name: 'an argument of the wrong type',
      args: () => ['call', source, 'add', 'a=two', 'b=3'],
      code: 'CALL_BAD_ARGUMENTS',
      exitCode: INPUT,
      says: /\ba\b/,
    },
  ];

  test.each(CALLS)('$name: $code', async (wanted) => {
    await expectFailure(home, wanted);
  });

  test.each([12, 17])('a payload of %i MB: CALL_TOO_LARGE', async (megabytes) => {
    const input = JSON.stringify({ message: 'x'.repeat(megabytes * 1e6) });
    const result = await runCli(home, ['call', source, 'echo', '-', '--json'], { input });
    expect(result, result.stderr.slice(0, 2000)).toMatchObject({ exitCode: INPUT, stdout: '' });
    expect(errorOf(result)).toMatchObject({ code: 'CALL_TOO_LARGE', phase: 'call' });
    await expectNothingLeft(home);
  });

  test('a result that is an error is printed, with exit code 4', async () => {
    const result = await runCli(home, ['call', source, 'fail']);
    expect(result, result.stderr).toMatchObject({ exitCode: 4 });
    expect(result.stdout + result.stderr).toContain('failed on request');
    await expectNothingLeft(home);
  });

  test('a tool that kills its server: CALL_INTERRUPTED with the last lines', async () => {
    await expectFailure(home, {
      name: 'crash',
      args: () => ['call', source, 'crash'],
      code: 'CALL_INTERRUPTED',
      exitCode: PLUGIN,
      tail: /crashing on request/,
    });
  });
});

describe('for people', () => {
  test('code, last lines and advice are on stderr, stdout is empty', async () => {
    await using home = await createHome();
    const result = await runCli(home, ['tools', fixtureFolder('exits-at-once')]);
    expect(result).toMatchObject({ exitCode: PLUGIN, stdout: '' });
    expect(result.stderr).toContain('LAUNCH_EXITED');
    expect(result.stderr).toContain('the database of this fixture is corrupt');
  });

  test('the error in the README is a real one', async () => {
    await using home = await createHome();
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const [shown] = /(?<=```\n)✗ [\s\S]*?(?=```)/.exec(readme) ?? [];
    expect((await runCli(home, ['tools', fixtureFolder('needs-setting')])).stderr).toBe(shown);
  });

  test.each([['no-such-command'], ['tools', '--no-such-option'], ['call']])(
    'mcp-supervisor %s is your input',
    async (...args) => {
      await using home = await createHome();
      expect((await runCli(home, args)).exitCode).toBe(INPUT);
    },
  );

  test('a login in a URL is never printed or stored', async () => {
    await using home = await createHome();
    const source = `${locked.url.replace('://', '://somebody:not-the-password-s3cr3t@')}/needs-setting.git`;
    const result = await runCli(home, ['tools', source, '--json']);
    expect(errorOf(result).code).toBe('CLONE_AUTH');
    expect(result.stdout + result.stderr).not.toContain('s3cr3t');
    for (const entry of await readdir(home.path, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      expect(await readFile(path, 'utf8'), path).not.toContain('s3cr3t');
    }
    await expectNothingLeft(home);
  });
});
