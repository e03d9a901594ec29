/** Which part of the caller's environment reaches a plugin, and which an installer. Values are secrets: names only are shown. */

import { delimiter, join } from 'node:path';
import type { EnvPolicy, LaunchPlan, PluginSpec } from '../launchers/plan.ts';
import type { Environment } from '../machines/contracts.ts';
import type { ActorContext } from './context.ts';
import { proxyEnv } from './env/proxy.ts';
import { javaEnv } from './java-env.ts';
import { isForEngine } from './process/container.ts';
import type { Toolset } from './runtimes.ts';

type CallerEnv = ActorContext['callerEnv'];
type Variables = Record<string, string>;

/** What `minimal` always passes: who and where one is, the language, and the way through a company's proxy. */
const MINIMAL = new Set(
  `HOME LOGNAME PATH SHELL TERM USER LANG LANGUAGE TZ TMPDIR
  HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
  NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR NIX_SSL_CERT_FILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
  GIT_SSL_CAINFO AWS_CA_BUNDLE DENO_CERT DENO_TLS_CA_STORE GRPC_DEFAULT_SSL_ROOTS_FILE_PATH`.split(/\s+/),
);

/** Exported shell functions (`() { …`) are code, not settings; the MCP SDKs leave them out too. */
const isValue = (value: string | undefined): value is string => value !== undefined && !value.startsWith('()');

function pick(env: CallerEnv, wanted: (name: string) => boolean): Variables {
  const picked: Variables = {};
  for (const [name, value] of Object.entries(env)) if (isValue(value) && wanted(name)) picked[name] = value;
  return picked;
}

/**
 * Names that the caller's environment has of the plan's settings and of those that the policy lists, sorted: what `detect`
 * shows.
 */
export function settingsTaken(plan: LaunchPlan, callerEnv: CallerEnv, policy: EnvPolicy = 'minimal'): string[] {
  const isListed = listedBy(policy);
  const settings = new Set(plan.wants.map((setting) => setting.name));
  const names = Object.keys(callerEnv).filter((name) => settings.has(name) || isListed(name));
  return names.filter((name) => isValue(callerEnv[name])).sort();
}

/** `AWS_*` is every name with that beginning. */
function listedBy(policy: EnvPolicy): (name: string) => boolean {
  if (typeof policy === 'string') return () => false;
  const patterns = policy.map((glob) => new RegExp(`^${glob.replaceAll('*', '.*')}$`));
  return (name) => patterns.some((pattern) => pattern.test(name));
}

/**
 * The whole environment of a plugin's process. Later wins: the policy's part of the caller's, what the plan fixes, the
 * owner's `env`, `extra` (cookie, port). The environment's own folders go first on whatever PATH that gives.
 */
export function pluginEnv(
  context: Pick<ActorContext, 'callerEnv'>,
  part: {
    /** Instance, for the caller's sake; the policy is the same for all. */
    readonly plugin: string;
    readonly spec: Pick<PluginSpec, 'env' | 'envPolicy'>;
    readonly environment: Pick<Environment, 'plan' | 'path'> & Partial<Pick<Environment, 'programs'>>;
    /** What the user's network asks for (`env/network`); a plugin that inherits everything gets none of it. */
    readonly network?: Readonly<Record<string, string>>;
    readonly extra: Readonly<Record<string, string>>;
  },
): Variables {
  const { spec, environment, extra } = part;
  const settings = new Set(settingsTaken(environment.plan, context.callerEnv, spec.envPolicy));
  const isDocker = environment.plan.launcher === 'docker';
  const taken = (name: string) =>
    MINIMAL.has(name) || name.startsWith('LC_') || settings.has(name) || (isDocker && isForEngine(name));
  const env: Variables = {
    ...pick(context.callerEnv, spec.envPolicy === 'inherit' ? () => true : taken),
    ...(spec.envPolicy === 'inherit' ? {} : part.network),
    ...javaEnv(environment.programs ?? {}, context.callerEnv, spec.envPolicy === 'inherit'),
    ...environment.plan.env,
    ...spec.env.reveal(),
    ...extra,
  };
  env.PATH = joinPath(environment.path, env.PATH);
  return env;
}

/**
 * Values that must not be shown, whatever the plugin prints: those that its owner gave, unless they are known to be no
 * secret, and what it takes of the caller's environment as one: settings that are, and what the policy lists.
 */
export function secretsOf(
  plan: LaunchPlan,
  owners: Variables,
  callerEnv: CallerEnv,
  policy: EnvPolicy = 'minimal',
): string[] {
  const plain = new Set(plan.wants.filter(({ secret }) => !secret).map(({ name }) => name));
  const own = Object.entries(owners).flatMap(([name, value]) => (plain.has(name) ? [] : [value]));
  const taken = plan.wants.flatMap(({ name, secret }) => (secret ? (callerEnv[name] ?? []) : []));
  const isListed = listedBy(policy);
  const listed = Object.entries(callerEnv).flatMap(([name, value]) =>
    isListed(name) && !plain.has(name) ? (value ?? []) : [],
  );
  return [...own, ...taken, ...listed];
}

