/** Variables of installers and builds: what keeps them quiet, and what lets install scripts run. */

import semver from 'semver';
import type { Overrides } from '../plan.ts';
import type { Manager } from './manager.ts';

type Variables = Readonly<Record<string, string>>;

/** devDependencies are there whatever NODE_ENV the caller has, and nothing is asked or shown to a person. */
const COMMON: Variables = {
  CI: 'true',
  NODE_ENV: 'development',
  // Hooks are for those who commit, test browsers and error reporters for those who publish.
  HUSKY: '0',
  HUSKY_SKIP_INSTALL: '1',
  SKIP_INSTALL_SIMPLE_GIT_HOOKS: '1',
  LEFTHOOK: '0',
  CYPRESS_INSTALL_BINARY: '0',
  CHROMEDRIVER_SKIP_DOWNLOAD: 'true',
  GECKODRIVER_SKIP_DOWNLOAD: 'true',
  EDGEDRIVER_SKIP_DOWNLOAD: 'true',
  SENTRYCLI_SKIP_DOWNLOAD: '1',
  MONGOMS_DISABLE_POSTINSTALL: '1',
  REDISMS_DISABLE_POSTINSTALL: '1',
  // The CPU's part comes with the package; the GPU's is hundreds of megabytes more.
  ONNXRUNTIME_NODE_INSTALL_CUDA: 'skip',
  // A libvips of the system makes sharp compile itself.
  SHARP_IGNORE_GLOBAL_LIBVIPS: '1',
  // Daemons that builds leave behind, and calls home.
  NX_DAEMON: 'false',
  TURBO_TELEMETRY_DISABLED: '1',
  NEXT_TELEMETRY_DISABLED: '1',
  ADBLOCK: '1',
  DISABLE_OPENCOLLECTIVE: '1',
};

/** A registry that the project names may be within its authors' reach alone: npm would try for minutes. */
export const IMPATIENT: Variables = { NPM_CONFIG_FETCH_RETRIES: '1', NPM_CONFIG_FETCH_RETRY_MINTIMEOUT: '1000' };

/** Browsers and binaries that a server may need at some call, but not to list its tools. */
export const WITHOUT_DOWNLOADS: Variables = {
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1',
  PUPPETEER_SKIP_DOWNLOAD: '1',
  PUPPETEER_SKIP_CHROMIUM_DOWNLOAD: '1',
  ELECTRON_SKIP_BINARY_DOWNLOAD: '1',
  YOUTUBE_DL_SKIP_DOWNLOAD: 'true',
  NODE_LLAMA_CPP_SKIP_DOWNLOAD: 'true',
  NGROK_SKIP_DOWNLOAD: 'true',
  ONNXRUNTIME_NODE_INSTALL: 'skip',
};

/** Packages that read those. */
export const DOWNLOADS =
  /(^|\/)(puppeteer|playwright|playwright-(chromium|firefox|webkit)|electron|youtube-dl-exec|node-llama-cpp|ngrok|onnxruntime-node)$/;

const OWN: Readonly<Record<Manager['name'], Variables>> = {
  npm: {
    NPM_CONFIG_INCLUDE: 'dev',
    NPM_CONFIG_AUDIT: 'false',
    NPM_CONFIG_FUND: 'false',
    NPM_CONFIG_UPDATE_NOTIFIER: 'false',
  },
  pnpm: {
    // `packageManager: pnpm@X` makes pnpm fetch X and refuse it unsigned. In capitals, because pnpm 10 hides npm_config_*
    // from the scripts that it runs, and those call pnpm again; pnpm 11 reads the second.
    NPM_CONFIG_MANAGE_PACKAGE_MANAGER_VERSIONS: 'false',
    pnpm_config_pm_on_fail: 'ignore',
    // pnpm 11 fails where pnpm 10 only notes that a dependency's install script was not run.
    pnpm_config_strict_dep_builds: 'false',
  },
  'yarn-classic': { SKIP_YARN_COREPACK_CHECK: '1' },
  // Plug'n'Play leaves no node_modules, and then `node dist/x.js` finds nothing.
  'yarn-berry': { YARN_NODE_LINKER: 'node-modules', YARN_ENABLE_TELEMETRY: '0' },
  bun: {},
};

/** Install scripts of dependencies run: npm from 12, pnpm from 10 and Yarn from 4.14 hold them back by themselves. */
export const ALLOWED: Readonly<Record<Manager['name'], Variables>> = {
  npm: { NPM_CONFIG_IGNORE_SCRIPTS: 'false', NPM_CONFIG_DANGEROUSLY_ALLOW_ALL_SCRIPTS: 'true' },
  pnpm: {
    NPM_CONFIG_IGNORE_SCRIPTS: 'false',
    NPM_CONFIG_DANGEROUSLY_ALLOW_ALL_BUILDS: 'true',
    pnpm_config_dangerously_allow_all_builds: 'true',
  },
  'yarn-classic': {},
  'yarn-berry': { YARN_ENABLE_SCRIPTS: 'true' },
  bun: {},
};

/** Where scripts are allowed, so are the packages from git and from addresses that npm 12 refuses. */
const ALLOW_SOURCES: Variables = { NPM_CONFIG_ALLOW_GIT: 'all', NPM_CONFIG_ALLOW_REMOTE: 'all' };

/** A release of a manager, pinned by the project, that ran every install script: ours do for it what that one did. */
function ranThemAll({ name, pinned }: Manager): boolean {
  const version = pinned === null ? null : semver.coerce(pinned);
  if (version === null) return false;
  return name === 'pnpm' ? version.major < 10 : name === 'yarn-berry' && semver.lt(version, '4.14.0');
}

export function installerEnv(manager: Manager, allowed: Overrides['allowScripts']): Variables {
  const { name } = manager;
  return {
    ...COMMON,
    ...OWN[name],
    ...(allowed === true || ranThemAll(manager) ? ALLOWED[name] : {}),
    ...(allowed === undefined ? {} : ALLOW_SOURCES),
  };
}
