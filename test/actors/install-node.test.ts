/** Node projects as the launcher plans them, installed by the real package managers from local packages. */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFileView } from '../../actors/file-view.ts';
import { createNodeLauncher } from '../../launchers/node.ts';
import { isRefusal, type LaunchPlan, type Overrides } from '../../launchers/plan.ts';
import type { Environment } from '../../machines/contracts.ts';
import { needsRegistries } from '../support/registries.ts';
import { createSpec } from '../support/spec.ts';
import { createHarness, done, failed, type Harness } from './install-harness.ts';

needsRegistries('npm');

const launcher = createNodeLauncher();
const run = promisify(execFile);
let harness: Harness;

/** Package managers and Nodes that the tests fetch; one home's are as good as another's. */
let fetched: string;
beforeAll(async () => {
  fetched = await mkdtemp(join(tmpdir(), 'mcps-runtimes-'));
});
afterAll(() => rm(fetched, { recursive: true, force: true }));

async function begin(callerEnv: Readonly<Record<string, string>> = {}): Promise<void> {
  harness = await createHarness(callerEnv);
  await harness.context.store.open();
  await rm(join(harness.home.path, 'runtimes'), { recursive: true, force: true });
  await symlink(fetched, join(harness.home.path, 'runtimes'));
  Object.assign(harness.context, { launchers: async () => [launcher] });
}

beforeEach(() => begin());
afterEach(() => harness[Symbol.asyncDispose]());

const json = (value: unknown): string => JSON.stringify(value);

/** The plan of a folder; Node's own tools alone count here. */
function planOf(dir: string, subdir = '', overrides: Overrides = {}): LaunchPlan {
  const made = launcher.plan(createFileView(dir), subdir, createSpec('weather', subdir, overrides));
  if (isRefusal(made)) throw new Error(made.message);
  return made;
}

/** What the first candidate says when it runs. */
async function said({ dir, plan, programs, path }: Environment): Promise<string> {
  const { program, args, cwd } = plan.start[0]!.command;
  const PATH = [...path, process.env.PATH].join(delimiter);
  const { stdout } = await run(programs[program] ?? program, [...args], { cwd: join(dir, cwd), env: { PATH } });
  return stdout.trim();
}

/** Fails with what the launcher makes of the start. */
async function complaint(environment: Environment) {
  const error = await said(environment).then(
    (text) => new Error(`it started: ${text}`),
    (thrown: Error & { stderr?: string }) => thrown,
  );
  return launcher.explain((error as { stderr?: string }).stderr ?? error.message, { code: 1, signal: null });
}

describe('a workspace of', () => {
  const member = (own: object, core: string) => ({
    // The member is built from another one, which has to be built before.
    'packages/core/package.json': json({
      name: '@acme/core',
      version: '1.0.0',
      main: 'dist/index.js',
      scripts: { build: 'node build.js' },
    }),
    'packages/core/build.js':
      "require('fs').mkdirSync('dist'); require('fs').writeFileSync('dist/index.js', 'exports.name = \"core\"')",
    'packages/server/package.json': json({
      name: '@acme/server',
      version: '1.0.0',
      bin: { weather: 'dist/cli.js' },
      scripts: { build: 'node build.js' },
      dependencies: { '@acme/core': core },
    }),
    'packages/server/build.js':
      "const { name } = require('@acme/core'); require('fs').mkdirSync('dist'); require('fs').writeFileSync('dist/cli.js', `require('@acme/core'); console.log('server of ${name}')`)",
    'package.json': json({ name: 'acme', private: true, workspaces: ['packages/*'], ...own }),
  });

  it.each<[string, Record<string, string>, string]>([
    ['npm', member({}, '*'), 'npm-install-no-lock'],
    [
      'pnpm',
      {
        ...member({ packageManager: 'pnpm@10.4.0', workspaces: undefined }, 'workspace:*'),
        'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
      },
      'pnpm-no-lock',
    ],
    ['yarn 1', member({ packageManager: 'yarn@1.22.22' }, '1.0.0'), 'yarn-no-lock'],
    [
      'yarn 4, whose default leaves no node_modules (trap 12)',
      member({ packageManager: 'yarn@4.5.0' }, 'workspace:*'),
      'yarn-install',
    ],
    ['bun', member({ packageManager: 'bun@1.2.0' }, 'workspace:*'), 'bun-install'],
  ])('%s is installed at its root, built in order, and its member starts (trap 13)', async (_, files, rung) => {
    const dir = await harness.checkout(files);
    const environment = await done(harness.install(dir, planOf(dir, 'packages/server')));
    expect(environment.rung).toBe(rung);
    expect(await said(environment)).toBe('server of core');
  });
});

/** Packages made here: what they do at their install can't be had from a registry. */
const packed: Record<string, string> = {};
let shelf: string;

async function pack(name: string, files: Readonly<Record<string, string>>): Promise<void> {
  const dir = join(shelf, name);
  await mkdir(dir, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(dir, file), text);
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', shelf], { cwd: dir });
  packed[name] = join(shelf, stdout.trim().split('\n').at(-1)!);
}