const joinPath = (first: readonly string[], rest: string | undefined): string =>
  [...first, ...(rest ?? '').split(delimiter)].filter((dir) => dir !== '').join(delimiter);

/** Variables that change what an installer does or where it writes; mostly set by an activated venv or a running script. */
const SCRUBBED: readonly RegExp[] = [
  // Python: detection reference §6. A user's own venv, prefix or index of installed things must not leak into a plugin's.
  /^(PIP|POETRY|UV|PIPENV|PDM)_/,
  /^PYTHON/,
  /^(VIRTUAL_ENV|VIRTUAL_ENV_PROMPT|CONDA_PREFIX|CONDA_DEFAULT_ENV|__PYVENV_LAUNCHER__)$/,
  // Node: what `npm start` and its like hand to the script that started us, and switches that skip devDependencies.
  /^(NODE_ENV|NODE_OPTIONS|NODE_PATH|NODE_V8_COVERAGE|NODE_TEST_CONTEXT|INIT_CWD|PROJECT_CWD|BERRY_BIN_FOLDER|COREPACK_ROOT)$/,
  // Names in capitals are the user's: `.npmrc` files refer to them (`${NPM_TOKEN}`).
  /^npm_/,
  /^npm_config_/i,
  /^(PNPM_PACKAGE_NAME|PNPM_SCRIPT_SRC_DIR|pnpm_config_)/,
  // Compilers: output elsewhere than the plan expects, or for another machine.
  /^(GOBIN|GOOS|GOARCH|GOFLAGS|GOWORK|GOROOT|GOTOOLDIR|GOTOOLCHAIN|GOEXPERIMENT|GO111MODULE|CGO_ENABLED|CARGO_TARGET_DIR|CARGO_BUILD_TARGET|CARGO_BUILD_TARGET_DIR)$/,
  // `-D warnings` of a CI is for its own code; RUST_BACKTRACE hides what a build script says behind where it says it.
  /^((CARGO_(BUILD_|ENCODED_)?)?RUSTFLAGS|CARGO_PROFILE_\w+|CARGO_INCREMENTAL|RUSTC_BOOTSTRAP|RUSTUP_TOOLCHAIN|RUST(_LIB)?_BACKTRACE)$/,
  // Ruby and PHP: what `bundle exec` hands down, and where somebody else's project keeps things.
  /^(RUBYOPT|RUBYLIB|BUNDLER_\w+|BUNDLE_(GEMFILE|BIN|BIN_PATH|PATH|WITH|WITHOUT|ONLY|FROZEN|DEPLOYMENT|APP_CONFIG|LOCKFILE|NO_PRUNE|CLEAN|SYSTEM_BINDIR|STANDALONE|VERSION))$/,
  /^COMPOSER(_VENDOR_DIR|_BIN_DIR|_ROOT_VERSION|_NO_DEV|_DEV_MODE|_DISABLE_NETWORK)?$/,
  // Java and .NET: what a surrounding build hands to its programs, and switches that its own build is for.
  /^(MAVEN_CMD_LINE_ARGS|MAVEN_PROJECTBASEDIR|MAVEN_BASEDIR|JDK_JAVA_OPTIONS|CLASSPATH|MSBUILD\w*|MSBuild\w*|Configuration|Platform|TargetFramework)$/,
  // A git hook's view of its own repository.
  /^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR|OBJECT_DIRECTORY|NAMESPACE)$/,
];

/** Where packages come from and how to get there is the user's own, as are caches and the choice to run no scripts. */
const KEPT: readonly RegExp[] = [
  /^(PIP|UV)_(INDEX|EXTRA_INDEX|DEFAULT_INDEX|FIND_LINKS|NO_INDEX|CONFIG_FILE|CACHE_DIR|OFFLINE|CONCURRENT|HTTP|REQUEST)(_|$)/,
  /^PIP_(CERT|CLIENT_CERT|PROXY|TRUSTED_HOST|TIMEOUT|DEFAULT_TIMEOUT|RETRIES|KEYRING_PROVIDER|ONLY_BINARY|NO_BINARY)$/,
  /^UV_(INSECURE_HOST|NATIVE_TLS|SYSTEM_CERTS|KEYRING_PROVIDER|PYTHON_INSTALL_MIRROR|PYTHON_DOWNLOADS_JSON_URL|PYTHON_INSTALL_DIR)$/,
  /^POETRY_(HTTP_BASIC|PYPI_TOKEN|REPOSITORIES|CERTIFICATES)_/,
  /^POETRY_(CACHE_DIR|CONFIG_DIR|REQUESTS_TIMEOUT)$/,
  /^PIPENV_(PYPI_MIRROR|CACHE_DIR)$/,
  /^PDM_(PYPI_|CONFIG_FILE|CACHE_DIR)/,
  /^PYTHON_KEYRING_BACKEND$/,
  /^npm_config_(registry|userconfig|globalconfig|cache|store_dir|proxy|https?_proxy|noproxy|ca|cafile|cert|key|strict_ssl)$/i,
  /^npm_config_(maxsockets|offline|prefer_offline|ignore_scripts|allow_git|allow_remote|dangerously_allow_all_(scripts|builds)|nodedir|_auth.*|fetch_.*|@.*|\/\/.*)$/i,
];

