/** Installs on a company's network: from a registry that wants a login, by a proxy, with the user's own files untouched. */

import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Command, LaunchPlan } from '../../launchers/plan.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { type ProxyServer, startProxy } from '../support/proxy.ts';
import { needsRegistries } from '../support/registries.ts';
import { type RegistryMirror, startRegistryMirror, WORDS } from '../support/registry-mirror.ts';
import { command, createHarnessOf, done, failed, type Harness, sh, starts } from './install-harness.ts';

/** A name that only the proxy can resolve. */
const HOST = 'packages.corp.test';

let root: TestHome;
let certificates: Certificates | null;
let mirror: RegistryMirror;
/** The same behind the proxy. */
let inner: RegistryMirror;
let proxy: ProxyServer;
let harness: Harness | undefined;
/** Folder of a uv, once a test needs one. */
let uvDir: Promise<string> | undefined;

beforeAll(async () => {
  root = await createHome();
  certificates = await makeCertificates(join(root.root, 'certificates'));
  mirror = await startRegistryMirror();
  inner = await startRegistryMirror({ host: HOST, npm: { pnpm: FAKE_PNPM } });
  proxy = await startProxy();
});
afterAll(async () => {
  await Promise.all([mirror?.close(), inner?.close(), proxy?.close()]);
  await root?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  harness = undefined;
});
afterEach(() => harness?.[Symbol.asyncDispose]());

/** Carries no more than what is asked of it here. */
const FAKE_PNPM = {
  version: '10.99.0',
  manifest: { bin: { pnpm: 'pnpm.js' } },
  files: { 'pnpm.js': "#!/usr/bin/env node\nconsole.log('10.99.0');\n" },
};

/** A user with these files, and these variables beside PATH and HOME. */
async function user(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  let home = '';
  harness = await createHarnessOf((made) => {
    home = join(made.root, 'user');
    // Rust's and Go's programs look for themselves in the home that they were installed in.
    const toolchains = { RUSTUP_HOME: process.env.RUSTUP_HOME ?? join(homedir(), '.rustup') };
    // Java asks the system where the user's home is.
    const java = { MAVEN_OPTS: `-Duser.home=${home}` };
    // This machine's own settings stay out of it.
    const nobody = { NPM_CONFIG_GLOBALCONFIG: '/dev/null' };
    return { PATH: process.env.PATH ?? '', HOME: home, ...java, ...nobody, TMPDIR: made.tmp, ...toolchains, ...env };
  });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), text, { mode: 0o600 });
  }
  return harness;
}

async function install(files: Readonly<Record<string, string>>, ...steps: Command[]) {
  return installWith([], files, ...steps);
}

async function installWith(tools: LaunchPlan['tools'], files: Readonly<Record<string, string>>, ...steps: Command[]) {
  if (harness === undefined) throw new Error('there is no user');
  const dir = await harness.checkout(files);
  const rung = { id: 'only', cures: 'any' as const, steps };
  const plan: Partial<LaunchPlan> = { tools, install: [rung], start: [starts(null)] };
  return harness.install(dir, plan);
}

/** No secret of the test in anything that was said, logged or kept. */
function expectNoSecret(shown: unknown): void {
  const said = JSON.stringify([harness?.output, harness?.warnings, shown]);
  for (const { token } of [mirror, inner]) expect(said).not.toContain(token);
}

