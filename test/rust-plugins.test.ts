/** Rust plugins from folder to tool, built by the real cargo. */

import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Facts } from '../actors/store/store.ts';
import type { Supervisor } from '../src/options.ts';
import { createSupervisor } from '../src/supervisor.ts';
import { fixtureFolder } from './support/fixture-repos.ts';
import { createHome, type TestHome } from './support/home.ts';
import { expectNothingLeft } from './support/leftovers.ts';
import { needsRegistries } from './support/registries.ts';

let home: TestHome;
let supervisor: Supervisor;

beforeEach(async () => {
  home = await createHome();
});
afterEach(async () => {
  await supervisor.close();
  await expectNothingLeft(home);
  await home[Symbol.asyncDispose]();
});

async function plugin(
  files: Readonly<Record<string, string>>,
  fixture?: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Supervisor> {
  const source = join(home.root, 'plugin');
  await mkdir(source);
  if (fixture !== undefined) await cp(fixtureFolder(fixture), source, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), text);
  }
  supervisor = createSupervisor({ home: home.path, env: { ...home.env, ...env }, plugins: { acme: { source } } });
  return supervisor;
}

const environment = async () =>
  (JSON.parse(await readFile(join(home.path, 'plugins', 'acme', 'facts.json'), 'utf8')) as Facts).environment;
const hi = { tool: 'echo', arguments: { message: 'hi' } };
const said = { content: [{ type: 'text', text: 'hi' }] };
const LINE = 'rmcp = "1"\n';
/** Named like an SDK, so that the folder is taken for a server; it is never asked for. */
const crate = (rest = '') =>
  `[package]\nname = "acme"\nversion = "1.0.0"\nedition = "2021"\n${rest}\n[target.'cfg(windows)'.dependencies]\n${LINE}`;

describe('a Rust plugin', () => {
  needsRegistries('crates');

  it('is built by its lock and answers; the parts that it was linked from are not kept', async () => {
    await expect((await plugin({}, 'rust-stdio')).call('acme', hi)).resolves.toEqual(said);
    const made = await environment();
    expect(made).toMatchObject({ rung: 'cargo-build-locked', fallbacks: [] });
    const left = await readdir(join(made?.dir ?? '', 'target', 'release', 'deps'));
    expect(left.filter((name) => /\.(rlib|rmeta)$/.test(name))).toEqual([]);
  });

  it('is built without its lock where that is out of date', async () => {
    const lock = await readFile(join(fixtureFolder('rust-stdio'), 'Cargo.lock'), 'utf8');
    await plugin(
      { 'Cargo.lock': lock.replace(/\[\[package\]\]\nname = "json"[^[]*/, '').replace(' "json",\n', '') },
      'rust-stdio',
    );
    await expect(supervisor.call('acme', hi)).resolves.toEqual(said);
    expect(await environment()).toMatchObject({ rung: 'cargo-build', fallbacks: [{ cause: 'lock-out-of-date' }] });
  });

  it('is built by the Rust that is here, though it pins and declares one that is not', async () => {
    const toml = await readFile(join(fixtureFolder('rust-stdio'), 'Cargo.toml'), 'utf8');
    await plugin(
      { 'Cargo.toml': toml.replace('[[bin]]', 'rust-version = "1.999"\n\n[[bin]]'), 'rust-toolchain': '1.2.3' },
      'rust-stdio',
    );
    await expect(supervisor.call('acme', hi)).resolves.toEqual(said);
    expect(await environment()).toMatchObject({ rung: 'cargo-build-any-rust' });
  });

  it('written for nightly is built by a released Rust', async () => {
    const code = await readFile(join(fixtureFolder('rust-stdio'), 'src', 'serve.rs'), 'utf8');
    await plugin(
      { 'src/serve.rs': code.replace('\nuse', '\n#![feature(test)]\nuse'), 'rust-toolchain': 'nightly' },
      'rust-stdio',
    );
    await expect(supervisor.call('acme', hi)).resolves.toEqual(said);
    expect(await environment()).toMatchObject({ rung: 'cargo-build-unstable' });
  });

  it('is built without the default feature whose library the system lacks', async () => {
    const toml = await readFile(join(fixtureFolder('rust-stdio'), 'Cargo.toml'), 'utf8');
    const features =
      'alsa-sys = { version = "0.3", optional = true }\n[features]\ndefault = ["sound", "log"]\nsound = ["dep:alsa-sys"]\nlog = []\n';
    await plugin({ 'Cargo.toml': toml + features }, 'rust-stdio', { PKG_CONFIG_LIBDIR: '/nowhere' });
    await promisify(execFile)('cargo', ['generate-lockfile'], { cwd: join(home.root, 'plugin') });
    await expect(supervisor.call('acme', hi)).resolves.toEqual(said);
    expect(await environment()).toMatchObject({
      rung: 'cargo-build-without-sound',
      fallbacks: [{ tried: 'cargo-build-locked', cause: 'missing-library' }],
    });
  });

  it('that does not compile says what the compiler says', async () => {
    await plugin({ 'Cargo.toml': crate(), 'src/main.rs': 'fn main() { let x: u8 = "mcp"; }' });
    await expect(supervisor.start('acme')).rejects.toMatchObject({
      code: 'INSTALL_FAILED',
      message: expect.stringContaining('error[E0308]'),
      data: expect.objectContaining({ cause: 'build-failed' }),
    });
  });

  it('that wants an argument is parked with its name', async () => {
    const help = 'error: the following required arguments were not provided:\n  <DIRECTORY>\n\nUsage: acme <DIRECTORY>';
    const main = `fn main() { if std::env::args().len() < 2 { eprintln!(${JSON.stringify(help)}); std::process::exit(2) } }`;
    await plugin({ 'Cargo.toml': crate(), 'src/main.rs': main });
    await expect(supervisor.start('acme')).rejects.toMatchObject({
      code: 'LAUNCH_NEEDS_SETTING',
      message: expect.stringContaining('<DIRECTORY>'),
    });
  });
});