const reachesJobs = (name: string): boolean =>
  KEPT.some((kept) => kept.test(name)) || !SCRUBBED.some((scrubbed) => scrubbed.test(name));

/** Nobody answers a question, nobody watches a bar, and devDependencies are needed to build. */
const JOB: Readonly<Variables> = {
  CI: 'true',
  GIT_TERMINAL_PROMPT: '0',
  COREPACK_ENABLE_DOWNLOAD_PROMPT: '0',
  COREPACK_ENABLE_STRICT: '0',
  // Yarn 1 would keep its compiled code in the user's temp folder.
  DISABLE_V8_COMPILE_CACHE: '1',
  NPM_CONFIG_AUDIT: 'false',
  NPM_CONFIG_FUND: 'false',
  NPM_CONFIG_UPDATE_NOTIFIER: 'false',
  NPM_CONFIG_INCLUDE: 'dev',
  // Yarn's default leaves no node_modules, and then `node dist/x.js` finds nothing.
  YARN_NODE_LINKER: 'node-modules',
  YARN_ENABLE_TELEMETRY: '0',
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  PIP_NO_INPUT: '1',
  PIP_PROGRESS_BAR: 'off',
  PIP_ROOT_USER_ACTION: 'ignore',
  // A pip.conf may say otherwise. Whatever runs here, the user's own Pythons are not installed into.
  PIP_USER: '0',
  PIP_REQUIRE_VIRTUALENV: '1',
  UV_NO_PROGRESS: '1',
  POETRY_NO_INTERACTION: '1',
  POETRY_VIRTUALENVS_CREATE: 'true',
  POETRY_VIRTUALENVS_IN_PROJECT: 'true',
  PIPENV_VENV_IN_PROJECT: '1',
  PDM_CHECK_UPDATE: 'false',
  DOTNET_NOLOGO: '1',
  DOTNET_CLI_TELEMETRY_OPTOUT: '1',
  // Servers that MSBuild and the compilers leave running for the next build.
  MSBUILDDISABLENODEREUSE: '1',
  DOTNET_CLI_USE_MSBUILD_SERVER: '0',
  // A distribution's Go may be set to be the only one; the one that a module asks for comes from the module proxy.
  GOTOOLCHAIN: 'auto',
  // Over `go env -w`: a -mod of the user's own breaks every other build. Our copies are no checkouts to take a stamp from.
  GOFLAGS: '-buildvcs=false',
};

/** Where pnpm is a tool; npm would warn of settings that it doesn't know. */
const PNPM: Readonly<Variables> = {
  // `packageManager: pnpm@X` makes pnpm replace itself by X and refuse a download without a signature. In capitals,
  // because pnpm 10 hides npm_config_* from the scripts that it runs, and those call pnpm again; pnpm 11 reads the second.
  NPM_CONFIG_MANAGE_PACKAGE_MANAGER_VERSIONS: 'false',
  pnpm_config_pm_on_fail: 'ignore',
  // pnpm 11 fails where pnpm 10 only notes that a dependency's install script was not run.
  pnpm_config_strict_dep_builds: 'false',
};

/**
 * The environment of installers and builds: the caller's minus what would bend them, plus what keeps them quiet. Their
 * secrets are the caller's own; a plugin's `env` never gets here, so a dependency's install script can't read it.
 */
export function jobEnv(
  context: Pick<ActorContext, 'callerEnv'>,
  toolset: Pick<Toolset, 'path' | 'programs'>,
  extra: Readonly<Record<string, string>> = {},
): Variables {
  const { callerEnv } = context;
  const env: Variables = {
    ...pick(callerEnv, reachesJobs),
    ...proxyEnv(callerEnv),
    ...JOB,
    ...('pnpm' in toolset.programs ? PNPM : {}),
    ...javaEnv(toolset.programs, callerEnv, true),
    ...extra,
  };
  env.PATH = joinPath(toolset.path, extra.PATH ?? pathWithoutScripts(callerEnv));
  return env;
}

/** The caller's PATH without the folders that an activated venv or a surrounding `npm start` put there. */
function pathWithoutScripts(callerEnv: CallerEnv): string {
  const venv = callerEnv.VIRTUAL_ENV === undefined ? null : join(callerEnv.VIRTUAL_ENV, 'bin');
  const script = callerEnv.npm_lifecycle_event !== undefined;
  return (callerEnv.PATH ?? '')
    .split(delimiter)
    .filter((dir) => dir !== venv && !(script && /[/\\](node_modules[/\\]\.bin|node-gyp-bin)[/\\]?$/.test(dir)))
    .join(delimiter);
}
