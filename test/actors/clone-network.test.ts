/** Clones on a company's network: by its proxy, with its certificates, and with the user's logins and detours. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { type ProxyServer, startProxy } from '../support/proxy.ts';
import { startRegistryMirror, WORDS } from '../support/registry-mirror.ts';
import { createCloneHarness, createRepository, pathWithoutGit, type TestRepository } from './clone-harness.ts';

const auth = { username: 'somebody', password: 'a-p@ssword' };

let root: TestHome;
let server: GitServer;
let locked: GitServer;
let secure: GitServer;
let certificates: Certificates | null;
let repository: TestRepository;
let withoutGit: string;
let proxy: ProxyServer;

beforeAll(async () => {
  root = await createHome();
  repository = await createRepository(root.root, 'some');
  const served = join(root.root, 'served');
  certificates = await makeCertificates(join(root.root, 'certificates'));
  server = await startGitServer({ root: served });
  locked = await startGitServer({ root: served, auth });
  if (certificates !== null) secure = await startGitServer({ root: served, tls: certificates });
  withoutGit = await pathWithoutGit(root.root);
});
afterAll(async () => {
  await Promise.all([server?.close(), locked?.close(), secure?.close()]);
  await root?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  proxy = await startProxy();
});
afterEach(() => proxy.close());

const clients = { git: () => ({}), 'isomorphic-git': () => ({ PATH: withoutGit }) };
/** What openssl made; without it the test is skipped. */
function made(skip: (note: string) => never): Certificates {
  return certificates ?? skip('openssl is not installed');
}
const portOf = ({ url }: { url: string }) => new URL(url).port;
/** A name that only the proxy can resolve. */
const atCompany = ({ url }: GitServer) => url.replace('127.0.0.1', 'git.corp.test');