beforeAll(async () => {
  shelf = await mkdtemp(join(tmpdir(), 'mcps-packed-'));
  // As a native module does: its script makes what it loads.
  await pack('tiny-binding', {
    'package.json': json({
      name: 'tiny-binding',
      version: '1.0.0',
      main: 'index.js',
      scripts: { install: 'node make.js' },
    }),
    'make.js': "require('fs').writeFileSync('binding.js', 'exports.name = \"bound\"')",
    'index.js':
      "try { exports.name = require('./binding.js').name } catch { throw new Error(`Could not locate the bindings file. Tried:\\n → ${__dirname}/build/tiny.node`) }",
  });
  await pack('broken-script', {
    'package.json': json({
      name: 'broken-script',
      version: '1.0.0',
      main: 'index.js',
      scripts: { postinstall: 'node -e "process.exit(3)"' },
    }),
    'index.js': "exports.name = 'fine without';",
  });
});

afterAll(() => rm(shelf, { recursive: true, force: true }));

/** A server that says what its dependency is called. */
const using = (name: string, more: object = {}): Record<string, string> => ({
  'package.json': json({
    name: 'weather',
    version: '1.0.0',
    bin: 'i.js',
    dependencies: { [name]: `file:${packed[name]}` },
    ...more,
  }),
  'i.js': `console.log(require('${name}').name);`,
});

