/** Where plugins come from: a network that breaks, repositories that mean harm, many first starts at once. */

import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PluginOptions } from '../../src/options.ts';
import { tar } from '../support/archives.ts';
import { createFixtureRepos, type FixtureRepos } from '../support/fixture-repos.ts';
import { git, startGitServer } from '../support/git-server.ts';
import { checkoutsOf, createHome, environmentsOf } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { createStage, linesOf, puppet, type Stage, textOf } from './stage.ts';

let repos: FixtureRepos;
beforeAll(async () => {
  repos = await createFixtureRepos();
});
afterAll(() => repos?.[Symbol.asyncDispose]());

const echo = { tool: 'echo', arguments: { message: 'well' } };
const failureOf = (stage: Stage, name = 'p') =>
  stage.supervisor.start(name).then(
    () => null,
    (error) => error,
  );

test('R62 the network goes in the middle of a clone: a typed failure, no half checkout, and the next try is whole', async () => {
  // Too large for one packet, and not to be compressed.
  const { randomBytes } = await import('node:crypto');
  await repos.add('puppet', { as: 'cut', files: { large: randomBytes(2_000_000).toString('base64') } });
  let cut = true;
  const server = await startGitServer({ root: repos.root, cut: () => cut });
  try {
    await using stage = await createStage({
      plugins: { p: puppet('', { source: `${server.url}/cut.git` }) },
      restartPolicy: { minDelay: 600_000, maxDelay: 600_000 },
    });
    stage.supervisor.start('p').catch(() => {});
    const { failure } = await stage.supervisor.waitFor('p', 'crashed');
    expect(failure).toMatchObject({ code: 'CLONE_NETWORK', retryable: true });
    expect(server.fetches()).toBeGreaterThan(0);
    expect(stage.supervisor.status('p')).toMatchObject({ state: 'crashed', subState: 'waiting' });
    expect(await checkoutsOf(stage.home)).toEqual([]);
    await expectNothingLeft(stage.home);

    cut = false;
    await stage.supervisor.start('p');
    expect(textOf(await stage.supervisor.call('p', echo))).toBe('well');
    expect(await checkoutsOf(stage.home)).toHaveLength(1);
  } finally {
    await server.close();
  }
});

