import { describe, expect, it } from 'vitest';
import { jobEnv, pluginEnv, secretsOf, settingsTaken } from '../../actors/env.ts';
import type { EnvPolicy, LaunchPlan } from '../../launchers/plan.ts';
import { createSecrets } from '../../src/credential.ts';
import { plan } from './process-harness.ts';

type Env = Record<string, string>;

const wants = (...names: string[]): LaunchPlan => ({
  ...plan,
  wants: names.map((name) => ({ name, required: true, secret: true })),
});

interface Case {
  readonly callerEnv?: Env;
  readonly plan?: LaunchPlan;
  readonly env?: Env;
  readonly envPolicy?: EnvPolicy;
  readonly path?: readonly string[];
  readonly extra?: Env;
}

const envOf = ({ callerEnv = {}, plan: made = plan, env = {}, envPolicy = 'minimal', path = [], extra = {} }: Case) =>
  pluginEnv(
    { callerEnv },
    { plugin: 'p', spec: { env: createSecrets(env), envPolicy }, environment: { plan: made, path }, extra },
  );

describe('the environment of a plugin', () => {
  it.each([
    'HOME',
    'LOGNAME',
    'SHELL',
    'TERM',
    'USER',
    'LANG',
    'LC_ALL',
    'LC_CTYPE',
    'TZ',
    'TMPDIR',
    'HTTPS_PROXY',
    'https_proxy',
    'NO_PROXY',
    'NODE_EXTRA_CA_CERTS',
    'SSL_CERT_FILE',
    'REQUESTS_CA_BUNDLE',
  ])('has %s by the minimal policy', (name) => {
    expect(envOf({ callerEnv: { [name]: 'value' } })[name]).toBe('value');
  });

  it.each(['GITHUB_TOKEN', 'AWS_SECRET_ACCESS_KEY', 'NODE_OPTIONS', 'LD_PRELOAD', 'PYTHONPATH', 'npm_config_registry'])(
    'does not have %s by the minimal policy',
    (name) => {
      expect(envOf({ callerEnv: { [name]: 'value' } })).not.toHaveProperty(name);
    },
  );

  it('has a setting that the plan wants, if the caller has it', () => {
    const env = envOf({ callerEnv: { API_KEY: 'k', OTHER_KEY: 'o' }, plan: wants('API_KEY', 'ABSENT_KEY') });
    expect(env).toEqual({ API_KEY: 'k', PATH: '' });
  });

  it('has what a list names beside the minimal part, whole names or globs; as secrets', () => {
    const callerEnv = {
      AWS_REGION: 'r',
      AWS_KEY: 'k',
      MY_AWS_KEY: 'm',
      GH: 'g',
      GHOST: 'o',
      TZ: 'UTC',
      AWS_FN: '() { :; }',
    };
    const envPolicy = ['AWS_*', 'GH'];
    expect(envOf({ callerEnv, envPolicy })).toEqual({ AWS_REGION: 'r', AWS_KEY: 'k', GH: 'g', TZ: 'UTC', PATH: '' });
    expect(settingsTaken(plan, callerEnv, envPolicy)).toEqual(['AWS_KEY', 'AWS_REGION', 'GH']);
    const region = { ...plan, wants: [{ name: 'AWS_REGION', required: false, secret: false }] };
    expect(secretsOf(region, {}, callerEnv, envPolicy)).toEqual(expect.arrayContaining(['k', 'g']));
    expect(secretsOf(region, {}, callerEnv, envPolicy)).not.toContain('r');
  });

  it('has all that the caller has by the inherit policy', () => {
    const callerEnv = { GITHUB_TOKEN: 't', PATH: '/bin' };
    expect(envOf({ callerEnv, envPolicy: 'inherit' })).toEqual(callerEnv);
  });

  it.each(['minimal', 'inherit'] as const)('never has an exported shell function (%s)', (envPolicy) => {
    const callerEnv = { LC_EVIL: '() { :; }; echo', KEY: '() { :; }' };
    expect(envOf({ callerEnv, envPolicy, plan: wants('KEY') })).toEqual({ PATH: '' });
  });

  it('lets the owner override the plan, the plan the caller, and the supervisor everybody', () => {
    const made = { ...wants('A', 'B', 'C', 'D'), env: { B: 'plan', C: 'plan', D: 'plan' } };
    const callerEnv = { A: 'caller', B: 'caller', C: 'caller', D: 'caller' };
    const env = envOf({ callerEnv, plan: made, env: { C: 'owner', D: 'owner' }, extra: { D: 'extra' } });
    expect(env).toEqual({ A: 'caller', B: 'plan', C: 'owner', D: 'extra', PATH: '' });
  });

  it("puts the environment's folders first on PATH, also on a PATH that the owner gives", () => {
    const path = ['/tree/node_modules/.bin', '/tree/.venv/bin'];
    expect(envOf({ callerEnv: { PATH: '/usr/bin' }, path }).PATH).toBe(`${path.join(':')}:/usr/bin`);
    expect(envOf({ callerEnv: { PATH: '/usr/bin' }, path, env: { PATH: '/own' } }).PATH).toBe(`${path.join(':')}:/own`);
  });
});

