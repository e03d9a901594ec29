import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliResult, runCli, runCliOnTerminal } from '../support/cli.ts';
import { createFixtureRepos, type FixtureRepos, fixtureFolder } from '../support/fixture-repos.ts';
import { startGitServer } from '../support/git-server.ts';
import { GOOD_FIXTURES, type GoodFixture } from '../support/good-fixtures.ts';
import { createHome, environmentsOf, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { needsRegistries } from '../support/registries.ts';

let repos: FixtureRepos;
let server: Awaited<ReturnType<typeof startGitServer>>;
const fileUrls = new Map<string, string>();

beforeAll(async () => {
  repos = await createFixtureRepos();
  for (const { name } of GOOD_FIXTURES) fileUrls.set(name, (await repos.add(name)).url);
  server = await startGitServer({ root: repos.root });
});
afterAll(async () => {
  await server?.close();
  await repos?.[Symbol.asyncDispose]();
});

const SOURCES: Readonly<Record<string, (name: string) => string>> = {
  'a file:// URL': (name) => fileUrls.get(name) as string,
  'an http:// URL': (name) => `${server.url}/${name}.git`,
  'a folder': fixtureFolder,
};

const cases = GOOD_FIXTURES.flatMap((fixture) =>
  Object.keys(SOURCES).map((kind) => ({ fixture, name: fixture.name, kind })),
);

describe.each(cases)('$name from $kind', ({ fixture, kind }) => {
  needsRegistries(...fixture.needs);

  test('lists its tools, answers, installs once and leaves nothing', async () => {
    await using home = await createHome();
    const source = SOURCES[kind]?.(fixture.name) as string;

    const tools = await runCli(home, ['tools', source, '--json']);
    expect(tools, tools.stderr).toMatchObject({ exitCode: 0 });
    expect(toolNames(tools).sort()).toEqual([...(fixture.tools ?? ['request'])].sort());
    await expectNothingLeft(home);
    const installed = await identityOf(home);
    expect(installed).toHaveLength(1);

    const called = await runCli(home, ['call', source, 'echo', 'message=hello', '--json']);
    expect(called, called.stderr).toMatchObject({ exitCode: 0 });
    expectHello(fixture, called);
    await expectNothingLeft(home);
    expect(await identityOf(home), 'the second command uses what the first one installed').toEqual(installed);
  });
});

describe('what a person sees', () => {
  needsRegistries('npm');

  test('the result alone is on stdout, and every way to write arguments works', async () => {
    await using home = await createHome();
    const source = fileUrls.get('node-stdio') as string;
    const call = (...args: readonly string[]) => runCli(home, ['call', source, ...args]);

    const hello = await call('echo', 'message=hello');
    expect(hello, hello.stderr).toMatchObject({ exitCode: 0, stdout: 'hello\n' });
    expect(await call('echo', '{"message":"from json"}')).toMatchObject({ exitCode: 0, stdout: 'from json\n' });
    expect(await call('add', 'a=2', 'b=3')).toMatchObject({ exitCode: 0, stdout: '5\n' });
    expect(await call('add', 'a:=2', 'b:=3')).toMatchObject({ exitCode: 0, stdout: '5\n' });
    const piped = await runCli(home, ['call', source, 'echo', '-'], { input: '{"message":"from stdin"}' });
    expect(piped).toMatchObject({ exitCode: 0, stdout: 'from stdin\n' });
    await expectNothingLeft(home);
  });

  test.skipIf(process.platform === 'darwin')(
    'a terminal shows the plugin on its way; a pipe hears nothing',
    async () => {
      await using home = await createHome();
      const source = fileUrls.get('node-stdio') as string;
      const seen = await runCliOnTerminal(home, ['call', source, 'echo', 'message=hello']);
      expect(seen, seen.stdout).toMatchObject({ exitCode: 0 });
      // What is over within a tenth of a second is shown as done.
      for (const stage of [/clon(e|ing) \d/, /installing \d/]) expect(seen.stdout).toMatch(stage);
      expect(seen.stdout).toContain('hello');
      const piped = await runCli(home, ['call', source, 'echo', 'message=hello']);
      expect(piped).toMatchObject({ exitCode: 0, stdout: 'hello\n', stderr: '' });
    },
  );

  test('a setting given with --env reaches the plugin, and others do not', async () => {
    await using home = await createHome({ FIXTURE_SECRET: 'from the caller' });
    const source = fileUrls.get('node-stdio') as string;
    const isSet = async (...args: readonly string[]) => (await runCli(home, ['call', source, 'env', ...args])).stdout;

    expect(await isSet('name=GIVEN', '--env', 'GIVEN=yes')).toBe('set\n');
    expect(await isSet('name=FIXTURE_SECRET')).toBe('unset\n');
  });

  test('a branch, a tag and a commit can be named', async () => {
    await using home = await createHome();
    const repo = await repos.add('modern-only', { as: 'pinned' });
    for (const ref of ['main', 'v1', repo.commit]) {
      const called = await runCli(home, ['call', repo.url, '--ref', ref, 'echo', 'message=pinned']);
      expect(called, `${ref}: ${called.stderr}`).toMatchObject({ exitCode: 0, stdout: 'pinned\n' });
      const inSource = await runCli(home, ['call', `${repo.url}#${ref}`, 'echo', 'message=pinned']);
      expect(inSource, `#${ref}: ${inSource.stderr}`).toMatchObject({ exitCode: 0, stdout: 'pinned\n' });
    }
  });

  test('the manifest’s command is split without a shell', async () => {
    await using home = await createHome();
    const called = await runCli(home, ['call', fileUrls.get('manifest-command') as string, 'given']);
    expect(called, called.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(called.stdout)).toEqual({
      args: ['--name', 'a name with spaces', '--greeting', 'hello'],
      mode: 'from-the-manifest',
    });
  });
});

const toolNames = ({ stdout }: CliResult): string[] => {
  const parsed = JSON.parse(stdout) as { name: string }[] | { tools: { name: string }[] };
  return (Array.isArray(parsed) ? parsed : parsed.tools).map(({ name }) => name);
};

function expectHello({ tools }: GoodFixture, { stdout }: CliResult) {
  const result = JSON.parse(stdout) as { content?: unknown; payload?: unknown };
  if (tools === null) expect(result).toMatchObject({ payload: { arguments: { message: 'hello' } } });
  else expect(result.content).toEqual([{ type: 'text', text: 'hello' }]);
}

/** Which environments there are, and that they are the same folders as before: an install makes a new one. */
async function identityOf(home: TestHome): Promise<readonly string[]> {
  return Promise.all(
    (await environmentsOf(home)).map(async (name) => {
      const { ino, birthtimeMs } = await stat(join(home.path, 'envs', name));
      return `${name} ${ino} ${birthtimeMs}`;
    }),
  );
}