describe('R63 a repository that means harm', () => {
  /** The puppet as a repository that `spoil` may change before its commit; `canary` is a file that must not come to be. */
  async function spoilt(name: string, spoil: (work: string, canary: string) => Promise<unknown>) {
    const top = join(repos.root, '..', `hostile-${name}`);
    const canary = join(top, 'canary');
    const work = join(top, 'work');
    await cp(puppet().source!, work, { recursive: true });
    await git(work, 'init', '--quiet', '--initial-branch=main');
    await spoil(work, canary);
    await git(work, 'add', '--all', '--force');
    await git(work, 'commit', '--quiet', '--message', name);
    await git(top, 'clone', '--quiet', '--bare', work, join(top, 'served.git'));
    return { work, canary, url: `file://${top}/served.git` };
  }

  test('R63 a link out of its tree is not followed', async () => {
    const { url, canary } = await spoilt('link', async (work, secret) => {
      await writeFile(secret, 'secret');
      await symlink(secret, join(work, 'linked'));
      await symlink('../../../../..', join(work, 'up'));
    });
    const install = [['sh', '-c', 'test ! -e linked && test ! -e up']];
    await using stage = await createStage({ plugins: { p: puppet('', { source: url, install }) } });
    expect(textOf(await stage.supervisor.call('p', echo))).toBe('well');
    expect(await readFile(canary, 'utf8')).toBe('secret');
  });

  test('R63 a submodule by ext:: and hooks run nothing', async () => {
    const { url, work, canary } = await spoilt('ext', async (tree, mark) => {
      const url = `ext::sh -c touch% ${mark}`;
      await writeFile(join(tree, '.gitmodules'), `[submodule "vendor"]\n\tpath = vendor\n\turl = ${url}\n`);
      await git(tree, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},vendor`);
      await writeFile(join(tree, '.git', 'hooks', 'post-checkout'), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    });
    for (const source of [url, `file://${work}`, work]) {
      await using stage = await createStage({ plugins: { p: puppet('', { source }) } });
      await stage.supervisor.start('p').catch(({ code }) => expect(code).toMatch(/^(CLONE|DETECT|INSTALL)_/));
      expect(existsSync(canary), source).toBe(false);
    }
  });

  test('R63 an archive that climbs out of its folder is refused', async () => {
    await using stage = await createStage();
    const archive = join(stage.home.root, 'evil.tar');
    await writeFile(
      archive,
      tar([
        { path: 'package.json', text: '{}' },
        { path: '../../canary', text: 'x' },
      ]),
    );
    stage.supervisor.add('p', { source: archive });
    expect(await failureOf(stage)).toMatchObject({ code: 'CLONE_UNSAFE_ARCHIVE' });
    expect(existsSync(join(stage.home.path, 'canary')) || existsSync(join(stage.home.root, 'canary'))).toBe(false);
    expect(await checkoutsOf(stage.home)).toEqual([]);
  });

  test('R63 more files than a source may have are refused before they are kept', async () => {
    const { url } = await spoilt('many', async (work) => {
      await mkdir(join(work, 'many'));
      for (let file = 0; file < 60; file += 1) await writeFile(join(work, 'many', String(file)), '');
    });
    await using stage = await createStage({ plugins: { p: puppet('', { source: url }) }, limits: { maxFiles: 50 } });
    expect(await failureOf(stage)).toMatchObject({ code: 'CLONE_TOO_LARGE' });
    expect(await checkoutsOf(stage.home)).toEqual([]);
    await expectNothingLeft(stage.home);
  });
});

/** `R64_PLUGINS=200` for as many as a large host starts. */
const MANY = Number(process.env.R64_PLUGINS ?? 40);

test(`R64 ${MANY} first starts at once: never more installs at once than there are slots, and all are ready`, async () => {
  await using home = await createHome();
  const [count, slots] = [MANY, 2];
  const marks = join(home.root, 'marks');
  await mkdir(marks);
  const folder = join(home.root, 'source');
  await mkdir(folder);
  // Small enough to live hundreds of times.
  await writeFile(join(folder, 'server.sh'), SMALLEST_SERVER);
  // Everybody's own folder while it runs; how many there are is written down.
  const step = `mkdir ${marks}/$$; ls ${marks} | wc -l >> ${marks}.log; rmdir ${marks}/$$`;
  const plugin: PluginOptions = { source: folder, command: ['sh', 'server.sh'], install: [['sh', '-c', step]] };
  const names = Array.from({ length: count }, (_, at) => `p${at}`);
  await using stage = await createStage({
    plugins: Object.fromEntries(names.map((name) => [name, plugin])),
    slots: { install: slots },
    restartPolicy: { maxSpawns: 10_000 },
  });
  await Promise.all(names.map((name) => stage.supervisor.start(name)));
  const atOnce = (await linesOf(`${marks}.log`)).map(Number);
  expect(atOnce).toHaveLength(count);
  expect(Math.max(...atOnce)).toBeLessThanOrEqual(slots);
  for (const name of names) expect(stage.supervisor.status(name)).toMatchObject({ generation: 1, failure: null });
  expect(await environmentsOf(stage.home)).toHaveLength(count);
});

const SMALLEST_SERVER = `while read -r line; do
  id=\${line#*\\"id\\":}; id=\${id%%[,\\}]*}
  case "$line" in
    *'"initialize"'*) result='{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"small","version":"1"}}' ;;
    *'"tools/list"'*) result='{"tools":[]}' ;;
    *'"id"'*) result='{}' ;;
    *) continue ;;
  esac
  printf '{"jsonrpc":"2.0","id":%s,"result":%s}\\n' "$id" "$result"
done
`;
