import { execFile } from 'node:child_process';
import { chmod, mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGuard, type Guard } from '../../actors/guard.ts';
import { createRuntimes } from '../../actors/runtimes.ts';
import { createStore } from '../../actors/store/create-store.ts';
import type { Store } from '../../actors/store/store.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { needsRegistries } from '../support/registries.ts';

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
const provide = (version: string | null, callerEnv: Readonly<Record<string, string>>) =>
  createRuntimes({ store, log, guard, output() {}, callerEnv }).provide(
    [{ name: 'cargo', version }],
    new AbortController().signal,
  );

/** A toolchain that answers with this version, as rustup lays it out. */
async function toolchain(name: string, version: string): Promise<string> {
  const bin = join(home.root, '.rustup', 'toolchains', name, 'bin');
  await mkdir(bin, { recursive: true });
  await script(join(bin, 'cargo'), `echo "cargo ${version} (f2d3ce0bd 2026-03-21)"`);
  await script(join(bin, 'rustc'), `echo "${dirname(bin)}"`);
  return bin;
}
const script = async (path: string, line: string) => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${line}\n`);
  await chmod(path, 0o755);
};
const caller = () => ({ HOME: home.root, PATH: '/usr/bin:/bin' });

describe('Rust', () => {
  it('is the default toolchain itself, not the proxy that a plugin’s toolchain file would send elsewhere', async () => {
    const bin = await toolchain('stable-x86_64-unknown-linux-gnu', '1.95.0');
    await script(join(home.root, '.cargo', 'bin', 'cargo'), 'exit 1');
    await script(join(home.root, '.cargo', 'bin', 'rustc'), `echo "${dirname(bin)}"`);
    const result = await provide(null, caller());
    expect(result).toMatchObject({ ok: true, toolset: { programs: { cargo: join(bin, 'cargo') }, path: [bin] } });
  });

  it('is any toolchain that is new enough, a stable one before a nightly', async () => {
    await toolchain('1.70.0-x86_64-unknown-linux-gnu', '1.70.0');
    const nightly = await toolchain('nightly-x86_64-unknown-linux-gnu', '1.99.0-nightly');
    const newer = await toolchain('1.96.1-x86_64-unknown-linux-gnu', '1.96.1');
    const found = async (version: string) => {
      const result = await provide(version, caller());
      return result.ok ? dirname(result.toolset.programs.cargo ?? '') : result.failure.message;
    };
    expect(await found('>=1.90')).toBe(newer);
    expect(await found('>=1.97')).toBe(nightly);
  });

  it('is named with what is here instead, where rustup is not there to fetch it', async () => {
    const bin = await toolchain('stable-x86_64-unknown-linux-gnu', '1.95.0');
    const result = await provide('>=1.99', caller());
    expect(result).toMatchObject({
      ok: false,
      failure: {
        code: 'DETECT_MISSING_RUNTIME',
        message: `The plugin needs Rust >=1.99; found 1.95.0 (${join(bin, 'cargo')}).`,
        hint: expect.stringContaining('rustup update stable'),
      },
    });
  });

  describe('of this machine', () => {
    needsRegistries('crates');

    it('is found, and brings its compiler along', async () => {
      const { PATH = '', HOME = '' } = process.env;
      const result = await provide('>=1.60', { ...caller(), HOME, PATH });
      if (!result.ok) throw new Error(result.failure.message);
      const { programs, versions } = result.toolset;
      const said = await promisify(execFile)(programs.cargo ?? '', ['--version']);
      expect(said.stdout).toContain(`cargo ${versions.cargo}`);
      const compiler = await realpath(join(dirname(programs.cargo ?? ''), 'rustc'));
      expect((await promisify(execFile)(compiler, ['--version'])).stdout).toContain(`rustc ${versions.cargo}`);
    });
  });
});
