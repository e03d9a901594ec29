/** The installers themselves, on packages from their registries. */

import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Rung } from '../../launchers/plan.ts';
import { needsRegistries } from '../support/registries.ts';
import { command, createHarness, done, failed, type Harness, starts } from './install-harness.ts';

let harness: Harness;

// As if started by `npm start` in an activated venv, with settings that break a careless installer.
const traps = {
  NODE_ENV: 'production',
  NPM_CONFIG_OMIT: 'dev',
  npm_lifecycle_event: 'start',
  INIT_CWD: '/nowhere',
  VIRTUAL_ENV: '/nowhere',
  PYTHONHOME: '/nowhere',
  PIP_TARGET: '/nowhere',
  UV_PROJECT_ENVIRONMENT: '/nowhere',
};

beforeEach(async () => {
  harness = await createHarness(traps);
});

afterEach(() => harness[Symbol.asyncDispose]());

const run = async (program: string, ...args: string[]) => (await promisify(execFile)(program, args)).stdout.trim();

const steps = (id: string, cures: Rung['cures'], ...commands: Rung['steps'][number][]): Rung => ({
  id,
  cures,
  steps: commands,
});

describe('npm', () => {
  needsRegistries('npm');
  const tools = [
    { name: 'node', version: '>=18' },
    { name: 'npm', version: null },
  ];
  const ladder = [
    steps('npm-ci', 'any', command('npm', 'ci')),
    steps('npm-install', ['lock-out-of-date'], command('npm', 'install')),
  ];
  const server = { 'server.js': "console.log(require('ms')(60000));" };

  it('installs a package; a lock that is out of sync is left for the second rung', async () => {
    const dir = await harness.checkout({
      ...server,
      'package.json': '{"name":"x","version":"1.0.0","dependencies":{"ms":"2.1.3"}}',
      'package-lock.json':
        '{"name":"x","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"x","version":"1.0.0"}}}',
    });
    const environment = await done(harness.install(dir, { tools, install: ladder, start: [starts('server.js')] }));
    expect(environment.rung).toBe('npm-install');
    expect(await run(environment.programs.node!, join(environment.dir, 'server.js'))).toBe('1m');
  });

  it('installs what a build needs, whatever NODE_ENV says, and the build runs', async () => {
    const dir = await harness.checkout({
      ...server,
      'package.json': `{"name":"x","version":"1.0.0","devDependencies":{"ms":"2.1.3"},
        "scripts":{"build":"mkdir dist && cp server.js dist/index.js"}}`,
    });
    const plan = {
      tools,
      install: [steps('npm-install', 'any', command('npm', 'install'))],
      build: [command('npm', 'run', 'build')],
      start: [starts('dist/index.js')],
    };
    const environment = await done(harness.install(dir, plan));
    expect(await run('node', join(environment.dir, 'dist/index.js'))).toBe('1m');
  });

  it('that can not reach its registry is a failure of the network', async () => {
    await harness[Symbol.asyncDispose]();
    harness = await createHarness({ NPM_CONFIG_REGISTRY: 'http://127.0.0.1:9', NPM_CONFIG_FETCH_RETRIES: '0' });
    const dir = await harness.checkout({
      ...server,
      'package.json': '{"name":"x","version":"1.0.0","dependencies":{"ms":"2.1.3"}}',
    });
    const install = [
      steps('npm-install', 'any', command('npm', 'install', '--cache', join(harness.home.root, 'cache'))),
    ];
    const failure = await failed(harness.install(dir, { tools, install, start: [starts('server.js')] }));
    expect(failure.stderrTail.join('\n')).toContain('ECONNREFUSED');
  });
});

describe('pnpm, fetched into the home', () => {
  needsRegistries('npm');

  it('does not replace itself by the version that the project pins, nor do the scripts that call it', async () => {
    const dir = await harness.checkout({
      'package.json': `{"name":"x","version":"1.0.0","packageManager":"pnpm@10.4.1","dependencies":{"ms":"2.1.3"},
        "scripts":{"build":"pnpm run inner","inner":"mkdir dist && cp server.js dist/"}}`,
      'server.js': "console.log(require('ms')(60000));",
    });
    const plan = {
      tools: [{ name: 'pnpm', version: '^10' }],
      install: [steps('pnpm-install', 'any', command('pnpm', 'install', '--no-frozen-lockfile'))],
      build: [command('pnpm', 'run', 'build')],
      start: [starts('dist/server.js')],
    };
    const environment = await done(harness.install(dir, plan));
    expect(await run('node', join(environment.dir, 'dist/server.js'))).toBe('1m');
  });
});

describe('uv', () => {
  needsRegistries('pypi');
  const tools = [
    { name: 'python', version: '>=3.10' },
    { name: 'uv', version: null },
  ];
  const project = (dependencies: string) => ({
    'pyproject.toml': `[project]
name = "tiny-server"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = [${dependencies}]
[project.scripts]
tiny-server = "tiny_server:main"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
`,
    'tiny_server/__init__.py': 'import iniconfig\n\ndef main():\n    print(iniconfig.__name__)\n',
    // Not installed here, and not to be looked for.
    '.python-version': '3.8.1\n',
  });

  it('installs a project with a console script into a venv of its own', async () => {
    const dir = await harness.checkout(project('"iniconfig"'));
    const start = [{ ...starts('.venv/bin/tiny-server'), command: command('.venv/bin/tiny-server') }];
    const install = [steps('uv-sync', 'any', command('uv', 'sync', '--no-dev'))];
    const environment = await done(harness.install(dir, { tools, install, start }));
    expect(await run(join(environment.dir, '.venv/bin/tiny-server'))).toBe('iniconfig');
    expect(environment.programs.python).toBe(join(environment.dir, '.venv/bin/python'));
    expect(environment.path).toContain(join(environment.dir, '.venv/bin'));
    expect(await readdir(dir), 'nothing is written to a checkout').not.toContain('.venv');
  });

  it('takes packages as they were on the commit’s date when asked', async () => {
    const dir = await harness.checkout(project('"iniconfig", "certifi"'));
    const install = [
      steps('uv-venv', 'any', command('uv', 'venv'), command('uv', 'pip', 'install', 'certifi<2025')),
      steps('none', 'any', command('true')),
    ];
    const checkout = { dir, commit: 'c1', committedAt: '1999-01-01T00:00:00Z' };
    const start = [starts('tiny_server/__init__.py')];
    // `uv pip` installs into the venv beside it, never into the Python that the venv was made of.
    const now = await done(harness.install(dir, { tools, install, start }, { checkout }));
    expect(now.rung).toBe('uv-venv');
    expect(await run(join(now.dir, '.venv/bin/python'), '-c', 'import certifi; print(certifi.__file__)')).toContain(
      now.dir,
    );
    const then = await done(
      harness.install(dir, { tools, install, start }, { checkout, dependencies: 'as-of-commit' }),
    );
    expect(then.rung, 'there was no such package in 1999').toBe('none');
  });

  it('and pip refuse to install into the user’s own Python', async () => {
    const dir = await harness.checkout(project(''));
    const start = [starts('tiny_server/__init__.py')];
    for (const install of [
      command('uv', 'pip', 'install', 'iniconfig'),
      command('python', '-m', 'pip', 'install', 'iniconfig'),
    ]) {
      const failure = await failed(
        harness.install(dir, { tools, install: [steps('careless', 'any', install)], start }),
      );
      expect(failure.stderrTail.join(' ')).toMatch(/virtual ?env/i);
    }
  });
});
