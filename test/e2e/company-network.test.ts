/** From URL to answer on a company's network, and then without any: every host is known to the proxy alone, which counts. */

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SupervisorOptions } from '../../src/index.ts';
import { createSupervisor } from '../../src/index.ts';
import { planSource } from '../../src/plan-source.ts';
import { errorOf, runCli } from '../support/cli.ts';
import { createFixtureRepos, type FixtureRepos, fixtureFolder } from '../support/fixture-repos.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { type ProxyServer, startProxy } from '../support/proxy.ts';
import { type RegistryMirror, startRegistryMirror, WORDS } from '../support/registry-mirror.ts';

const auth = { username: 'me', password: 's3cret-of-the-proxy' };

let repos: FixtureRepos;
let git: GitServer;
let mirror: RegistryMirror;
let proxy: ProxyServer;
let home: TestHome;
let source: string;

beforeEach(async () => {
  repos = await createFixtureRepos();
  await repos.add('company-words');
  git = await startGitServer({ root: repos.root });
  mirror = await startRegistryMirror({ host: 'packages.corp.test', npm: { 'corp-server': await serverPackage() } });
  proxy = await startProxy({ auth });
  home = await createHome();
  source = `${git.url.replace('127.0.0.1', 'git.corp.test')}/company-words.git`;
  const user = join(home.root, 'user');
  await mkdir(user);
  const { port, url } = mirror;
  await writeFile(
    join(user, '.npmrc'),
    `registry=${url}/npm/\n//packages.corp.test:${port}/npm/:_authToken=\${CORP_NPM_TOKEN}\n`,
  );
});
afterEach(async () => {
  await Promise.all([git.close(), mirror.close(), proxy.close()]);
  await expectNothingLeft(home).finally(() => home[Symbol.asyncDispose]());
  await repos[Symbol.asyncDispose]();
});

/** The fixture as a package of the company. */
async function serverPackage() {
  const server = await readFile(join(fixtureFolder('company-words'), 'server.js'), 'utf8');
  const manifest = { bin: 'server.js', dependencies: { 'corp-words': '1.0.0' }, keywords: ['mcp'] };
  return { version: '1.0.0', manifest, files: { 'server.js': `#!/usr/bin/env node\n${server}` } };
}

const optionsOf = (more: SupervisorOptions = {}): SupervisorOptions => ({
  home: home.path,
  env: {
    PATH: process.env.PATH,
    HOME: join(home.root, 'user'),
    TMPDIR: home.tmp,
    HTTP_PROXY: proxy.url,
    CORP_NPM_TOKEN: mirror.token,
  },
  plugins: { words: source },
  ...more,
});

/** Calls `tool` with a supervisor of its own, and says what was said on the way. */
async function ask(tool: string, more: SupervisorOptions = {}) {
  const said: string[] = [];
  const log = (fields: object, message: string) => void said.push(`${message} ${JSON.stringify(fields)}`);
  const logger = { debug: log, info: log, warn: log, error: log };
  const supervisor = createSupervisor(optionsOf({ logger, ...more }));
  try {
    const result = await supervisor.call('words', { tool }).then(
      ({ content }) => content?.[0]?.text ?? '',
      (error: unknown) => error,
    );
    return { result, said: said.join('\n') };
  } finally {
    await supervisor.close();
  }
}