describe.each(Object.entries(clients))('%s', (_, env) => {
  describe('by a proxy', () => {
    test.each(['http_proxy', 'HTTP_PROXY', 'ALL_PROXY', 'all_proxy'])('that %s names', async (name) => {
      await using harness = await createCloneHarness({ ...env(), [name]: proxy.url });
      const { commit } = await harness.cloned(`${atCompany(server)}/some.git`);
      expect(commit).toBe(repository.commits[1]);
      expect(proxy.log.join()).toContain('http://git.corp.test');
    });

    test('that tunnels to no port of plain HTTP', async () => {
      const strict = await startProxy({ tunnelsOnlyTo: [] });
      try {
        await using harness = await createCloneHarness({ ...env(), HTTP_PROXY: strict.url });
        await harness.cloned(`${atCompany(server)}/some.git`);
      } finally {
        await strict.close();
      }
    });

    test('that wants a login, which is shown nowhere', async () => {
      const strict = await startProxy({ auth });
      try {
        const bare = strict.url.replace(/\/\/.*@/, '//');
        await using refused = await createCloneHarness({ ...env(), HTTP_PROXY: bare });
        const failure = await refused.refused(`${atCompany(server)}/some.git`);
        expect(failure).toMatchObject({ code: 'CLONE_NETWORK', hint: expect.stringContaining('proxy') });
        expect(strict.refused()).toBeGreaterThan(0);

        await using harness = await createCloneHarness({ ...env(), HTTP_PROXY: strict.url });
        await harness.cloned(`${atCompany(server)}/some.git`);
        const said = JSON.stringify([
          harness.output,
          harness.complaints,
          await harness.refused(`${atCompany(server)}/none.git`),
        ]);
        expect(said).not.toContain(encodeURIComponent(auth.password));
        expect(said).not.toContain(auth.password);
      } finally {
        await strict.close();
      }
    });

    test('but not to what NO_PROXY names', async () => {
      await using harness = await createCloneHarness({
        ...env(),
        HTTP_PROXY: proxy.url,
        NO_PROXY: 'some.host,127.0.0.1',
      });
      await harness.cloned(`${server.url}/some.git`);
      expect(proxy.log).toEqual([]);
    });

    test('and through it to a host with a certificate of the company', async ({ skip }) => {
      const { ca } = made(skip);
      await using harness = await createCloneHarness({
        ...env(),
        HTTPS_PROXY: proxy.url,
        NODE_EXTRA_CA_CERTS: ca,
      });
      await harness.cloned(`${atCompany(secure)}/some.git`);
      expect(proxy.log).toContain(`CONNECT git.corp.test:${portOf(secure)}`);
    });
  });

  describe('from a host with a certificate of the company', () => {
    test.each(['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'GIT_SSL_CAINFO'])(
      'that %s vouches for',
      async (name) => {
        if (certificates === null) return;
        await using harness = await createCloneHarness({ ...env(), [name]: certificates.ca });
        await harness.cloned(`${secure.url}/some.git`);
      },
    );

    test('that nothing vouches for, it does not', async ({ skip }) => {
      made(skip);
      await using harness = await createCloneHarness(env());
      expect(await harness.refused(`${secure.url}/some.git`)).toMatchObject({
        code: 'CLONE_FAILED',
        hint: expect.stringMatching(/NODE_EXTRA_CA_CERTS/),
      });
    });
  });

  test('logs in with the user’s netrc', async () => {
    await using harness = await createCloneHarness(env());
    const { username, password } = auth;
    await writeFile(
      join(harness.home.root, 'user', '.netrc'),
      `# mine\nmachine other.test login a password b\nmachine 127.0.0.1\n  login ${username}\n  password ${password}\n`,
      { mode: 0o600 },
    );
    await harness.cloned(`${locked.url}/some.git`);
    expect(JSON.stringify([harness.output, harness.complaints])).not.toContain(password);
  });
});

describe('an archive', () => {
  test('comes by the proxy, with the login of the netrc, from a host with a certificate of the company', async ({
    skip,
  }) => {
    const { ca, ...tls } = made(skip);
    const mirror = await startRegistryMirror({ tls, host: 'files.corp.test' });
    try {
      await using harness = await createCloneHarness({ HTTPS_PROXY: proxy.url, SSL_CERT_FILE: ca });
      const source = `${mirror.url}/files/words.zip`;
      expect(await harness.refused(source)).toMatchObject({
        code: 'CLONE_AUTH',
        hint: expect.stringContaining('.netrc'),
      });
      await writeFile(
        join(harness.home.root, 'user', '.netrc'),
        `machine files.corp.test login me password ${mirror.token}\n`,
        { mode: 0o600 },
      );
      const { dir } = await harness.cloned(source);
      expect(await readFile(join(dir, 'words.txt'), 'utf8')).toBe(WORDS);
      expect(proxy.log).toContain(`CONNECT files.corp.test:${mirror.port}`);

      await using trustless = await createCloneHarness({ HTTPS_PROXY: proxy.url });
      expect(await trustless.refused(source)).toMatchObject({ hint: expect.stringContaining('SSL_CERT_FILE') });
    } finally {
      await mirror.close();
    }
  });

  test('comes over plain HTTP by a proxy that wants a login', async () => {
    const strict = await startProxy({ auth, tunnelsOnlyTo: [] });
    const mirror = await startRegistryMirror({ open: true, host: 'files.corp.test' });
    try {
      await using harness = await createCloneHarness({ HTTP_PROXY: strict.url });
      await harness.cloned(`${mirror.url}/files/words.zip`);
      await using bare = await createCloneHarness({ HTTP_PROXY: strict.url.replace(/\/\/.*@/, '//') });
      expect(await bare.refused(`${mirror.url}/files/words.zip`)).toMatchObject({
        code: 'CLONE_NETWORK',
        hint: expect.stringContaining('HTTP_PROXY'),
      });
    } finally {
      await Promise.all([strict.close(), mirror.close()]);
    }
  });
});

describe('git', () => {
  const gitconfig = (harness: { home: TestHome }, text: string) =>
    writeFile(join(harness.home.root, 'user', '.gitconfig'), text);

  test('keeps to the certificates of the user’s own settings', async ({ skip }) => {
    const { ca } = made(skip);
    // Names what does not vouch for the host: their word, whatever the variables say.
    const other = await makeCertificates(join(root.root, 'others'));
    await using harness = await createCloneHarness({ NODE_EXTRA_CA_CERTS: ca });
    await gitconfig(harness, `[http]\n\tsslCAInfo = ${other?.ca}\n`);
    await harness.refused(`${secure.url}/some.git`);
    await gitconfig(harness, `[http]\n\tsslCAInfo = ${ca}\n`);
    await harness.cloned(`${secure.url}/some.git`);
  });

  test('goes by the proxy of the user’s own settings', async () => {
    await using harness = await createCloneHarness();
    await gitconfig(harness, `[http]\n\tproxy = ${proxy.url}\n`);
    await harness.cloned(`${atCompany(server)}/some.git`);
    expect(proxy.log.length).toBeGreaterThan(1);
  });

  test('takes the user’s detours (insteadOf), with the login in them, which is shown nowhere', async () => {
    await using harness = await createCloneHarness();
    const login = `${auth.username}:${encodeURIComponent(auth.password)}@`;
    await gitconfig(
      harness,
      `[url "${locked.url.replace('://', `://${login}`)}/"]\n\tinsteadOf = https://git.corp.test/\n`,
    );
    const { dir } = await harness.cloned('https://git.corp.test/some.git');
    const failure = await harness.refused('https://git.corp.test/none.git');
    const config = await readFile(join(dir, '.git', 'config'), 'utf8');
    expect(JSON.stringify([failure, harness.output, harness.complaints, config])).not.toContain(
      encodeURIComponent(auth.password),
    );
  });

  test('asks the helper that the user names for one host', async () => {
    await using harness = await createCloneHarness();
    const helper = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' ${auth.username} '${auth.password}'; }; f`;
    await gitconfig(harness, `[credential "${locked.url}"]\n\thelper = ${JSON.stringify(helper)}\n`);
    await harness.cloned(`${locked.url}/some.git`);
  });

  test('hands ssh the user’s command and agent', async () => {
    await using harness = await createCloneHarness({
      GIT_SSH_COMMAND:
        'sh -c \'printf "%s\\n" "$SSH_AUTH_SOCK" > "$HOME/agent"; for last; do :; done; eval "$last"\' ssh',
      SSH_AUTH_SOCK: '/run/agent',
    });
    await harness.cloned(`git@git.corp.test:${join(root.root, 'served/some.git')}`);
    expect(await readFile(join(harness.home.root, 'user', 'agent'), 'utf8')).toBe('/run/agent\n');
  });
});
