import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFixtureRepos, type FixtureRepos } from '../support/fixture-repos.ts';

const root = resolve(import.meta.dirname, '../..');
const { exports: subpaths, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string>;
  peerDependencies: Record<string, string>;
};
/** Entries that want a package of the user's own. */
const FOR_PEERS = ['ai-sdk', 'langchain', 'llamaindex', 'fastify', 'hono'].map((name) => `mcp-supervisor/${name}`);
const entries = Object.keys(subpaths)
  .filter((subpath) => subpath !== './package.json')
  .map((subpath) => subpath.replace(/^\./, 'mcp-supervisor'))
  .filter((entry) => !FOR_PEERS.includes(entry));

/** The packed tarball in an empty project: what a user of the registry gets. */
describe('the packed tarball', () => {
  let project: string;
  let env: NodeJS.ProcessEnv;
  let repos: FixtureRepos;
  let source: string;

  beforeAll(async () => {
    project = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-supervisor-pack-')));
    // npm settings of a surrounding `npm test` must not reach the project under test.
    env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(?!config_registry)/i.test(name)));
    env.MCP_SUPERVISOR_HOME = join(project, 'home');
    const { stdout } = await execa('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], {
      cwd: root,
      env,
      extendEnv: false,
    });
    const tarball = readdirSync(project).find((file) => file.endsWith('.tgz'));
    expect(tarball, stdout).toBeDefined();
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
    await execa('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', `./${tarball}`], {
      cwd: project,
      env,
      extendEnv: false,
    });
    repos = await createFixtureRepos();
    source = (await repos.add('node-stdio')).url;
  });

  afterAll(async () => {
    rmSync(project, { recursive: true, force: true });
    await repos?.[Symbol.asyncDispose]();
  });

  it('holds the compiled code and the documents, nothing of the tests', async () => {
    const files = readdirSync(join(project, 'node_modules/mcp-supervisor'), { recursive: true, encoding: 'utf8' });
    expect(files).toContain('README.md');
    expect(files).toContain('LICENSE');
    expect(files).toContain('dist/src/cli/main.js');
    expect(files.filter((file) => /^(test|fixtures|src|actors)\//.test(file))).toEqual([]);
  });

  it('runs by `npx mcp-supervisor call <git url> <tool> …`', async () => {
    const { stdout } = await execa('npx', ['mcp-supervisor', 'call', source, 'echo', 'message=hello'], {
      cwd: project,
      env,
      extendEnv: false,
    });
    expect(stdout).toBe('hello');
  });

  const run = (kind: 'module' | 'commonjs', script: string) =>
    execa('node', [`--input-type=${kind}`, '-e', script], { cwd: project, env, extendEnv: false });

  it.each(entries)('imports %s', async (entry) => {
    const script = `import * as names from '${entry}'; process.stdout.write(String(Object.keys(names).length))`;
    expect(Number((await run('module', script)).stdout)).toBeGreaterThan(0);
  });

  it.each(entries)('loads %s by require', async (entry) => {
    const script = `process.stdout.write(String(Object.keys(require('${entry}')).length))`;
    expect(Number((await run('commonjs', script)).stdout)).toBeGreaterThan(0);
  });

  it('type-checks in a strict project', async () => {
    mkdirSync(join(project, 'app'));
    writeFileSync(
      join(project, 'app/main.ts'),
      [
        ...entries.map((entry, index) => `import * as entry${index} from '${entry}';`),
        `import { createSupervisor, SupervisorError, type ToolResult } from 'mcp-supervisor';`,
        `await using supervisor = createSupervisor({ plugins: { time: 'https://example.org/time.git' } });`,
        `const result: ToolResult = await supervisor.call('time', { tool: 'now', arguments: {} });`,
        `const text: string | undefined = result.content?.[0]?.text;`,
        `supervisor.on('plugin:crashed', ({ plugin, failure }) => console.log(plugin, failure?.code));`,
        `export const used = [${entries.map((_, index) => `entry${index}`).join(', ')}, text, SupervisorError];`,
      ].join('\n'),
    );
    const options = [
      '--noEmit',
      '--strict',
      '--target',
      'ES2023',
      '--lib',
      'ESNext',
      '--module',
      'NodeNext',
      '--types',
      'node',
    ];
    const types = ['--typeRoots', join(root, 'node_modules/@types')];
    const { stdout, exitCode } = await execa(
      join(root, 'node_modules/.bin/tsc'),
      [...options, ...types, 'app/main.ts'],
      { cwd: project, reject: false },
    );
    expect(stdout).toBe('');
    expect(exitCode).toBe(0);
  });

  describe('beside the packages that an integration is for', () => {
    beforeAll(() => {
      for (const peer of Object.keys(peerDependencies)) {
        const place = join(project, 'node_modules', peer);
        mkdirSync(dirname(place), { recursive: true });
        if (!existsSync(place)) symlinkSync(join(root, 'node_modules', peer), place);
      }
    });

    it.each(FOR_PEERS)('imports %s', async (entry) => {
      const script = `import * as names from '${entry}'; process.stdout.write(String(Object.keys(names)))`;
      expect((await run('module', script)).stdout).toMatch(/^\w+(Tools|Gateway)$/);
    });
  });
});
