import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { netrcLogin } from '../../actors/clone/netrc.ts';
import { gitTrustEnv, trustEnv } from '../../actors/env/certificates.ts';
import { jobNetworkEnv, pluginNetworkEnv } from '../../actors/env/network.ts';
import { pluginProxyEnv, proxyEnv } from '../../actors/env/proxy.ts';
import { uvEnv } from '../../actors/env/uv-settings.ts';
import { yarnEnv } from '../../actors/env/yarn-settings.ts';
import { jobEnv, pluginEnv } from '../../actors/env.ts';
import { createStore } from '../../actors/store/create-store.ts';
import { createSecrets } from '../../src/credential.ts';
import { makeCertificates } from '../support/certificates.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { plan } from './process-harness.ts';

let home: TestHome;
let HOME: string;

beforeEach(async () => {
  home = await createHome();
  HOME = join(home.root, 'user');
});
afterEach(() => home[Symbol.asyncDispose]());

/** A file below the user's home; its path. */
async function has(path: string, text: string): Promise<string> {
  const file = join(HOME, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

/** A user whose pip settings are their own alone: this machine's, and its certificates, stay out. */
const pip = (env: Readonly<Record<string, string>> = {}) => uvEnv({ HOME, XDG_CONFIG_DIRS: '/nowhere', ...env });

describe('the proxy variables', () => {
  it('are there in both cases, as the caller has them in one', () => {
    expect(proxyEnv({ HTTP_PROXY: 'a', https_proxy: 'b', NO_PROXY: '' })).toEqual({
      http_proxy: 'a',
      HTTPS_PROXY: 'b',
      no_proxy: '',
    });
  });

  it('stay as they are where the caller has both', () => {
    expect(proxyEnv({ HTTP_PROXY: 'a', http_proxy: 'b' })).toEqual({});
  });

  it('let a plugin reach the loopback, unless the user says what goes past the proxy', () => {
    expect(pluginProxyEnv({ HTTPS_PROXY: 'a' })).toMatchObject({ NO_PROXY: expect.stringContaining('127.0.0.1') });
    expect(pluginProxyEnv({ HTTPS_PROXY: 'a', no_proxy: '.corp' })).toEqual({ https_proxy: 'a', NO_PROXY: '.corp' });
    expect(pluginProxyEnv({ HTTPS_PROXY: 'a', NO_PROXY: '' })).toEqual({ https_proxy: 'a', no_proxy: '' });
    expect(pluginProxyEnv({})).toEqual({});
  });

  it('reach an installer without exceptions of ours', () => {
    const env = jobEnv({ callerEnv: { HTTP_PROXY: 'a' } }, { path: [], programs: {} });
    expect(env).toMatchObject({ HTTP_PROXY: 'a', http_proxy: 'a' });
    expect(env).not.toHaveProperty('NO_PROXY');
  });

  it('reach a plugin by the minimal policy, and nothing is added to what one inherits', async () => {
    const callerEnv = { HTTP_PROXY: 'http://a', HOME };
    const network = await pluginNetworkEnv({ callerEnv, store: createStore({ home: home.path }) });
    const envOf = (envPolicy: 'minimal' | 'inherit', env = {}) =>
      pluginEnv(
        { callerEnv },
        {
          plugin: 'p',
          spec: { env: createSecrets(env), envPolicy },
          environment: { plan, path: [] },
          network,
          extra: {},
        },
      );
    expect(envOf('minimal')).toMatchObject({
      HTTP_PROXY: 'http://a',
      http_proxy: 'http://a',
      no_proxy: expect.stringContaining('localhost'),
    });
    expect(envOf('minimal', { NO_PROXY: 'mine' }).NO_PROXY).toBe('mine');
    expect(envOf('inherit')).toEqual({ ...callerEnv, PATH: '' });
  });
});

describe('the settings of pip, for uv', () => {
  it('are those of the user’s file over the system’s, of a command over all, and of variables over files', async () => {
    const xdg = dirname(dirname(await has('etc/pip/pip.conf', '[global]\nindex-url = http://system\ntimeout = 7\n')));
    await has('.config/pip/pip.conf', '[global]\nindex-url = http://global\n\n[install]\nindex-url = http://install\n');
    expect(await pip({ XDG_CONFIG_DIRS: xdg })).toMatchObject({ UV_INDEX_URL: 'http://install', UV_HTTP_TIMEOUT: '7' });
    expect(await pip({ PIP_INDEX_URL: 'http://variable' })).toMatchObject({ UV_INDEX_URL: 'http://variable' });
    const own = await has('own.conf', '[global]\nindex_url: http://own\n');
    expect(await pip({ PIP_CONFIG_FILE: own })).toMatchObject({ UV_INDEX_URL: 'http://install' });
    const command = await has('own.conf', '[install]\nindex_url: http://own\n');
    expect(await pip({ PIP_CONFIG_FILE: command })).toMatchObject({ UV_INDEX_URL: 'http://own' });
    expect(await pip({ PIP_CONFIG_FILE: '/dev/null' })).toEqual({});
  });

  it('are translated one by one', async () => {
    await mkdir(join(HOME, 'wheels'), { recursive: true });
    await has(
      '.config/pip/pip.conf',
      `[global]
# a comment
extra-index-url =
    http://one/simple
    http://two/simple
trusted-host = one two:8080
find-links =
    ${HOME}/wheels
    /not/there
no-index = true
keyring-provider = subprocess
client-cert = /me.pem
proxy = user:secret@proxy.corp:3128
`,
    );
    const proxy = 'http://user:secret@proxy.corp:3128';
    expect(await pip()).toEqual({
      UV_EXTRA_INDEX_URL: 'http://one/simple http://two/simple',
      UV_INDEX_STRATEGY: 'unsafe-first-match',
      UV_INSECURE_HOST: 'one two:8080',
      UV_FIND_LINKS: `${HOME}/wheels`,
      UV_NO_INDEX: '1',
      UV_KEYRING_PROVIDER: 'subprocess',
      SSL_CLIENT_CERT: '/me.pem',
      HTTP_PROXY: proxy,
      http_proxy: proxy,
      HTTPS_PROXY: proxy,
      https_proxy: proxy,
    });
    expect(await pip({ https_proxy: 'http://other' })).not.toHaveProperty('HTTP_PROXY');
  });

  it('give way to what the user told uv', async () => {
    await has('.config/pip/pip.conf', '[global]\nindex-url = http://pip\ntrusted-host = pip\n');
    const others = { UV_INSECURE_HOST: 'pip' };
    expect(await pip({ UV_DEFAULT_INDEX: 'http://uv' })).toEqual(others);
    expect(await pip({ UV_INDEX_URL: 'http://uv', UV_INSECURE_HOST: 'uv' })).toEqual({});
    await has('.config/uv/uv.toml', 'native-tls = true\n');
    expect(await pip()).toMatchObject({ UV_INDEX_URL: 'http://pip' });
    await has('.config/uv/uv.toml', '[[index]]\nurl = "http://uv"\n');
    expect(await pip()).toEqual(others);
    await has('.config/uv/uv.toml', '[pip]\nindex-url = "http://uv"\n');
    expect(await pip()).toEqual(others);
  });
});

describe('the settings of npm, for Yarn', () => {
  const npmrc = `registry = http://npm.corp/all/\n; a comment\n//npm.corp/all/:_authToken = \${CORP_TOKEN}\n//other/:_authToken=no\n`;

  it('are its registry, its token and the proxies', async () => {
    await has('.npmrc', npmrc);
    expect(await yarnEnv({ HOME, CORP_TOKEN: 'secret', HTTPS_PROXY: 'http://p' })).toEqual({
      YARN_NPM_REGISTRY_SERVER: 'http://npm.corp/all/',
      YARN_NPM_AUTH_TOKEN: 'secret',
      YARN_NPM_ALWAYS_AUTH: 'true',
      YARN_UNSAFE_HTTP_WHITELIST: 'npm.corp',
      YARN_HTTPS_PROXY: 'http://p',
    });
  });

  it('are no proxies where the registry goes past them', async () => {
    await has('.npmrc', npmrc);
    const env = await yarnEnv({ HOME, HTTP_PROXY: 'http://p', NO_PROXY: 'localhost,.corp' });
    expect(env).not.toHaveProperty('YARN_HTTP_PROXY');
  });

  it('give way to the user’s own settings of Yarn', async () => {
    await has('.npmrc', npmrc);
    expect(await yarnEnv({ HOME, YARN_NPM_REGISTRY_SERVER: 'http://yarn' })).not.toHaveProperty(
      'YARN_NPM_REGISTRY_SERVER',
    );
    await has('.yarnrc.yml', 'npmRegistryServer: "http://yarn"\n');
    expect(await yarnEnv({ HOME, HTTP_PROXY: 'http://p' })).toEqual({});
  });
});

describe('the certificates of a company', () => {
  const trust = (callerEnv: Readonly<Record<string, string>>, isJob = true) =>
    trustEnv(
      { callerEnv: { HOME, PIP_CONFIG_FILE: '/dev/null', ...callerEnv }, store: createStore({ home: home.path }) },
      { isJob },
    );
  const made = async (skip: (note: string) => never) =>
    (await makeCertificates(join(home.root, 'certificates'))) ?? skip('openssl is not installed');

  it('named once are in the variables of all, beside what is trusted anyway', async ({ skip }) => {
    const { ca } = await made(skip);
    const env = await trust({ NODE_EXTRA_CA_CERTS: ca });
    expect(env).toEqual({ DENO_CERT: ca, SSL_CERT_FILE: expect.any(String), REQUESTS_CA_BUNDLE: env.SSL_CERT_FILE });
    const bundle = env.SSL_CERT_FILE ?? '';
    expect((await stat(bundle)).mode & 0o077).toBe(0);
    const all =
      (await readFile(bundle, 'utf8')).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    expect(all.length).toBeGreaterThan(100);
    const own = new X509Certificate(await readFile(ca)).fingerprint256;
    expect(all.map((each) => new X509Certificate(each).fingerprint256)).toContain(own);
    expect(await trust({ NODE_EXTRA_CA_CERTS: ca })).toEqual(env);
  });

  it('go to Node as they are', async ({ skip }) => {
    const { ca } = await made(skip);
    expect(await trust({ SSL_CERT_FILE: ca })).toMatchObject({ NODE_EXTRA_CA_CERTS: ca });
  });

  it('change nothing that the user has set', async ({ skip }) => {
    const { ca } = await made(skip);
    const all = { NODE_EXTRA_CA_CERTS: ca, SSL_CERT_FILE: '/own', REQUESTS_CA_BUNDLE: '', DENO_CERT: '/deno' };
    expect(await trust(all)).toEqual({});
    const store = createStore({ home: home.path });
    expect(await gitTrustEnv({ callerEnv: { ...all, GIT_SSL_CAINFO: '/git' }, store })).toEqual({});
  });

  it('that pip alone was told of are for jobs', async ({ skip }) => {
    const { ca } = await made(skip);
    expect(await trust({ PIP_CERT: ca })).toHaveProperty('SSL_CERT_FILE');
    expect(await trust({ PIP_CERT: ca }, false)).toEqual({});
  });

  it('that nobody named, or that are not there, are none', async () => {
    expect(await trust({})).toEqual({});
    expect(await trust({ NODE_EXTRA_CA_CERTS: '/not/there' })).toEqual({});
  });
});

describe('offline', () => {
  it('keeps installers from the network whatever the user’s proxy is, and a plugin’s package managers', async () => {
    const context = {
      callerEnv: { HOME, HTTP_PROXY: 'http://p', GOPROXY: 'http://g' },
      store: createStore({ home: home.path }),
      offline: true,
    };
    const env = jobEnv(context, { path: [], programs: {} }, await jobNetworkEnv(context));
    expect(env).toMatchObject({
      NPM_CONFIG_OFFLINE: 'true',
      UV_OFFLINE: '1',
      GOPROXY: 'off',
      CARGO_NET_OFFLINE: 'true',
    });
    expect(
      Object.entries(env)
        .filter(([name]) => /proxy$/i.test(name))
        .map(([, value]) => value),
    ).not.toContain('http://p');
    const plugin = await pluginNetworkEnv(context);
    expect(plugin).toMatchObject({ NPM_CONFIG_OFFLINE: 'true', http_proxy: 'http://p' });
  });
});

describe('a netrc', () => {
  const login = (host: string, env = {}) => netrcLogin({ HOME, ...env }, host);

  it('has logins by host, and one for all others', async () => {
    await has(
      '.netrc',
      'machine a.corp login me password "two words"\n# machine c.corp login no password no\nmacdef init\nmachine b.corp login no password no\n\nmachine b.corp\n\tlogin you\n\tpassword p#1\ndefault login any password one\n',
    );
    expect(await login('a.corp')).toEqual({ username: 'me', password: 'two words' });
    expect(await login('b.corp')).toEqual({ username: 'you', password: 'p#1' });
    expect(await login('c.corp')).toEqual({ username: 'any', password: 'one' });
  });

  it('may be elsewhere, or nowhere', async () => {
    expect(await login('a.corp')).toBeNull();
    const NETRC = await has('other', 'machine a.corp login me password mine\n');
    expect(await login('a.corp', { NETRC })).toEqual({ username: 'me', password: 'mine' });
    expect(await login('b.corp', { NETRC })).toBeNull();
  });
});
