/** A home with a file that is cut short, holds garbage or is a folder; and one on a disk that is full. */

import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createStore } from '../../actors/store/create-store.ts';
import type { PluginOptions, SupervisorOptions } from '../../src/options.ts';
import { createSupervisor } from '../../src/supervisor.ts';
import { createFixtureRepos, type FixtureRepos } from '../support/fixture-repos.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { eventually, puppet, textOf } from './stage.ts';

let repos: FixtureRepos;
beforeAll(async () => {
  repos = await createFixtureRepos();
});
afterAll(() => repos?.[Symbol.asyncDispose]());

const echo = { tool: 'echo', arguments: { message: 'well' } };

function supervisorOn(home: TestHome, options: SupervisorOptions) {
  const complaints: string[] = [];
  const complain = (_: object, message: string) => complaints.push(message);
  const logger = { debug() {}, info() {}, warn: complain, error: complain };
  return { complaints, supervisor: createSupervisor({ home: home.path, env: home.env, logger, ...options }) };
}

/** Starts, calls, stops; the home is then as it is between two uses. */
async function use(home: TestHome, plugins: Readonly<Record<string, PluginOptions>>): Promise<readonly string[]> {
  const { supervisor, complaints } = supervisorOn(home, { plugins });
  try {
    for (const name of supervisor.list()) {
      expect(textOf(await supervisor.call(name, echo))).toBe('well');
      expect(supervisor.status(name).failure).toBe(null);
    }
  } finally {
    await supervisor.close();
  }
  return complaints;
}

const DAMAGES: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  'cut to nothing': (path) => truncate(path, 0),
  'cut in half': async (path) => truncate(path, Math.floor((await stat(path)).size / 2)),
  'filled with garbage': (path) => writeFile(path, Buffer.from([0xff, 0x00, 0x7b, 0x22, 0xfe, 0x0a])),
  'a folder': async (path) => {
    await rm(path);
    await mkdir(path);
  },
};

/** Every file that the supervisor itself keeps; not those of the plugin, which are the source's and the installer's. */
async function keptFiles(home: TestHome): Promise<readonly string[]> {
  const files = await readdir(home.path, { recursive: true, withFileTypes: true });
  return files
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(home.path.length + 1))
    .filter((path) => !/^envs\/.*\/tree\//.test(path))
    .filter((path) => !/^checkouts\/[^/]+\/[^/]+\//.test(path) || path.endsWith('.git/mcp-supervisor.json'))
    .sort();
}

describe.each(Object.keys(DAMAGES))('R56 a file of the home is %s', (damage) => {
  test('R56 each in turn: the next supervisor starts and answers, and has set it aside or made it anew', async () => {
    await using home = await createHome();
    const fixture = await repos.add('puppet', { as: `puppet-${damage.replaceAll(' ', '-')}` });
    const plugins = { folder: puppet('', { install: [['true']] }), git: puppet('', { source: fixture.url }) };
    await use(home, plugins);
    const deadLedger = join(home.path, 'ledger', '999999-1-00000000');
    const leaveTraces = async () => {
      const dead = join(home.path, 'ledger', await deadOwner(home));
      await mkdir(dead, { recursive: true });
      await mkdir(deadLedger, { recursive: true });
      const entry = { plugin: 'gone', generation: 1, cookie: '0.1-1.0.1.gone', leader: null };
      await writeFile(join(dead, `${entry.cookie}.json`), JSON.stringify(entry));
    };
    await leaveTraces();
    const kept = await keptFiles(home);
    expect(kept.map((path) => path.split('/').at(-1))).toEqual(
      expect.arrayContaining(['format', 'facts.json', 'installed.json', 'mcp-supervisor.json', '0.1-1.0.1.gone.json']),
    );
    for (const path of kept) {
      await DAMAGES[damage]!(join(home.path, path));
      const whose = /git/.test(path) ? { git: plugins.git } : { folder: plugins.folder };
      await use(home, whose).catch((error) => {
        throw new Error(`${path} is ${damage}: ${error}`, { cause: error });
      });
      await expectNothingLeft(home);
      if (/^(ledger)/.test(path)) expect(await readdir(join(home.path, 'ledger')), path).toEqual(['999999-1-00000000']);
      await leaveTraces();
    }
    // Half of it says the same.
    expect(await readFile(join(home.path, 'format'), 'utf8')).toMatch(/^1\n?$/);
  });
});

/** Our own name in the ledger, with another start time. */
async function deadOwner(home: TestHome): Promise<string> {
  const { ledger } = createStore({ home: home.path });
  await ledger.intend({ plugin: 'x', generation: 1, cookie: 'x' });
  const names = await readdir(join(home.path, 'ledger'));
  await ledger.close();
  return names.find((name) => name.startsWith(`${process.pid}-`))!.replace(/-\w+-/, '-1-');
}

test('R56 a format that holds no number is no reason to take somebody else’s folder', async () => {
  await using home = await createHome();
  const plugins = { p: puppet() };
  await use(home, plugins);
  await writeFile(join(home.path, 'format'), 'pdf');
  await writeFile(join(home.path, 'thesis.txt'), 'mine');
  await expect(use(home, plugins)).rejects.toMatchObject({ code: 'HOME_UNUSABLE' });
  expect(await readFile(join(home.path, 'format'), 'utf8')).toBe('pdf');
});

// ---- the disk is full ----

const run = promisify(execFile);

/** A home on a disk of its own of so many bytes; null where this may not be (it takes root). */
async function mountHome(home: TestHome, size: string): Promise<AsyncDisposable | null> {
  await mkdir(home.path, { mode: 0o700 });
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', home.path]);
  } catch {
    return null;
  }
  return { [Symbol.asyncDispose]: async () => void (await run('umount', ['-l', home.path])) };
}

