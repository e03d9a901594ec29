import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliResult, errorOf, runCli } from '../support/cli.ts';
import { fixtureFolder } from '../support/fixture-repos.ts';
import { checkoutsOf, createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { type PackageRegistry, startPackageRegistry } from '../support/package-registry.ts';
import { needsRegistries } from '../support/registries.ts';

/** A server in plain Python whose only tool's name ends with its first argument. */
const PYTHON = `import json, sys
def main():
    name = "-".join(["tool", *sys.argv[1:]])
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message: continue
        result = {"tools": [{"name": name, "inputSchema": {"type": "object"}}]}
        if message["method"] == "initialize":
            result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "x", "version": "1"}}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
`;

let registry: PackageRegistry;
let locked: PackageRegistry;

beforeAll(async () => {
  const text = await readFile(join(fixtureFolder('needs-setting'), 'server.js'), 'utf8');
  // Its only tool has the name of the version, and of the first argument.
  const server = (version: string) => ({
    manifest: { bin: 'server.mjs', engines: { node: '>=18' } },
    files: {
      'server.mjs': text.replace("'key-length'", `[${JSON.stringify(version)}, ...process.argv.slice(2)].join('-')`),
    },
  });
  const npm = {
    'some-server': { '1.0.0': server('one'), '2.0.0-beta.1': server('beta'), '1.1.0': server('newest') },
    '@some/server': {
      '1.0.0': {
        manifest: { bin: { 'server-setup': 'setup.mjs', 'other-program': 'server.mjs', server: 'server.mjs' } },
        files: { 'setup.mjs': 'throw new Error("not this one")', ...server('scoped').files },
      },
    },
    'some-library': { '1.0.0': { manifest: { main: 'index.js' }, files: { 'index.js': '' } } },
  };
  const pypi = {
    'some-server': {
      '1.0.0': { module: PYTHON.replace('"tool"', '"one"'), scripts: ['some-server'] },
      '1.1.0': { module: PYTHON, scripts: ['some-server-setup', 'some-server'] },
    },
    'other-name': {
      '1.0.0': {
        module: PYTHON,
        scripts: ['a-server', 'another'],
        readme: 'Set SOME_API_KEY in your environment variables: `export SOME_API_KEY=...`',
      },
    },
  };
  const tags = { next: '2.0.0-beta.1' };
  registry = await startPackageRegistry({ npm, pypi, tags });
  locked = await startPackageRegistry({ npm, token: 's3cr3t-token' });
});
afterAll(() => Promise.all([registry, locked].map((each) => each?.[Symbol.asyncDispose]())));

const run = (home: TestHome, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> =>
  runCli(home, args, { env: { ...registry.env, API_KEY: 'x', ...env } });

async function toolOf(home: TestHome, ...args: readonly string[]): Promise<string> {
  const result = await run(home, ['tools', ...args, '--env', 'API_KEY']);
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  return result.stdout.trim();
}

async function codeOf(home: TestHome, source: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const error = errorOf(await run(home, ['tools', source, '--json'], env));
  expect(error.hint).toMatch(/\w/);
  await expectNothingLeft(home);
  return error.code;
}

describe('npm', () => {
  test.each([
    ['npm:some-server', 'newest'],
    ['npm:some-server@1.0.0', 'one'],
    ['npm:some-server@~1.0', 'one'],
    ['npm:some-server@^1', 'newest'],
    ['npm:some-server@next', 'beta'],
    ['npm:some-server#1.0.0', 'one'],
    ['npx -y some-server@1.0.0 with arguments', 'one-with-arguments'],
    ['npm:@some/server', 'scoped'],
    ['npx -y -p @some/server other-program x', 'scoped-x'],
  ])('%s is installed, started and asked', async (source, tool) => {
    await using home = await createHome();
    expect(await toolOf(home, source)).toBe(tool);
    await expectNothingLeft(home);
  });

  test('arguments behind -- follow those of the line', async () => {
    await using home = await createHome();
    const result = await run(home, ['tools', 'npx some-server a', '--env', 'API_KEY', '--', 'b']);
    expect(result.stdout.trim(), result.stderr).toBe('newest-a-b');
  });

  test('is known by its version, and asked for once', async () => {
    await using home = await createHome();
    await toolOf(home, 'npm:some-server');
    const [checkout = ''] = await checkoutsOf(home);
    expect(decodeURIComponent(checkout)).toMatch(/\/some-server@1\.1\.0$/);
    // No registry answers any more: what is there is enough.
    const again = await run(home, ['tools', 'npm:some-server', '--env', 'API_KEY'], {
      npm_config_registry: 'http://127.0.0.1:1/',
    });
    expect(again.stdout.trim(), again.stderr).toBe('newest');
  });

  test('is planned without running anything of it', async () => {
    await using home = await createHome();
    const result = await run(home, ['detect', 'npm:@some/server', '--json']);
    const plan = JSON.parse(result.stdout) as { start: { id: string }[]; tools: { name: string }[] };
    expect(plan.start.map(({ id }) => id)).toEqual(['bin:server', 'bin:other-program']);
    expect(plan.tools.map(({ name }) => name)).toContain('node');
  });

  test('that is not there, in no such version, without a program or out of reach', async () => {
    await using home = await createHome();
    expect(await codeOf(home, 'npm:no-such-server')).toBe('CLONE_NOT_FOUND');
    expect(await codeOf(home, 'npm:some-server@9')).toBe('CLONE_REF_NOT_FOUND');
    expect(await codeOf(home, 'npm:some-server@9.9.9')).toBe('CLONE_REF_NOT_FOUND');
    expect(await codeOf(home, 'npm:some-server@nightly')).toBe('CLONE_REF_NOT_FOUND');
    expect(await codeOf(home, 'npm:some-library')).toBe('DETECT_NOT_A_SERVER');
    const unreachable = { npm_config_registry: 'http://127.0.0.1:1/' };
    expect(await codeOf(home, 'npm:other-server', unreachable)).toBe('CLONE_NETWORK');
  });

  test('of a private registry needs the login of the user, and takes it', async () => {
    await using home = await createHome();
    expect(await codeOf(home, 'npm:some-server', locked.env)).toBe('CLONE_AUTH');
    const userconfig = join(home.root, '.npmrc');
    await writeFile(userconfig, `//${locked.host}/:_authToken=s3cr3t-token\n`);
    const env = { ...locked.env, NPM_CONFIG_USERCONFIG: userconfig };
    const result = await run(home, ['tools', 'npm:some-server', '--env', 'API_KEY', '--verbose'], env);
    expect(result.stdout.trim(), result.stderr).toBe('newest');
    expect(result.stderr).not.toContain('s3cr3t');
  });
});

describe('PyPI', () => {
  needsRegistries('pypi');

  test.each([
    ['pypi:some-server', 'tool'],
    ['pypi:Some_Server==1.0.0', 'one'],
    ['pypi:some-server<1.1', 'one'],
    ['uvx some-server@1.0.0 with arguments', 'one-with-arguments'],
    ['uvx --from other-name another x', 'tool-x'],
    ['pypi:other-name', 'tool'],
  ])('%s is installed, started and asked', async (source, tool) => {
    await using home = await createHome();
    expect(await toolOf(home, source)).toBe(tool);
    await expectNothingLeft(home);
  });

  test('that is not there, in no such version, or out of reach', async () => {
    await using home = await createHome();
    expect(await codeOf(home, 'pypi:no-such-server')).toBe('CLONE_NOT_FOUND');
    expect(await codeOf(home, 'pypi:some-server==9.9')).toBe('CLONE_REF_NOT_FOUND');
    const unreachable = { UV_DEFAULT_INDEX: 'http://127.0.0.1:1/simple', UV_HTTP_RETRIES: '0' };
    expect(await codeOf(home, 'pypi:other-server', unreachable)).toBe('CLONE_NETWORK');
  });

  test('is dated by its release', async () => {
    await using home = await createHome();
    await run(home, ['detect', 'pypi:some-server']);
    const [plugin = ''] = await readdir(join(home.path, 'plugins'));
    const facts = JSON.parse(await readFile(join(home.path, 'plugins', plugin, 'facts.json'), 'utf8')) as {
      checkout: { commit: string; committedAt: string };
    };
    expect(facts.checkout).toMatchObject({ commit: 'some-server@1.1.0', committedAt: '2026-01-02T00:00:00.000Z' });
  });
});