describe('an install script that the package manager holds back (trap 10)', () => {
  it.each([
    ['pnpm', 'pnpm@10.4.0'],
    ['yarn', 'yarn@4.14.0'],
    ['bun', 'bun@1.2.0'],
  ])('is named by %s’s need for it, and runs when it is allowed by name', async (_, packageManager) => {
    const dir = await harness.checkout(using('tiny-binding', { packageManager }));
    const held = await done(harness.install(dir, planOf(dir)));
    const cause = await complaint(held);
    expect(cause).toMatchObject({ kind: 'held-back', hint: expect.stringContaining('--allow-scripts tiny-binding') });
    const allowed = await done(harness.install(dir, planOf(dir, '', { allowScripts: ['tiny-binding'] })));
    expect(await said(allowed)).toBe('bound');
    const all = await done(harness.install(dir, planOf(dir, '', { allowScripts: true })));
    expect(await said(all)).toBe('bound');
  });

  it('runs where the project names a release that ran it', async () => {
    const dir = await harness.checkout(using('tiny-binding', { packageManager: 'pnpm@9.1.0' }));
    expect(await said(await done(harness.install(dir, planOf(dir))))).toBe('bound');
  });

  describe('by npm 12', () => {
    let npm12: string;
    beforeAll(async () => {
      npm12 = await mkdtemp(join(tmpdir(), 'mcps-npm12-'));
      const node = `node-${process.platform}-${process.arch}@24`;
      await run('npm', ['install', '--prefix', npm12, '--no-save', '--no-audit', 'npm@12', node]);
    });
    afterAll(() => rm(npm12, { recursive: true, force: true }));

    beforeEach(async () => {
      await harness[Symbol.asyncDispose]();
      const node = join(npm12, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin');
      await begin({ PATH: [node, join(npm12, 'node_modules/.bin'), process.env.PATH].join(delimiter) });
    });

    /** npm 12 in place of the one beside our own Node. */
    const with12 = (plan: LaunchPlan): LaunchPlan => ({
      ...plan,
      tools: [
        { name: 'node', version: '>=24' },
        { name: 'npm', version: '>=12' },
      ],
    });

    it('is named by the need for it, and runs when it is allowed by name', async () => {
      const dir = await harness.checkout({ ...using('tiny-binding'), '.npmrc': 'allow-remote=all\n' });
      const held = await done(harness.install(dir, with12(planOf(dir))));
      expect(await complaint(held)).toMatchObject({ kind: 'held-back' });
      expect(harness.warnings).toContain('the package manager held back install scripts');
      const allowed = await done(harness.install(dir, with12(planOf(dir, '', { allowScripts: ['tiny-binding'] }))));
      expect(await said(allowed)).toBe('bound');
    });

    it('is explained where it refuses a dependency from git (trap 11)', async () => {
      const repository = { dependencies: { tides: 'git+https://127.0.0.1:9/o/tides.git' } };
      const dir = await harness.checkout({
        'package.json': json({ name: 'w', bin: 'i.js', ...repository }),
        'i.js': '',
      });
      const failure = await failed(harness.install(dir, with12(planOf(dir))));
      expect(failure).toMatchObject({ code: 'INSTALL_HELD_BACK', hint: expect.stringContaining('--allow-scripts') });
      expect(failure.message).toContain('tides@git+https://127.0.0.1:9/o/tides.git');
    });
  });
});

describe('the ladder, on real failures', () => {
  it.each([
    ['npm', 'npm@10.0.0', 'npm-install-no-scripts', 'broken-script'],
    ['pnpm', 'pnpm@9.0.0', 'pnpm-no-scripts', 'broken-script'],
    ['yarn 1', 'yarn@1.22.0', 'yarn-no-scripts', 'broken-script'],
    ['yarn 4', 'yarn@4.5.0', 'yarn-no-scripts', 'broken-script'],
  ])('%s goes on without scripts when one fails, and says why', async (_, packageManager, rung, name) => {
    const dir = await harness.checkout(using(name, { packageManager }));
    const environment = await done(harness.install(dir, planOf(dir)));
    expect(environment).toMatchObject({ rung, fallbacks: [{ cause: 'install-script-failed' }] });
    expect(await said(environment)).toBe('fine without');
  });

  it('npm then builds the native modules one by one', async () => {
    const dependencies = Object.fromEntries(Object.entries(packed).map(([name, file]) => [name, `file:${file}`]));
    const dir = await harness.checkout(using('tiny-binding', { dependencies }));
    await run('npm', ['install', '--package-lock-only', '--no-audit'], { cwd: dir });
    const environment = await done(harness.install(dir, planOf(dir)));
    expect(environment.rung).toBe('npm-ci-no-scripts');
    expect(await said(environment)).toBe('bound');
  });

  it('npm takes a lock that is out of sync as a wish (trap 9)', async () => {
    const lock = {
      name: 'weather',
      version: '1.0.0',
      lockfileVersion: 3,
      packages: { '': { name: 'weather', version: '1.0.0' } },
    };
    const dir = await harness.checkout({ ...using('tiny-binding'), 'package-lock.json': json(lock) });
    const environment = await done(harness.install(dir, planOf(dir)));
    expect(environment).toMatchObject({
      rung: 'npm-install',
      fallbacks: [{ tried: 'npm-ci', cause: 'lock-out-of-date' }],
    });
    expect(await said(environment)).toBe('bound');
  });

  it('builds with devDependencies whatever NODE_ENV says, also in prepare (trap 8)', async () => {
    await harness[Symbol.asyncDispose]();
    await begin({ NODE_ENV: 'production', NPM_CONFIG_OMIT: 'dev' });
    const dir = await harness.checkout({
      'package.json': json({
        name: 'weather',
        version: '1.0.0',
        bin: 'dist/i.js',
        scripts: { prepare: `node -e "require('tiny-binding')" && mkdir dist && cp i.js dist/` },
        devDependencies: { 'tiny-binding': `file:${packed['tiny-binding']}` },
      }),
      'i.js': "console.log('built');",
    });
    expect(await said(await done(harness.install(dir, planOf(dir))))).toBe('built');
  });

  it('passes by a prepare that sets up hooks and fails without a repository (trap 7), and builds (trap 6)', async () => {
    const dir = await harness.checkout({
      'package.json': json({
        name: 'weather',
        version: '1.0.0',
        bin: 'dist/i.js',
        scripts: { prepare: 'git rev-parse --git-dir', build: 'mkdir dist && cp i.js dist/' },
      }),
      'i.js': "console.log('built');",
    });
    const environment = await done(harness.install(dir, planOf(dir)));
    expect(environment.rung).toBe('npm-install-no-scripts');
    expect(await said(environment)).toBe('built');
  });

  it('takes the newer Node when the build says that ours is too old (trap 14)', async () => {
    const dir = await harness.checkout({
      'package.json': json({ name: 'weather', bin: 'dist/i.js', scripts: { build: 'node build.mjs' } }),
      'build.mjs':
        "import { DatabaseSync } from 'node:sqlite'; import fs from 'node:fs'; fs.mkdirSync('dist'); fs.writeFileSync('dist/i.js', 'console.log(process.versions.node)');",
    });
    const environment = await done(harness.install(dir, planOf(dir)));
    expect(Number.parseInt(await said(environment), 10)).toBeGreaterThanOrEqual(22);
    if (Number.parseInt(process.versions.node, 10) < 22) {
      expect(environment.fallbacks).toMatchObject([{ tried: 'install', cause: 'runtime-too-old' }]);
    }
  });

  it('compiles barely where the build script fails at something else', async () => {
    const dir = await harness.checkout({
      'package.json': json({
        name: 'weather',
        bin: 'dist/i.js',
        scripts: { build: 'no-such-linter && tsc' },
        devDependencies: { typescript: '5.9.3' },
      }),
      'tsconfig.json': json({ compilerOptions: { outDir: 'dist', noEmitOnError: true, types: [] }, include: ['src'] }),
      'src/i.ts': "const x: number = 'no number'; console.log('compiled');",
    });
    expect(await said(await done(harness.install(dir, planOf(dir))))).toBe('compiled');
  });

  it('leaves nothing but the tree’s own files behind it', async () => {
    const dir = await harness.checkout(using('tiny-binding'));
    await done(harness.install(dir, planOf(dir)));
    expect(await readdir(dir), 'nothing is written to a checkout').not.toContain('node_modules');
    expect(dirname(dir)).toBe(harness.home.root);
  });
});