describe('the settings taken from the caller', () => {
  it('are named, sorted, without their values', () => {
    const taken = settingsTaken(wants('Z_KEY', 'A_KEY', 'A_KEY', 'MISSING'), {
      Z_KEY: 'secret',
      A_KEY: '',
      OTHER: 'x',
    });
    expect(taken).toEqual(['A_KEY', 'Z_KEY']);
  });
});

describe('the environment of an installer', () => {
  const job = (callerEnv: Env, extra: Env = {}) => jobEnv({ callerEnv }, { path: [], programs: {} }, extra);

  it.each([
    'PIP_TARGET',
    'PIP_PREFIX',
    'POETRY_VIRTUALENVS_PATH',
    'POETRY_HOME',
    'PYTHONPATH',
    'PYTHONHOME',
    'UV_PROJECT_ENVIRONMENT',
    'UV_NO_SYNC',
    'VIRTUAL_ENV',
    'CONDA_PREFIX',
    'NODE_ENV',
    'NODE_OPTIONS',
    'NODE_PATH',
    'INIT_CWD',
    'npm_lifecycle_event',
    'npm_package_name',
    'npm_execpath',
    'npm_config_local_prefix',
    'npm_config_global',
    'NPM_CONFIG_OMIT',
    'GIT_DIR',
    'GIT_INDEX_FILE',
    'CARGO_TARGET_DIR',
    'GOROOT',
    'GOWORK',
    'GOBIN',
    'CGO_ENABLED',
    'RUBYOPT',
    'RUBYLIB',
    'BUNDLE_GEMFILE',
    'BUNDLE_PATH',
    'BUNDLER_VERSION',
    'COMPOSER',
    'COMPOSER_VENDOR_DIR',
  ])('does not have %s', (name) => {
    expect(job({ [name]: 'value' })).not.toHaveProperty(name);
  });

  it.each([
    'PIP_INDEX_URL',
    'PIP_EXTRA_INDEX_URL',
    'PIP_FIND_LINKS',
    'PIP_CERT',
    'PIP_CACHE_DIR',
    'PIP_DEFAULT_TIMEOUT',
    'UV_INDEX',
    'UV_INDEX_URL',
    'UV_DEFAULT_INDEX',
    'UV_INDEX_COMPANY_PASSWORD',
    'UV_CACHE_DIR',
    'POETRY_HTTP_BASIC_COMPANY_PASSWORD',
    'NPM_CONFIG_REGISTRY',
    'npm_config_registry',
    'npm_config_@company:registry',
    'npm_config_userconfig',
    'NPM_CONFIG_CAFILE',
    'NPM_CONFIG_IGNORE_SCRIPTS',
    'NPM_TOKEN',
    'GOPROXY',
    'GOPRIVATE',
    'GONOSUMDB',
    'GOSUMDB',
    'GOINSECURE',
    'GOAUTH',
    'GOMODCACHE',
    'GOCACHE',
    'CGO_CFLAGS',
    'CARGO_HOME',
    'BUNDLE_MIRROR__ALL',
    'BUNDLE_GEMS__COMPANY__EXAMPLE',
    'BUNDLE_SSL_CA_CERT',
    'COMPOSER_AUTH',
    'COMPOSER_HOME',
    'DENO_DIR',
    'DENO_AUTH_TOKENS',
    'HTTPS_PROXY',
    'SSH_AUTH_SOCK',
  ])('keeps %s, which is the user’s own', (name) => {
    expect(job({ [name]: 'value' })[name]).toBe('value');
  });

  it('lets Go fetch the one that a module asks for, and has no switches of the user’s own for it', () => {
    const go = { GOTOOLCHAIN: 'auto', GOFLAGS: '-buildvcs=false' };
    expect(job({ GOTOOLCHAIN: 'local', GOFLAGS: '-mod=vendor' })).toMatchObject(go);
  });

  it('asks nobody, and installs what a build needs', () => {
    expect(job({})).toMatchObject({
      CI: 'true',
      PIP_NO_INPUT: '1',
      NPM_CONFIG_INCLUDE: 'dev',
      GIT_TERMINAL_PROMPT: '0',
    });
  });

  it('keeps pnpm from replacing itself, where pnpm is a tool', () => {
    const name = 'NPM_CONFIG_MANAGE_PACKAGE_MANAGER_VERSIONS';
    expect(jobEnv({ callerEnv: {} }, { path: [], programs: { pnpm: '/bin/pnpm' } })[name]).toBe('false');
    expect(job({})).not.toHaveProperty(name);
  });

  it('lets no pip install into the user’s own Python', () => {
    expect(job({ PIP_REQUIRE_VIRTUALENV: '0', PIP_USER: '1' })).toMatchObject({
      PIP_REQUIRE_VIRTUALENV: '1',
      PIP_USER: '0',
    });
  });

  it('has the tools first on PATH, and not the folders of an activated venv or a surrounding npm script', () => {
    const callerEnv = {
      VIRTUAL_ENV: '/projects/.venv',
      npm_lifecycle_event: 'start',
      PATH: '/projects/.venv/bin:/projects/node_modules/.bin:/usr/bin',
    };
    expect(jobEnv({ callerEnv }, { path: ['/tools'], programs: {} }).PATH).toBe('/tools:/usr/bin');
  });

  it('lets the plan’s own command have the last word', () => {
    expect(job({ FOO: 'caller' }, { FOO: 'plan', CI: 'false' })).toMatchObject({ FOO: 'plan', CI: 'false' });
  });
});
