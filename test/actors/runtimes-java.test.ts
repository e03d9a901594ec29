import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGuard, type Guard } from '../../actors/guard.ts';
import { createRuntimes } from '../../actors/runtimes.ts';
import { createStore } from '../../actors/store/create-store.ts';
import type { Store } from '../../actors/store/store.ts';
import type { Tool } from '../../launchers/plan.ts';
import { createHome, type TestHome } from '../support/home.ts';

let home: TestHome;
let store: Store;
let guard: Guard;

beforeEach(async () => {
  home = await createHome();
  store = createStore({ home: home.path });
  guard = createGuard();
});
afterEach(async () => {
  guard.close();
  await store.ledger.close();
  await home[Symbol.asyncDispose]();
});

const log = { debug() {}, info() {}, warn() {}, error() {} };
const provide = (tool: Tool, callerEnv: Readonly<Record<string, string>> = {}) =>
  createRuntimes({
    store,
    log,
    guard,
    output() {},
    callerEnv: { HOME: home.root, PATH: '/bin', ...callerEnv },
  }).provide([tool], new AbortController().signal);
const java = async (version: string | null, callerEnv: Readonly<Record<string, string>> = {}) => {
  const result = await provide({ name: 'java', version }, callerEnv);
  return result.ok ? result.toolset.programs.java : result.failure.message;
};

const script = async (path: string, line: string) => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${line}\n`);
  await chmod(path, 0o755);
};

/** A kit as they are laid out; without `release` it has to be started to tell its version. */
async function kit(dir: string, version: string, { release = true, javac = true } = {}): Promise<string> {
  await script(join(dir, 'bin/java'), release ? 'exit 1' : `echo 'openjdk version "${version}" 2026-01-01' >&2`);
  if (javac) await script(join(dir, 'bin/javac'), 'exit 1');
  if (release) await writeFile(join(dir, 'release'), `IMPLEMENTOR="Acme"\nJAVA_VERSION="${version}"\n`);
  return join(dir, 'bin/java');
}

describe('Java', () => {
  it('is the one of JAVA_HOME, then of PATH, where the plan wants none in particular', async () => {
    const own = await kit(join(home.root, 'own'), '21.0.2');
    const other = await kit(join(home.root, 'other'), '22.0.1');
    const link = join(home.root, 'bin/java');
    await mkdir(dirname(link));
    await symlink(other, link);
    const PATH = `${dirname(link)}:/bin`;
    expect(await java(null, { JAVA_HOME: join(home.root, 'own'), PATH })).toBe(own);
    expect(await java(null, { PATH }), 'the kit behind the link, for JAVA_HOME’s sake').toBe(other);
  });

  it('is the nearest to what the plan wants, wherever a version manager keeps it', async () => {
    const candidates = join(home.root, '.sdkman/candidates/java');
    await kit(join(candidates, '91.0.1-tem'), '91.0.1');
    const near = await kit(join(home.root, '.local/share/mise/installs/java/temurin-90.0.3'), '90.0.3', {
      release: false,
    });
    await kit(join(home.root, '.jdks/corretto-1.8.0_402'), '1.8.0_402');
    expect(await java('>=90', { JAVA_HOME: join(candidates, '91.0.1-tem') })).toBe(near);
    expect(await java('>=91')).toBe(join(candidates, '91.0.1-tem/bin/java'));
  });

  it('is counted as it counted itself until 8', async () => {
    const eight = await kit(join(home.root, '.jdks/corretto-8'), '1.8.0_402');
    expect(await java('>=8 <9')).toBe(eight);
  });

  it('is nothing without a compiler', async () => {
    await kit(join(home.root, '.jdks/jre-95'), '95.0.1', { javac: false });
    expect(await java('>=95')).toMatch(/^The plugin needs Java \(JDK\) >=95/);
  });

  it('that is too old is named, with how to get another', async () => {
    await kit(join(home.root, 'own'), '11.0.2');
    const result = await provide({ name: 'java', version: '>=95' }, { JAVA_HOME: join(home.root, 'own') });
    expect(result).toMatchObject({
      ok: false,
      failure: {
        code: 'DETECT_MISSING_RUNTIME',
        message: expect.stringContaining(`found 11.0.2 (${join(home.root, 'own/bin/java')})`),
        hint: expect.stringMatching(/95/),
      },
    });
  });
});

describe('.NET', () => {
  it('is found where its own installer puts it', async () => {
    await script(join(home.root, '.dotnet/dotnet'), 'echo 8.0.404');
    const result = await provide({ name: 'dotnet', version: '>=8.0' });
    expect(result).toMatchObject({ ok: true, toolset: { programs: { dotnet: join(home.root, '.dotnet/dotnet') } } });
  });

  it('that is not there is named, with how to get it', async () => {
    expect(await provide({ name: 'dotnet', version: '>=99.0' })).toMatchObject({
      ok: false,
      failure: {
        code: 'DETECT_MISSING_RUNTIME',
        message: expect.stringMatching(/^The plugin needs \.NET SDK >=99\.0/),
        hint: expect.stringMatching(/dotnet-sdk-99\.0|brew install dotnet/),
      },
    });
  });
});
