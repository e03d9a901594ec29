/** Sources that mean harm: each is refused with a code, runs nothing (a canary file shows it), and leaves nothing. */

import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pathWithoutGit } from '../actors/clone-harness.ts';
import { type Packed, tar, zip } from '../support/archives.ts';
import { type CliResult, errorOf, runCli } from '../support/cli.ts';
import { fixtureFolder } from '../support/fixture-repos.ts';
import { type GitServer, git, startGitServer } from '../support/git-server.ts';
import { checkoutsOf, createHome, environmentsOf, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';

let outside: TestHome;
let server: GitServer;
/** Made by whatever runs that must not. */
let canary: string;

beforeAll(async () => {
  outside = await createHome();
  canary = join(outside.root, 'canary');
  await mkdir(join(outside.root, 'served'));
  await writeFile(join(outside.root, 'evil.sh'), `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
  await writeFile(join(outside.root, 'evil.js'), `require('node:fs').writeFileSync(${JSON.stringify(canary)}, '');\n`);
  server = await startGitServer({ root: join(outside.root, 'served') });
});
afterAll(async () => {
  await server?.close();
  await outside?.[Symbol.asyncDispose]();
});

/** A server that would start if anything let it. */
const serverFile = async () => readFile(join(fixtureFolder('exits-at-once'), 'server.js'), 'utf8');

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** A repository whose last tree `change` may spoil; resolves with its address over HTTP. */
async function serve(
  name: string,
  files: Readonly<Record<string, string>>,
  change: (work: string) => Promise<unknown> = async () => {},
): Promise<string> {
  const work = await writeFiles(join(outside.root, 'work', name), files);
  await git(work, 'init', '--quiet', '--initial-branch=main');
  await git(work, 'add', '--all', '--force');
  await change(work);
  if ((await git(work, 'log', '--all', '--oneline').catch(() => '')) === '') {
    await git(work, 'commit', '--quiet', '--allow-empty', '--message', name);
  }
  await git(outside.root, 'clone', '--quiet', '--bare', work, join(outside.root, 'served', `${name}.git`));
  return `${server.url}/${name}.git`;
}

/** Commits a tree that no git would make of files; `entries` are lines of `git mktree`. */
async function commitTree(work: string, entries: readonly string[]): Promise<void> {
  const tree = await mktree(work, entries);
  const commit = await git(work, 'commit-tree', tree, '-m', 'hostile');
  await git(work, 'update-ref', 'refs/heads/main', commit);
}

async function mktree(work: string, entries: readonly string[]): Promise<string> {
  const list = join(work, '.git', 'entries');
  await writeFile(list, `${entries.join('\n')}\n`);
  return git(work, '-c', `alias.make=!git mktree --missing < '${list}'`, 'make');
}

async function blob(work: string, text: string): Promise<string> {
  await writeFile(join(work, '.git', 'blob'), text);
  return git(work, 'hash-object', '-w', '--no-filters', join(work, '.git', 'blob'));
}

async function expectRefused(result: CliResult, home: TestHome, code: string | RegExp): Promise<void> {
  expect(existsSync(canary), 'something ran').toBe(false);
  const error = errorOf(result);
  if (typeof code === 'string') expect(error.code, result.stderr).toBe(code);
  else expect(error.code, result.stderr).toMatch(code);
  expect(result.stdout).toBe('');
  expect(error.hint).toMatch(/\w/);
  await expectNothingLeft(home);
  expect(await environmentsOf(home)).toEqual([]);
  if (/^(CLONE|CONFIG)_/.test(error.code)) expect(await checkoutsOf(home)).toEqual([]);
}

const tools = (home: TestHome, ...args: readonly string[]) => runCli(home, ['tools', ...args, '--json']);

test('a command of the user’s own runs, and the canary tells', async () => {
  await using home = await createHome();
  await tools(home, '--', join(outside.root, 'evil.sh'));
  expect(existsSync(canary)).toBe(true);
  await rm(canary);
});

describe('addresses', () => {
  const touch = () => `touch ${canary}`;
  const ssh = () => `ssh://-oProxyCommand=touch%20${canary}/o/n`;

  test.each<[string, () => readonly string[], string]>([
    ['ext::', () => [`ext::sh -c touch% ${canary}`], 'CONFIG_SOURCE'],
    ['ext:: without blanks', () => [`ext::${join(outside.root, 'evil.sh')}`], 'CONFIG_SOURCE'],
    ['fd::', () => ['fd::7'], 'CONFIG_SOURCE'],
    ['an option for a host', () => [ssh()], 'CONFIG_SOURCE'],
    ['an option for a host, by its short form', () => [`git@-oProxyCommand=${touch()}:o/n.git`], 'CONFIG_SOURCE'],
    ['an option for a user', () => ['ssh://-Fx@example.invalid/o/n.git'], 'CONFIG_SOURCE'],
    ['an option for a source', () => [`--upload-pack=${touch()}`], 'CONFIG_INVALID'],
    ['an option in a line of git', () => [`git clone --upload-pack='${touch()}' o/n`], 'CONFIG_SOURCE'],
    [
      'settings in a line of git',
      () => [`git clone -c core.sshCommand='${touch()}' git@x.invalid:o/n`],
      'CONFIG_SOURCE',
    ],
    ['an option for a ref', () => ['o/n', `--ref=--upload-pack=${touch()}`], 'CONFIG_SOURCE'],
    ['an option for a ref in the source', () => ['o/n#--upload-pack=x'], 'CONFIG_SOURCE'],
    ['a subfolder above', () => ['o/n', '--subdir', '../../..'], 'CONFIG_SOURCE'],
    ['an option for a package', () => ['npm:--registry=http://example.invalid'], 'CONFIG_SOURCE'],
    ['a file for a version', () => ['npm:x@file:../../evil'], 'CONFIG_SOURCE'],
    ['an option for a version', () => ['pypi:x', '--ref=--index-url=http://example.invalid'], 'CONFIG_SOURCE'],
    ['a shell line', () => [`npx -y x; ${touch()}`], 'CONFIG_SOURCE'],
  ])('%s: refused', async (_, args, code) => {
    await using home = await createHome();
    await expectRefused(await tools(home, ...args()), home, code);
  });

  test('an option for a subfolder is a folder that is not there', async () => {
    const url = await serve('option-subdir', { 'README.md': '' });
    await using home = await createHome();
    const result = await tools(home, url, `--subdir=--upload-pack=touch ${canary}`);
    await expectRefused(result, home, 'CLONE_SUBDIR_NOT_FOUND');
  });
});

describe('repositories', () => {
  const plain = async () => ({ 'package.json': '{"name":"x","bin":"vendor/server.js"}' });

  test.each<[string, (name: string) => string]>([
    ['ext:: as its address', (name) => `[submodule "${name}"]\n\tpath = vendor\n\turl = ext::sh -c touch% CANARY\n`],
    ['a file:// address', (name) => `[submodule "${name}"]\n\tpath = vendor\n\turl = file://OUTSIDE\n`],
    ['a path as its address', (name) => `[submodule "${name}"]\n\tpath = vendor\n\turl = OUTSIDE\n`],
    ['an address that climbs', (name) => `[submodule "${name}"]\n\tpath = vendor\n\turl = ../../../../..\n`],
    ['an option as its address', (name) => `[submodule "${name}"]\n\tpath = vendor\n\turl = --upload-pack=touch\n`],
    ['an option as its path', () => '[submodule "x"]\n\tpath = -vendor\n\turl = https://example.invalid/x\n'],
    ['a name that climbs', () => '[submodule "../../hooks"]\n\tpath = vendor\n\turl = https://example.invalid/x\n'],
    [
      'a command to update it',
      (name) => `[submodule "${name}"]\n\tpath = vendor\n\turl = https://example.invalid/x\n\tupdate = !touch CANARY\n`,
    ],
    ['a path that climbs', () => '[submodule "x"]\n\tpath = ../../vendor\n\turl = https://example.invalid/x\n'],
  ])('with a submodule with %s: left empty, and said', async (what, modules) => {
    const name = `submodule-${what.replace(/\W+/g, '-')}`;
    const text = modules('vendor').replaceAll('CANARY', canary).replaceAll('OUTSIDE', join(outside.root, 'work'));
    const url = await serve(name, { ...(await plain()), '.gitmodules': text }, async (work) => {
      await git(work, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},vendor`);
    });
    await using home = await createHome();
    const result = await tools(home, url);
    expect(existsSync(canary)).toBe(false);
    expect(errorOf(result).code).toBe('INSTALL_ENTRY_MISSING');
    if (/path = vendor/.test(text)) expect(errorOf(result).hint + errorOf(result).message).toMatch(/submodule/);
    await expectNothingLeft(home);
    expect(await environmentsOf(home)).toEqual([]);
  });

  test('that is its own submodule ends', async () => {
    const name = 'own-submodule';
    const modules = `[submodule "self"]\n\tpath = self\n\turl = ${server.url}/${name}.git\n`;
    const url = await serve(name, { 'package.json': '{"name":"x"}', '.gitmodules': modules }, async (work) => {
      await git(work, 'commit', '--quiet', '--message', 'first');
      const first = await git(work, 'rev-parse', 'HEAD');
      await git(work, 'update-index', '--add', '--cacheinfo', `160000,${first},self`);
      await git(work, 'commit', '--quiet', '--message', 'second');
    });
    await using home = await createHome();
    await expectRefused(await tools(home, url), home, 'DETECT_NOT_A_SERVER');
  });

  test.each<[string, string]>([
    ['.git', '.git'],
    ['.GIT', '.GIT'],
    ['a .git of Windows', 'git~1'],
    ['a .git of macOS', '.g\u200cit'],
    ['..', '..'],
  ])('with a folder named %s in its tree: refused', async (what, folder) => {
    const url = await serve(`dotgit-${what.replace(/\W+/g, '-')}${folder.length}`, {}, async (work) => {
      const script = await blob(work, `#!/bin/sh\ntouch ${canary}\n`);
      const hooks = await mktree(work, [`100755 blob ${script}\tpost-checkout`]);
      const inner = await mktree(work, [`040000 tree ${hooks}\thooks`]);
      await commitTree(work, [`040000 tree ${inner}\t${folder}`]);
    });
    for (const env of [{}, { PATH: await pathWithoutGit(outside.root) }]) {
      await using home = await createHome(env);
      await expectRefused(await tools(home, url), home, 'CLONE_UNSAFE_TREE');
    }
  });

  test('with hooks, a file system monitor and filters in the settings of its own folder: none of them runs', async () => {
    const work = await writeFiles(join(outside.root, 'work', 'settings'), {
      'package.json': '{"name":"x"}',
      '.gitattributes': '* filter=evil diff=evil\n',
    });
    await git(work, 'init', '--quiet', '--initial-branch=main');
    await git(work, 'add', '--all');
    await git(work, 'commit', '--quiet', '--message', 'x');
    const evil = join(outside.root, 'evil.sh');
    for (const key of [
      'core.fsmonitor',
      'core.hooksPath',
      'uploadpack.packObjectsHook',
      'core.sshCommand',
      'filter.evil.smudge',
      'filter.evil.process',
      'diff.external',
      'core.pager',
      'core.alternateRefsCommand',
      'credential.helper',
    ]) {
      await git(work, 'config', key, evil);
    }
    for (const hook of ['post-checkout', 'pre-auto-gc', 'reference-transaction', 'post-index-change']) {
      await writeFile(join(work, '.git', 'hooks', hook), `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
    }
    for (const source of [work, pathToFileURL(work).href]) {
      await using home = await createHome();
      await expectRefused(await tools(home, source), home, 'DETECT_NOT_A_SERVER');
    }
  });

  test('whose user has hooks and templates: they are not for strangers', async () => {
    const url = await serve('users-hooks', { 'package.json': '{"name":"x"}' });
    await using home = await createHome();
    const user = await writeFiles(join(home.root, 'user'), {
      '.gitconfig': `[core]\n\thooksPath = ${join(home.root, 'user', 'hooks')}\n[init]\n\ttemplateDir = ${join(home.root, 'user')}\n`,
    });
    await mkdir(join(user, 'hooks'));
    await writeFile(join(user, 'hooks', 'post-checkout'), `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
    const result = await runCli(home, ['tools', url, '--json'], { env: { HOME: user } });
    await expectRefused(result, home, 'DETECT_NOT_A_SERVER');
  });

  test('with links out of its tree: they are not followed', async () => {
    const url = await serve(
      'links',
      { 'package.json': '{"name":"x","bin":"server.js","scripts":{"start":"node lib/evil.js"}}' },
      async (work) => {
        await symlink(join(outside.root, 'evil.js'), join(work, 'server.js'));
        await symlink(outside.root, join(work, 'lib'));
        await symlink('../../../..', join(work, 'up'));
        await git(work, 'add', '--all');
      },
    );
    await using home = await createHome();
    await expectRefused(await tools(home, url), home, /^(INSTALL_ENTRY_MISSING|DETECT_NOT_A_SERVER)$/);
  });

  test('whose manifest is a link to a file of this machine: it is not read', async () => {
    await writeFile(join(outside.root, 'secret.json'), '{"name":"s3cr3t","bin":"s3cr3t.js"}');
    const url = await serve('linked-manifest', {}, async (work) => {
      await symlink(join(outside.root, 'secret.json'), join(work, 'package.json'));
      await git(work, 'add', '--all');
    });
    await using home = await createHome();
    const result = await tools(home, url);
    await expectRefused(result, home, 'DETECT_NOT_A_SERVER');
    expect(result.stderr).not.toContain('s3cr3t');
  });

  test.each(['files', 'folders'])(
    'that stand for ten thousand million %s: refused before one is written',
    async (what) => {
      const url = await serve(`bomb-${what}`, {}, async (work) => {
        const empty = await git(work, 'hash-object', '-w', '-t', 'tree', '/dev/null');
        const text = await blob(work, 'x');
        const line = what === 'files' ? `100644 blob ${text}\tf` : `040000 tree ${empty}\tf`;
        let entries = Array.from({ length: 10 }, (_, at) => line + at);
        for (let level = 0; level < 9; level += 1) {
          const tree = await mktree(work, entries);
          entries = Array.from({ length: 10 }, (_, at) => `040000 tree ${tree}\td${at}`);
        }
        await commitTree(work, entries);
      });
      for (const env of [{}, { PATH: await pathWithoutGit(outside.root) }]) {
        await using home = await createHome(env);
        await expectRefused(await tools(home, url), home, 'CLONE_TOO_LARGE');
      }
    },
  );
});

describe('folders', () => {
  const folder = (name: string, files: Readonly<Record<string, string>>) =>
    writeFiles(join(outside.root, 'folders', name), files);

  test('with a package.json of 100 MB: refused by name', async () => {
    const path = await folder('large-manifest', { 'package.json': '{}', 'server.js': await serverFile() });
    await truncate(join(path, 'package.json'), 100 * 1024 * 1024);
    await using home = await createHome();
    const result = await tools(home, path);
    await expectRefused(result, home, 'DETECT_BAD_MANIFEST');
    expect(errorOf(result).message).toMatch(/package\.json.*too large/);
  });

  const yaml: Readonly<Record<string, string>> = {
    'a program above': "command: ../../bin/sh -c 'touch CANARY'",
    'a program above, as a list': 'command: [../../../../../../../../bin/sh, -c, touch CANARY]',
    'a program of this machine': 'command: [/bin/sh, -c, touch CANARY]',
    'a script above': 'command: node ../../evil.js',
    'a script of this machine': 'command: node OUTSIDE/evil.js',
    'a script of this machine behind an option': 'command: sh -e OUTSIDE/evil.sh',
    'an entry above': 'entry: ../../evil.js',
    'an entry of this machine': 'entry: OUTSIDE/evil.js',
    'a working folder above': 'command: node server.js\ncwd: ../..',
    'a working folder of this machine': 'command: node server.js\ncwd: OUTSIDE',
    'an install step above': 'command: node server.js\ninstall: ../../evil.sh',
    'an install step of this machine': 'command: node server.js\ninstall: OUTSIDE/evil.sh',
    'a build step of this machine': 'command: node server.js\nbuild: [[OUTSIDE/evil.sh]]',
    'a shell line': 'command: node server.js && touch CANARY',
    'a substitution': 'command: node $(touch CANARY)',
    'aliases that multiply': `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[at]}`).join(',')}]`)
      .join('\n')}\ncommand: *i\n`,
  };

  test.each(Object.entries(yaml))('whose manifest names %s: refused', async (what, text) => {
    const path = await folder(`yaml-${what.replace(/\W+/g, '-')}`, {
      'mcp-supervisor.yaml': `${text.replaceAll('CANARY', canary).replaceAll('OUTSIDE', outside.root)}\n`,
      'server.js': await serverFile(),
    });
    await using home = await createHome();
    await expectRefused(await tools(home, path), home, 'DETECT_BAD_MANIFEST');
  });

  const packages: Readonly<Record<string, object>> = {
    'a bin above': { bin: '../../evil.js' },
    'a bin of this machine': { bin: 'OUTSIDE/evil.js' },
    'a main above': { main: '../../evil.js', dependencies: {} },
    'a start script above': { scripts: { start: 'node ../../evil.js' } },
    'a start script of this machine': { scripts: { start: 'node OUTSIDE/evil.js' } },
    'members above': { workspaces: ['../..'], bin: '../../evil.js' },
  };

  test.each(Object.entries(packages))('whose package.json names %s: refused', async (what, manifest) => {
    const text = JSON.stringify({ name: 'x', ...manifest }).replaceAll('OUTSIDE', outside.root);
    const path = await folder(`package-${what.replace(/\W+/g, '-')}`, { 'package.json': text });
    await using home = await createHome();
    await expectRefused(
      await tools(home, path),
      home,
      /^(DETECT_(BAD_MANIFEST|NOT_A_SERVER|UNSUPPORTED)|INSTALL_ENTRY_MISSING)$/,
    );
  });

  test('whose bundle manifest names a program outside: refused', async () => {
    const server = {
      type: 'node',
      entry_point: 'server.js',
      mcp_config: { command: 'node', args: [`${'$'}{__dirname}/../../evil.js`] },
    };
    const path = await folder('bundle', {
      'manifest.json': JSON.stringify({ manifest_version: '0.3', name: 'x', version: '1', server }),
      'server.js': await serverFile(),
    });
    await using home = await createHome();
    await expectRefused(await tools(home, path), home, /^DETECT_/);
  });
});

describe('archives', () => {
  const cases: Readonly<Record<string, readonly [readonly Packed[], string]>> = {
    'an entry above': [[{ path: '../../../canary', text: '' }], 'CLONE_UNSAFE_ARCHIVE'],
    'an absolute entry': [[{ path: 'CANARY', text: '' }], 'CLONE_UNSAFE_ARCHIVE'],
    'a link out, and a file through it': [
      [
        { path: 'out', link: 'OUTSIDE' },
        { path: 'out/canary', text: '' },
      ],
      'CLONE_UNSAFE_ARCHIVE',
    ],
    'zeros without end': [[{ path: 'zeros', text: Buffer.alloc(128 * 1024 * 1024) }], 'CLONE_TOO_LARGE'],
  };

  test.each(
    Object.entries(cases).flatMap(([what, [entries, code]]) => [
      [what, 'zip', entries, code] as const,
      [what, 'tar.gz', entries, code] as const,
    ]),
  )('with %s (%s): refused', async (_, ending, entries, code) => {
    const real = entries.map((entry) => ({
      ...entry,
      path: entry.path.replace('CANARY', canary),
      ...(entry.link === undefined ? {} : { link: entry.link.replace('OUTSIDE', outside.root) }),
    }));
    const file = join(outside.root, `x.${ending}`);
    await writeFile(file, ending === 'zip' ? zip(real) : tar(real, { gzip: true }));
    await using home = await createHome();
    await expectRefused(await tools(home, file), home, code);
  });
});

describe('what a checkout lacks', () => {
  test('a program that is only a pointer into Git LFS is named as the likely reason', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`;
    const url = await serve('pointer', {
      'package.json': '{"name":"x","bin":"server.js"}',
      '.gitattributes': 'server.js filter=lfs diff=lfs merge=lfs -text\n',
      'server.js': pointer,
    });
    await using home = await createHome();
    const error = errorOf(await tools(home, url));
    expect(error.code).toBe('LAUNCH_EXITED');
    expect(error.hint).toMatch(/server\.js is only a pointer into Git LFS.*git-lfs/);
    await expectNothingLeft(home);
  });
});
