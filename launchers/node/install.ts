/** The install ladder of each package manager: the lock as it is, then without scripts, then without the lock. */

import { relative } from '../paths.ts';
import type { CauseKind, Command, Rung, Tool } from '../plan.ts';
import type { Manager } from './manager.ts';

/** devDependencies are there whatever NODE_ENV the caller has, and nothing is asked or shown to a person. */
const COMMON = {
  CI: 'true',
  NODE_ENV: 'development',
  // Browsers come from hosts of their own and are fetched at first use, or never needed to list tools.
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1',
  PUPPETEER_SKIP_DOWNLOAD: '1',
  PUPPETEER_SKIP_CHROMIUM_DOWNLOAD: '1',
} as const;

/**
 * npm 12 and pnpm 10 hold back what dependencies run on install, so native modules fail at the first call. We are about
 * to run the plugin's own code anyway, so these run as they did before; older versions take no notice.
 */
const ENV: Readonly<Record<Manager['name'], Readonly<Record<string, string>>>> = {
  npm: {
    ...COMMON,
    NPM_CONFIG_INCLUDE: 'dev',
    NPM_CONFIG_AUDIT: 'false',
    NPM_CONFIG_FUND: 'false',
    NPM_CONFIG_UPDATE_NOTIFIER: 'false',
    NPM_CONFIG_DANGEROUSLY_ALLOW_ALL_SCRIPTS: 'true',
    NPM_CONFIG_ALLOW_GIT: 'all',
    NPM_CONFIG_ALLOW_REMOTE: 'all',
  },
  pnpm: {
    ...COMMON,
    NPM_CONFIG_DANGEROUSLY_ALLOW_ALL_BUILDS: 'true',
    pnpm_config_dangerously_allow_all_builds: 'true',
    // `packageManager: pnpm@X` makes pnpm fetch X and refuse it unsigned. In capitals, because pnpm 10 hides npm_config_*
    // from the scripts that it runs, and those call pnpm again; pnpm 11 reads the second.
    NPM_CONFIG_MANAGE_PACKAGE_MANAGER_VERSIONS: 'false',
    pnpm_config_pm_on_fail: 'ignore',
  },
  'yarn-classic': { ...COMMON, SKIP_YARN_COREPACK_CHECK: '1' },
  // Plug'n'Play leaves no node_modules, and then `node dist/x.js` finds nothing.
  'yarn-berry': { ...COMMON, YARN_NODE_LINKER: 'node-modules', YARN_ENABLE_TELEMETRY: '0' },
  bun: { ...COMMON },
};

const SCRIPTS: readonly CauseKind[] = ['install-script-failed', 'build-failed', 'missing-program', 'missing-module'];
const STALE: readonly CauseKind[] = ['lock-out-of-date', 'engine-mismatch', 'unknown'];
const GONE: readonly CauseKind[] = [...STALE, 'version-not-found'];

/** Commands of one project and manager: `run` for build scripts too. */
export interface Installer {
  readonly tools: readonly Tool[];
  readonly rungs: readonly Rung[];
  /** `npm run build` and its kin, in a folder below the install's. */
  run(script: string, dir: string): Command;
  /** A manager's own command, e.g. pnpm's filtered run. */
  command(args: readonly string[], cwd?: string): Command;
}