const has = (program: string, ...args: string[]): boolean => {
  try {
    execFileSync(program, args.length > 0 ? args : ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** Skips, with the reason, what needs a program that is not here; with CI=true it fails. */
function needs(program: string, ...args: string[]): void {
  beforeEach(({ skip }) => skip(!process.env.CI && !has(program, ...args), `${program} is not installed`));
}

describe('npm', () => {
  const project = {
    'package.json': '{"name":"x","version":"1.0.0","dependencies":{"corp-words":"1.0.0"}}',
  };
  const npmrc = ({ url, port }: RegistryMirror, host = '127.0.0.1') =>
    `registry=${url}/npm/\n//${host}:${port}/npm/:_authToken=\${CORP_NPM_TOKEN}\n`;
  const says = sh(`node -e 'if (require("corp-words") !== "${WORDS}") process.exit(1)'`);

  it('installs with the registry and the token of ~/.npmrc, whatever the variable is called', async () => {
    await user(
      { '.npmrc': npmrc(mirror).replace('CORP_NPM_TOKEN', 'NPM_COMPANY_TOKEN') },
      { NPM_COMPANY_TOKEN: mirror.token },
    );
    expectNoSecret(await done(await install(project, command('npm', 'install'), says)));
  });

  it('fails without the token, and shows none', async () => {
    await user({ '.npmrc': npmrc(mirror) }, { CORP_NPM_TOKEN: 'wr0ng-t0ken' });
    const failure = await failed(await install(project, command('npm', 'install')));
    expect(failure.stderrTail.join()).toMatch(/E401/);
    expect(JSON.stringify([harness?.output, failure])).not.toContain('wr0ng-t0ken');
  });

  it.each(['HTTP_PROXY', 'https_proxy', '.npmrc'])('goes by the proxy of %s', async (way) => {
    const file = npmrc(inner, HOST) + (way === '.npmrc' ? `proxy=${proxy.url}\n` : '');
    const variables = way === '.npmrc' ? {} : { [way.replace('https', 'http')]: proxy.url };
    await user({ '.npmrc': file }, { CORP_NPM_TOKEN: inner.token, ...variables });
    const before = proxy.log.length;
    await done(await install(project, command('npm', 'install'), says));
    expect(proxy.log.slice(before).join()).toContain(HOST);
  });

  it.for(['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'])('trusts what %s names', async (name, { skip }) => {
    if (certificates === null) return skip('openssl is not installed');
    const secure = await startRegistryMirror({ tls: certificates });
    try {
      await user({ '.npmrc': npmrc(secure) }, { CORP_NPM_TOKEN: secure.token, [name]: certificates.ca });
      await done(await install(project, command('npm', 'install'), says));
    } finally {
      await secure.close();
    }
  });

  it('fetches a tool from there, by the proxy', async () => {
    const path = join(root.root, 'no-pnpm');
    await mkdir(path, { recursive: true });
    await user(
      { '.npmrc': npmrc(inner, HOST) },
      { CORP_NPM_TOKEN: inner.token, HTTP_PROXY: proxy.url, PATH: `${path}:/usr/bin:/bin` },
    );
    const provided = await harness!.context.runtimes.provide(
      [{ name: 'pnpm', version: '^10.99' }],
      new AbortController().signal,
    );
    expect(provided).toMatchObject({ ok: true, toolset: { versions: { pnpm: '10.99.0' } } });
  });
});

describe('other package managers of JavaScript', () => {
  needsRegistries('npm');
  const project = { 'package.json': '{"name":"x","version":"1.0.0","dependencies":{"corp-words":"1.0.0"}}' };
  const says = sh(`node -e 'if (require("corp-words") !== "${WORDS}") process.exit(1)'`);
  const npmrc = ({ url, port }: RegistryMirror, host: string) =>
    `registry=${url}/npm/\n//${host}:${port}/npm/:_authToken=\${CORP_NPM_TOKEN}\n`;

  it.each([
    { name: 'pnpm', version: '^10', files: {}, setting: '' },
    // Its own rule for registries that want a login for reading.
    { name: 'yarn', version: '^1', files: {}, setting: 'always-auth=true\n' },
    { name: 'yarn', version: '^4', files: { 'yarn.lock': '' }, setting: '' },
  ])(
    '$name $version takes registry, token and proxy of npm’s settings and the variables',
    async ({ name, version, files, setting }) => {
      const maker = await createHarnessOf(() => process.env as Record<string, string>);
      try {
        const made = await maker.context.runtimes.provide([{ name, version }], new AbortController().signal);
        if (!made.ok) throw new Error(made.failure.message);
        await user({ '.npmrc': npmrc(inner, HOST) + setting }, { CORP_NPM_TOKEN: inner.token, HTTP_PROXY: proxy.url });
        const before = proxy.log.length;
        const program = made.toolset.programs[name] ?? '';
        expectNoSecret(
          await done(
            await install(
              { ...project, ...files },
              { ...command(program, 'install'), env: { YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' } },
              says,
            ),
          ),
        );
        expect(proxy.log.slice(before).join()).toContain(HOST);
      } finally {
        await maker[Symbol.asyncDispose]();
      }
    },
  );
});

describe('uv', () => {
  needsRegistries('pypi');
  const project = { 'requirements.txt': 'corp-words\n' };
  const steps = (uv: string): Command[] => [
    command('python3', '-m', 'venv', '--without-pip', '.venv'),
    command(uv, 'pip', 'install', '--python', '.venv/bin/python', '-r', 'requirements.txt'),
    sh(`.venv/bin/python -c 'import corp_words; assert corp_words.words == "${WORDS}"'`),
  ];
  /** The one that the product fetches. */
  const uv = () => {
    uvDir ??= (async () => {
      const maker = await createHarnessOf(() => process.env as Record<string, string>);
      const made = await maker.context.runtimes.provide([{ name: 'uv', version: null }], new AbortController().signal);
      if (!made.ok) throw new Error(made.failure.message);
      const program = join(root.root, 'uv');
      await writeFile(program, await readFile(made.toolset.programs.uv ?? ''), { mode: 0o755 });
      await maker[Symbol.asyncDispose]();
      return program;
    })();
    return uvDir;
  };
  const index = ({ url, token }: RegistryMirror) => `${url.replace('://', `://me:${token}@`)}/pypi/simple/`;

  const ways: Readonly<Record<string, () => { files?: Record<string, string>; env?: Record<string, string> }>> = {
    '~/.config/pip/pip.conf': () => ({ files: { '.config/pip/pip.conf': `[global]\nindex-url = ${index(mirror)}\n` } }),
    '~/.pip/pip.conf': () => ({ files: { '.pip/pip.conf': `[install]\nindex_url: ${index(mirror)}\n` } }),
    PIP_INDEX_URL: () => ({ env: { PIP_INDEX_URL: index(mirror) } }),
    UV_INDEX_URL: () => ({ env: { UV_INDEX_URL: index(mirror) } }),
    UV_DEFAULT_INDEX: () => ({ env: { UV_DEFAULT_INDEX: index(mirror) } }),
    '~/.config/uv/uv.toml': () => ({
      files: {
        '.config/uv/uv.toml': `[[index]]\nurl = "${index(mirror)}"\ndefault = true\n`,
        '.config/pip/pip.conf': '[global]\nindex-url = http://127.0.0.1:1/simple\n',
      },
    }),
    'pip.conf and ~/.netrc': () => ({
      files: {
        '.config/pip/pip.conf': `[global]\nindex-url = ${mirror.url}/pypi/simple/\n`,
        '.netrc': `machine 127.0.0.1 login me password ${mirror.token}\n`,
      },
    }),
    'an index beside the public one': () => ({
      files: { '.config/pip/pip.conf': `[global]\nextra-index-url =\n    ${index(mirror)}\n` },
    }),
    'pip’s proxy': () => ({
      files: { '.config/pip/pip.conf': `[global]\nindex-url = ${index(inner)}\nproxy = ${proxy.url}\n` },
    }),
    HTTP_PROXY: () => ({ env: { PIP_INDEX_URL: index(inner), HTTP_PROXY: proxy.url } }),
  };

  it.each(Object.entries(ways))('installs from the index of %s', async (_, way) => {
    const { files = {}, env = {} } = way();
    await user(files, env);
    expectNoSecret(await done(await install(project, ...steps(await uv()))));
  });

  it.for(['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'PIP_CERT', 'pip.conf', 'trusted-host'])(
    'trusts what %s names',
    async (name, { skip }) => {
      if (certificates === null) return skip('openssl is not installed');
      const secure = await startRegistryMirror({ tls: certificates });
      try {
        const more =
          { 'pip.conf': `cert = ${certificates.ca}`, 'trusted-host': 'trusted-host = 127.0.0.1' }[name] ?? '';
        const conf = `[global]\nindex-url = ${index(secure)}\n${more}\n`;
        await user({ '.config/pip/pip.conf': conf }, /^[A-Z]/.test(name) ? { [name]: certificates.ca } : {});
        await done(await install(project, ...steps(await uv())));
      } finally {
        await secure.close();
      }
    },
  );

  it('fails where the index wants a login, and shows none', async () => {
    await user({
      '.config/pip/pip.conf': `[global]\nindex-url = ${index(mirror).replace(mirror.token, 'wr0ng-t0ken')}\n`,
    });
    const failure = await failed(await install(project, ...steps(await uv())));
    expect(failure.stderrTail.join()).toMatch(/401/);
    expect(JSON.stringify([harness?.output, failure])).not.toContain('wr0ng-t0ken');
  });

  it('pip installs from there, too', async () => {
    await user(
      { '.config/pip/pip.conf': `[global]\nindex-url = ${index(inner)}\ntrusted-host = ${HOST}\n` },
      { http_proxy: proxy.url },
    );
    const pip = command('.venv/bin/python', '-m', 'pip', 'install', '--quiet', '-r', 'requirements.txt');
    const environment = await done(
      await install(project, command('python3', '-m', 'venv', '.venv'), pip, steps('')[2] as Command),
    );
    expectNoSecret(environment);
  });
});

describe('go', () => {
  needs('go', 'version');
  const project = {
    'go.mod': 'module x\n\ngo 1.20\n\nrequire corp.test/words v1.0.0\n',
    'main.go': 'package main\n\nimport "corp.test/words"\n\nfunc main() { println(words.Words) }\n',
  };
  const build: Command = { ...command('go', 'mod', 'download'), env: { GOFLAGS: '-modcacherw' } };

  it('shows no login that it prints', async () => {
    await user({}, { GOPROXY: `${mirror.url.replace('://', `://me:${mirror.token}@`)}/go`, GONOSUMDB: 'corp.test/*' });
    // Go says the whole address as it refuses to send a login in clear.
    const failure = await failed(await install(project, build));
    expect(failure.stderrTail.join()).toContain('[redacted]@');
    expectNoSecret(failure);
  });

  it('reads what `go env -w` wrote, and goes by the proxy', async () => {
    const open = await startRegistryMirror({ host: HOST, open: true });
    try {
      await user({ '.config/go/env': `GOPROXY=${open.url}/go\nGONOSUMDB=corp.test/*\n` }, { HTTP_PROXY: proxy.url });
      const before = proxy.log.length;
      await done(await install(project, build));
      expect(proxy.log.slice(before).join()).toContain(`http://${HOST}`);
    } finally {
      await open.close();
    }
  });

  it.for(['GOPROXY', '~/.netrc'])(
    'logs in as %s says, and trusts what NODE_EXTRA_CA_CERTS names',
    async (way, { skip }) => {
      if (certificates === null) return skip('openssl is not installed');
      const secure = await startRegistryMirror({ tls: certificates });
      try {
        const { url, token, port } = secure;
        const login = way === 'GOPROXY' ? `me:${token}@` : '';
        const GOPROXY = `${url.replace('://', `://${login}`)}/go`;
        const netrc = way === 'GOPROXY' ? '' : `machine 127.0.0.1:${port} login me password ${token}\n`;
        await user({ '.netrc': netrc }, { GOPROXY, GONOSUMDB: 'corp.test/*', NODE_EXTRA_CA_CERTS: certificates.ca });
        const environment = await done(await install(project, build));
        expect(JSON.stringify([environment, harness?.output])).not.toContain(token);
      } finally {
        await secure.close();
      }
    },
  );
});

describe('cargo', () => {
  needs('cargo');
  const project = {
    'Cargo.toml': '[package]\nname = "x"\nversion = "1.0.0"\nedition = "2021"\n\n[dependencies]\ncorp-words = "1"\n',
    'src/main.rs': 'fn main() { println!("{}", corp_words::WORDS); }\n',
  };
  const config = ({ url }: RegistryMirror) =>
    `[source.crates-io]\nreplace-with = "company"\n\n[registries.company]\nindex = "sparse+${url}/cargo/"\n\n[registry]\nglobal-credential-providers = ["cargo:token"]\n`;
  const credentials = ({ token }: RegistryMirror) => `[registries.company]\ntoken = "${token}"\n`;

  it('fetches from the source that replaces the public one in ~/.cargo/config.toml', async () => {
    await user({ '.cargo/config.toml': config(mirror), '.cargo/credentials.toml': credentials(mirror) });
    expectNoSecret(await done(await install(project, command('cargo', 'fetch'))));
    expect(mirror.log).toContain('200 /cargo/crates/corp-words/1.0.0/download');
  });

  it('reads CARGO_HOME, goes by the proxy and takes a token from a variable', async () => {
    const home = join(root.root, 'cargo');
    await mkdir(home, { recursive: true });
    await writeFile(join(home, 'config.toml'), config(inner));
    await user({}, { CARGO_HOME: home, HTTP_PROXY: proxy.url, CARGO_REGISTRIES_COMPANY_TOKEN: inner.token });
    await done(await install(project, command('cargo', 'fetch')));
    expect(inner.log).toContain('200 /cargo/crates/corp-words/1.0.0/download');
  });

  it('trusts what NODE_EXTRA_CA_CERTS names', async ({ skip }) => {
    if (certificates === null) return skip('openssl is not installed');
    const secure = await startRegistryMirror({ tls: certificates });
    try {
      const files = { '.cargo/config.toml': config(secure), '.cargo/credentials.toml': credentials(secure) };
      await user(files, { NODE_EXTRA_CA_CERTS: certificates.ca });
      await done(await install(project, command('cargo', 'fetch')));
    } finally {
      await secure.close();
    }
  });
});

describe('offline', () => {
  it('does not ask an engine that fetches by itself', async () => {
    harness = await createHarnessOf(() => ({ PATH: process.env.PATH ?? '' }), { offline: true });
    expect(await failed(await install({}, command('docker', 'build', '.')))).toMatchObject({
      code: 'INSTALL_OFFLINE',
      message: expect.stringContaining('docker'),
    });
  });

  it('takes what the caches have', async () => {
    harness = await createHarnessOf(() => ({ PATH: process.env.PATH ?? '' }), { offline: true });
    const environment = await done(await install({}, sh('test "$UV_OFFLINE$NPM_CONFIG_OFFLINE$GOPROXY" = 1trueoff')));
    expect(environment.rung).toBe('only');
  });
});

describe('maven', () => {
  needs('mvn');
  const project = {
    'pom.xml': `<project><modelVersion>4.0.0</modelVersion><parent><groupId>corp</groupId><artifactId>words</artifactId>
<version>1.0.0</version><relativePath/></parent><artifactId>x</artifactId><packaging>pom</packaging></project>`,
  };
  const settings = ({ url, token }: RegistryMirror) => `<settings>
<servers><server><id>company</id><username>me</username><password>${token}</password></server></servers>
<mirrors><mirror><id>company</id><mirrorOf>*</mirrorOf><url>${url}/maven/</url></mirror></mirrors></settings>`;
  const validate = command('mvn', '--batch-mode', '--quiet', 'validate');

  it('takes packages from the mirror of ~/.m2/settings.xml, with its login', async () => {
    await user({ '.m2/settings.xml': settings(mirror) });
    expectNoSecret(await done(await install(project, validate)));
  });

  it('goes by the proxy of the variables', async () => {
    // Nobody is there, but the proxy is asked.
    await user({}, { HTTPS_PROXY: proxy.url });
    const before = proxy.log.length;
    await failed(await installWith([{ name: 'java', version: null }], project, validate));
    expect(proxy.log.slice(before).join()).toContain('CONNECT');
  });
});