/** Takes all the room there is. */
async function fill(home: TestHome): Promise<string> {
  const folder = join(home.path, 'data');
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'ballast');
  const megabyte = Buffer.alloc(1024 * 1024);
  for (let full = false; !full; ) {
    await writeFile(file, megabyte, { flag: 'a' }).catch(({ code }) => {
      expect(code).toBe('ENOSPC');
      full = true;
    });
  }
  return file;
}

test('R59 a full disk: what needs room fails with HOME_DISK_FULL, what runs goes on, and with room all is well', async (context) => {
  await using home = await createHome();
  await using disk = await mountHome(home, '4m');
  if (disk === null) context.skip('no file system can be mounted here');
  const { supervisor } = supervisorOn(home, {
    plugins: {
      running: puppet(),
      stopped: puppet(),
      cloned: puppet('', { source: (await repos.add('puppet', { as: 'full-disk' })).url }),
      installed: puppet('', { install: [['sh', '-c', 'head -c 2000000 /dev/zero > big']] }),
    },
  });
  try {
    await supervisor.start('running');
    await supervisor.start('stopped');
    await supervisor.stop('stopped');
    const facts = await readFile(join(home.path, 'plugins', 'stopped', 'facts.json'), 'utf8');
    const ballast = await fill(home);
    for (const name of ['stopped', 'cloned']) {
      supervisor.start(name).catch(() => {});
      const { failure, subState } = await supervisor.waitFor(name, 'crashed');
      expect({ name, code: failure?.code, subState }).toEqual({ name, code: 'HOME_DISK_FULL', subState: 'waiting' });
    }
    // The checkout has room, what the installer makes has not.
    await truncate(ballast, (await stat(ballast)).size - 600_000);
    supervisor.start('installed').catch(() => {});
    const { failure } = await supervisor.waitFor('installed', 'crashed');
    expect(failure?.code).toMatch(/^(HOME_DISK_FULL|INSTALL_FAILED)$/);
    expect(`${failure?.message} ${failure?.hint} ${failure?.stderrTail}`).toMatch(/space|disk/i);

    expect(textOf(await supervisor.call('running', echo))).toBe('well');
    expect(supervisor.status('running').generation).toBe(1);
    expect(await readFile(join(home.path, 'plugins', 'stopped', 'facts.json'), 'utf8')).toBe(facts);

    await rm(ballast);
    for (const name of ['stopped', 'cloned', 'installed']) await supervisor.start(name);
    for (const name of supervisor.list()) expect(textOf(await supervisor.call(name, echo))).toBe('well');
    // Full again: stopping and closing need no room.
    await fill(home);
    await supervisor.stop('running');
  } finally {
    await supervisor.close();
  }
  await rm(join(home.path, 'data', 'ballast'));
  await eventually(() => expectNothingLeft(home).then(() => true));
});