/** `root` is the folder of the lock; everything runs there. */
export function createInstaller(
  manager: Manager,
  root: string,
  options: {
    readonly ignoreWorkspace: boolean;
    /** False where a package names another one in a way that npm doesn't know (`workspace:`, `catalog:`). */
    readonly npmCanRead: boolean;
  },
): Installer {
  const env = ENV[manager.name];
  const command = (args: readonly string[], cwd = root, extra: Readonly<Record<string, string>> = {}): Command =>
    manager.vendored === null
      ? { program: program(manager), args, cwd, env: { ...env, ...extra } }
      : { program: 'node', args: [relative(cwd, manager.vendored), ...args], cwd, env: { ...env, ...extra } };
  const rung = (
    id: string,
    cures: Rung['cures'],
    args: readonly string[],
    extra?: Readonly<Record<string, string>>,
  ): Rung => ({
    id,
    cures,
    steps: [command(args, root, extra)],
  });
  const npm = (id: string, cures: Rung['cures'], args: readonly string[]): Rung => ({
    id,
    cures,
    steps: [{ program: 'npm', args, cwd: root, env: ENV.npm }],
  });
  /**
   * Managers that can't leave out their lock hand over to npm, which knows nothing of it; Yarn 1 because it also looks up
   * the optional packages of every other platform, and fails when one of them can't be had.
   */
  const npmInstead = !options.npmCanRead
    ? []
    : [
        npm('npm-instead', GONE, ['install', '--no-package-lock', '--legacy-peer-deps']),
        npm('npm-instead-no-scripts', SCRIPTS, [
          'install',
          '--no-package-lock',
          '--legacy-peer-deps',
          '--ignore-scripts',
        ]),
      ];
  const hasLock = manager.lock !== null;
  return {
    tools: toolsOf(manager),
    rungs: rungsOf(),
    run: (script, dir) => command(['run', script], dir),
    command: (args, cwd) => command(args, cwd),
  };

  function rungsOf(): Rung[] {
    switch (manager.name) {
      case 'npm': {
        const locked = [
          rung('npm-ci', 'any', ['ci']),
          rung('npm-ci-no-scripts', SCRIPTS, ['ci', '--ignore-scripts']),
          // A lock may name a registry that its authors could reach; one quick try at the caller's own.
          rung(
            'npm-ci-own-registry',
            ['network'],
            ['ci', '--replace-registry-host=always', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'],
          ),
          rung('npm-install', STALE, ['install']),
        ];
        return [
          ...(hasLock ? locked : []),
          rung('npm-install-no-lock', hasLock ? GONE : 'any', ['install', '--no-package-lock']),
          rung(
            'npm-install-legacy-peers',
            ['incompatible-dependency'],
            ['install', '--legacy-peer-deps', ...(hasLock ? [] : ['--no-package-lock'])],
          ),
          rung(
            'npm-install-no-scripts',
            [...SCRIPTS, ...GONE],
            ['install', '--no-package-lock', '--legacy-peer-deps', '--ignore-scripts'],
          ),
        ];
      }
      case 'pnpm': {
        const alone = options.ignoreWorkspace ? ['--ignore-workspace'] : [];
        const install = (...args: string[]) => ['install', ...args, ...alone];
        return [
          ...(hasLock
            ? [
                rung('pnpm-frozen', 'any', install('--frozen-lockfile')),
                rung('pnpm-frozen-no-scripts', SCRIPTS, install('--frozen-lockfile', '--ignore-scripts')),
                rung('pnpm-install', STALE, install('--no-frozen-lockfile')),
              ]
            : []),
          rung('pnpm-no-lock', hasLock ? GONE : 'any', install('--no-frozen-lockfile', '--no-lockfile')),
          rung(
            'pnpm-no-scripts',
            [...SCRIPTS, ...GONE],
            install('--no-frozen-lockfile', '--no-lockfile', '--ignore-scripts'),
          ),
        ];
      }
      case 'yarn-classic': {
        const install = (...args: string[]) => [
          'install',
          '--non-interactive',
          '--production=false',
          '--ignore-engines',
          ...args,
        ];
        return [
          ...(hasLock
            ? [
                rung('yarn-frozen', 'any', install('--frozen-lockfile')),
                rung('yarn-frozen-no-scripts', SCRIPTS, install('--frozen-lockfile', '--ignore-scripts')),
                rung('yarn-install', STALE, install()),
              ]
            : []),
          rung('yarn-no-lock', hasLock ? GONE : 'any', install('--no-lockfile')),
          rung('yarn-no-scripts', SCRIPTS, install('--no-lockfile', '--ignore-scripts')),
          ...npmInstead,
        ];
      }
      case 'yarn-berry': {
        const noScripts = { YARN_ENABLE_SCRIPTS: 'false' };
        return [
          ...(hasLock
            ? [
                rung('yarn-immutable', 'any', ['install', '--immutable']),
                rung('yarn-immutable-no-scripts', SCRIPTS, ['install', '--immutable'], noScripts),
              ]
            : []),
          rung('yarn-install', hasLock ? STALE : 'any', ['install', '--no-immutable']),
          rung('yarn-no-scripts', SCRIPTS, ['install', '--no-immutable'], noScripts),
          ...npmInstead,
        ];
      }
      case 'bun':
        return [
          ...(hasLock
            ? [
                rung('bun-frozen', 'any', ['install', '--frozen-lockfile']),
                rung('bun-frozen-no-scripts', SCRIPTS, ['install', '--frozen-lockfile', '--ignore-scripts']),
              ]
            : []),
          rung('bun-install', hasLock ? STALE : 'any', ['install']),
          rung('bun-no-scripts', SCRIPTS, ['install', '--ignore-scripts']),
          ...npmInstead,
        ];
    }
  }
}

const program = ({ name }: Manager): string => (name.startsWith('yarn') ? 'yarn' : name);

function toolsOf(manager: Manager): Tool[] {
  const npm: Tool = { name: 'npm', version: null };
  if (manager.name === 'npm') return [npm];
  const own: Tool[] = manager.vendored === null ? [{ name: program(manager), version: manager.version }] : [];
  return manager.name === 'pnpm' ? own : [...own, npm];
}
