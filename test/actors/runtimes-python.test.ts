/** A Python that this machine lacks, by the real uv; its builds are tiny ones of the test's own. */

import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGuard, type Guard } from '../../actors/guard.ts';
import { pythonRequest } from '../../actors/runtimes/fetch-python.ts';
import { createRuntimes, type Runtimes } from '../../actors/runtimes.ts';
import { createStore } from '../../actors/store/create-store.ts';
import type { Store } from '../../actors/store/store.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { needsRegistries } from '../support/registries.ts';

const run = promisify(execFile);
const never = new AbortController().signal;

describe('which Python is asked for', () => {
  it.each([
    [null, undefined, '3.12'],
    ['>=3.13', undefined, '3.13'],
    ['>=3.14,<4', undefined, '3.14'],
    ['>=3.10', '==3.11.*', '3.11'],
    ['>=3.12', '==3.11.*', '3.12'],
    ['==3.11.4', undefined, '3.11.4'],
    ['^3.12', undefined, '3.12'],
    ['<3.11', undefined, '3.10'],
    ['~=3.12.5', undefined, '3.12'],
    ['>=3.99', undefined, '3.99'],
  ])('for %s, preferring %s, is %s', (range, prefers, expected) => {
    expect(pythonRequest(range, prefers)).toBe(expected);
  });
});

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('a Python that is not here', () => {
  needsRegistries('pypi');
  let home: TestHome;
  let store: Store;
  let guard: Guard;

  beforeEach(async () => {
    home = await createHome();
    store = createStore({ home: home.path });
    await store.open();
    guard = createGuard();
  });

  afterEach(async () => {
    guard.close();
    await store.ledger.close();
    await expectNothingLeft(home).finally(() => home[Symbol.asyncDispose]());
  });

  /** Runtimes whose uv knows one build, which lies at this address. */
  async function runtimesWith(url: string): Promise<Runtimes> {
    const builds = join(home.root, 'builds.json');
    const arch = { family: 'x86_64', variant: null };
    const version = {
      name: 'cpython',
      major: 3,
      minor: 99,
      patch: 0,
      prerelease: '',
      variant: null,
      build: '20260101',
    };
    const build = { ...version, arch, os: 'linux', libc: 'gnu', url, sha256: null };
    await writeFile(builds, JSON.stringify({ 'cpython-3.99.0-linux-x86_64-gnu': build }));
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const callerEnv = { ...home.env, UV_PYTHON_DOWNLOADS_JSON_URL: builds };
    return createRuntimes({ store, log, guard, output() {}, callerEnv });
  }

  it('is fetched by uv, into the home alone', async () => {
    const python = join(home.root, 'python');
    await mkdir(join(python, 'bin'), { recursive: true });
    await mkdir(join(python, 'lib', 'python3.99'), { recursive: true });
    const program = join(python, 'bin', 'python3.99');
    await writeFile(program, '#!/bin/sh\nprintf "3.99.0\\n$0\\n"\n');
    await chmod(program, 0o755);
    await writeFile(
      join(python, 'lib', 'python3.99', '_sysconfigdata__linux_x86_64-linux-gnu.py'),
      '# system configuration generated and used by the sysconfig module\nbuild_time_vars = {}\n',
    );
    const archive = join(home.root, 'python.tar.gz');
    await run('tar', ['-C', home.root, '-czf', archive, 'python']);

    const runtimes = await runtimesWith(pathToFileURL(archive).href);
    const provided = await runtimes.provide([{ name: 'python', version: '>=3.99' }], never);
    if (!provided.ok) throw new Error(`${provided.failure.message}\n${provided.failure.stderrTail.join('\n')}`);
    const { programs, versions } = provided.toolset;
    expect(versions.python).toBe('3.99.0');
    expect(programs.python).toContain(store.runtimeDir('python'));
    expect(programs.python3).toBe(programs.python);
    const user = home.env.HOME ?? '';
    expect(await readdir(join(user, '.local', 'bin')).catch(() => []), 'no link for the user').toEqual([]);
  });

  it('and can not be fetched is missing, and both are said', async () => {
    const runtimes = await runtimesWith('http://127.0.0.1:9/python.tar.gz');
    const provided = await runtimes.provide([{ name: 'python', version: '>=3.99' }], never);
    expect(provided).toMatchObject({
      ok: false,
      failure: {
        code: 'DETECT_MISSING_RUNTIME',
        message: expect.stringMatching(/needs Python >=3\.99; found .*Nor could it be fetched: .*could not be reached/),
        hint: expect.stringContaining('uv python install 3.99'),
        data: { tool: 'python', wanted: '>=3.99' },
      },
    });
  });

  it('is of several that fit the one that the project prefers', async () => {
    const dir = join(home.root, 'bin');
    await mkdir(dir, { recursive: true });
    for (const version of ['3.91.0', '3.92.0', '3.93.0']) {
      const path = join(dir, `python${version.slice(0, 4)}`);
      await writeFile(path, `#!/bin/sh\nprintf '${version}\\n${path}\\n'\n`);
      await chmod(path, 0o755);
    }
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const callerEnv = { HOME: join(home.root, 'user'), PATH: `${dir}:/bin` };
    const runtimes = createRuntimes({ store, log, guard, output() {}, callerEnv });
    const chosen = async (prefers?: string) => {
      const tool = { name: 'python', version: '>=3.90', ...(prefers === undefined ? {} : { prefers }) };
      const provided = await runtimes.provide([tool], never);
      return provided.ok ? provided.toolset.versions.python : provided.failure.message;
    };
    expect(await chosen()).toBe('3.93.0');
    expect(await chosen('==3.92.*')).toBe('3.92.0');
    expect(await chosen('<3.92')).toBe('3.91.0');
    expect(await chosen('==3.80.*')).toBe('3.93.0');
  });
});