test('a plugin comes by the proxy and from the registry that wants a token, and goes on without either', async () => {
  const online = await ask('words');
  expect(online.result).toBe(WORDS);
  expect(proxy.log.join('\n')).toMatch(/git\.corp\.test[\s\S]*packages\.corp\.test/);
  for (const secret of [mirror.token, auth.password]) expect(online.said).not.toContain(secret);

  const environment = JSON.parse(String((await ask('env')).result));
  expect(environment).toEqual({
    HTTP_PROXY: proxy.url,
    http_proxy: proxy.url,
    NO_PROXY: 'localhost,127.0.0.1,::1',
    no_proxy: 'localhost,127.0.0.1,::1',
  });

  await Promise.all([git.close(), mirror.close()]);
  const requests = proxy.log.length + proxy.refused();
  expect((await ask('words', { offline: true })).result).toBe(WORDS);
  // Another plugin of the same source needs no checkout of its own.
  expect((await planSource(source, optionsOf({ offline: true, plugins: {} }))).plan.runtime).toBe('node');

  // What is not installed comes from the caches of the package manager; without those it is said what is missing.
  await rm(join(home.path, 'envs'), { recursive: true });
  expect((await ask('words', { offline: true })).result).toBe(WORDS);
  await rm(join(home.path, 'envs'), { recursive: true });
  await rm(join(home.root, 'user', '.npm'), { recursive: true });
  expect((await ask('words', { offline: true })).result).toMatchObject({
    code: 'INSTALL_OFFLINE',
    retryable: false,
    message: expect.stringMatching(/^Offline, .*npm/),
    data: expect.objectContaining({ missing: 'environment' }),
  });
  expect(proxy.log.length + proxy.refused()).toBe(requests);
});

test('offline, an empty home says what it lacks, and nothing is tried', async () => {
  const sources = { git: source, archive: 'http://files.corp.test/x.zip', package: 'npm:corp-words@1.0.0' };
  for (const each of Object.values(sources)) {
    const { result } = await ask('words', { offline: true, plugins: { words: each } });
    expect(result).toMatchObject({
      code: 'CLONE_OFFLINE',
      retryable: false,
      message: expect.stringContaining(each),
      data: expect.objectContaining({ missing: 'checkout' }),
    });
  }
  await expect(planSource(source, optionsOf({ offline: true, plugins: {} }))).rejects.toMatchObject({
    code: 'CLONE_OFFLINE',
  });
  expect(proxy.log.length + proxy.refused() + git.log.length).toBe(0);
});

test('offline, a runtime that would have to be fetched is named', async () => {
  const folder = join(home.root, 'needs-pnpm');
  await mkdir(folder);
  await writeFile(
    join(folder, 'package.json'),
    '{"name":"x","version":"1.0.0","bin":"x.js","dependencies":{"@modelcontextprotocol/sdk":"1"}}',
  );
  await writeFile(join(folder, 'pnpm-lock.yaml'), "lockfileVersion: '9.0'\n");
  await writeFile(join(folder, 'x.js'), '');
  const options = optionsOf({ offline: true, plugins: { words: folder } });
  const { result } = await ask('words', { ...options, env: { ...options.env, PATH: '/usr/bin:/bin' } });
  expect(result).toMatchObject({
    code: 'INSTALL_OFFLINE',
    message: expect.stringContaining('pnpm'),
    data: expect.objectContaining({ missing: 'runtime', tool: 'pnpm' }),
  });
  expect(proxy.log.length + proxy.refused()).toBe(0);
});

test('a package comes from the company’s registry, and stays when that is gone', async () => {
  const plugins = { words: 'npm:corp-server@1.0.0' };
  expect((await ask('words', { plugins })).result).toBe(WORDS);
  await mirror.close();
  expect((await ask('words', { plugins, offline: true })).result).toBe(WORDS);
});

test('an HTTP plugin is never asked by the proxy', async () => {
  // Our own process has one, too.
  vi.stubEnv('HTTP_PROXY', proxy.url).stubEnv('http_proxy', proxy.url).stubEnv('NODE_USE_ENV_PROXY', '1');
  const supervisor = createSupervisor(optionsOf({ plugins: { plain: fixtureFolder('node-plain-http') } }));
  try {
    expect(await supervisor.call('plain', { hello: 1 })).toBeDefined();
    expect(proxy.log.length + proxy.refused()).toBe(0);
  } finally {
    await supervisor.close();
    vi.unstubAllEnvs();
  }
});

test('the command line has --offline, too', async () => {
  const result = await runCli(home, ['tools', source, '--offline', '--json'], { env: { HTTP_PROXY: proxy.url } });
  expect(result.exitCode).toBe(2);
  expect(errorOf(result)).toMatchObject({ code: 'CLONE_OFFLINE', hint: expect.stringContaining('--offline') });
  expect(proxy.log.length + proxy.refused()).toBe(0);
});
