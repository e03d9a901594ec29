/**
 * The install ladder of each package manager: the lock as it is, without browsers, without scripts, without the lock, as
 * of the commit's date. Every rung names what it cures, so that none is taken in vain.
 */

import type { CauseKind, Command, Rung } from '../plan.ts';
import type { Rungs } from './install.ts';
import { WITHOUT_DOWNLOADS } from './installer-env.ts';

const DOWNLOADED: readonly CauseKind[] = ['install-script-failed', 'missing-browser'];
const SCRIPTS: readonly CauseKind[] = [
  'install-script-failed',
  'build-failed',
  'missing-program',
  'missing-module',
  'missing-library',
  'missing-browser',
];
const STALE: readonly CauseKind[] = ['lock-out-of-date', 'unknown'];
const GONE: readonly CauseKind[] = [...STALE, 'version-not-found'];

/** A lock made on another system leaves out what this one needs (`@rollup/rollup-linux-x64-gnu`). */
const ANOTHER_SYSTEM: readonly CauseKind[] = ['missing-module'];
/** Today's releases of what is not locked. */
const TODAY: readonly CauseKind[] = ['build-failed', 'missing-module', 'incompatible-dependency'];

const NO_LOCK = '--no-package-lock';
const LEGACY_PEERS = '--legacy-peer-deps';
const NO_SCRIPTS = '--ignore-scripts';

export function createLadder(parts: Rungs): Rung[] {
  return [...ladderOf(parts), ...ownRegistry(parts), ...withoutDispensable(parts)];
}

/** The project names a registry that was near its authors; the caller's own may be nearer to the caller. */
function ownRegistry({ manager, options, command, npm }: Rungs): Rung[] {
  if (options.namesRegistry !== true) return [];
  const forget = npm(['config', 'delete', 'registry', '--location=project']);
  const alone = options.ignoreWorkspace ? ['--ignore-workspace'] : [];
  const install =
    manager.name === 'pnpm'
      ? command(['install', '--no-frozen-lockfile', '--no-lockfile', ...alone])
      : npm(['install', NO_LOCK, LEGACY_PEERS]);
  return [
    { id: `${manager.name === 'pnpm' ? 'pnpm' : 'npm'}-own-registry`, cures: ['network'], steps: [forget, install] },
  ];
}

function ladderOf(parts: Rungs): Rung[] {
  const { manager, options } = parts;
  const { ignoreWorkspace, npmCanRead } = options;
  const { rung, locked, unlocked, withoutScripts, asOfCommit } = createRungs(parts);
  const hasLock = manager.lock !== null;
  switch (manager.name) {
    case 'npm': {
      const install = (...args: string[]) => ['install', ...args];
      return [
        ...(hasLock
          ? [
              ...locked('npm-ci', ['ci'], NO_SCRIPTS),
              // A lock may name a registry that its authors could reach; one quick try at the caller's own. The option
              // would turn to it for git repositories as well.
              ...(options.locksGit === true
                ? []
                : [
                    rung(
                      'npm-ci-own-registry',
                      ['network'],
                      ['ci', '--replace-registry-host=always', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'],
                    ),
                  ]),
              rung('npm-install', STALE, ['install']),
            ]
          : []),
        ...unlocked('npm-install-no-lock', install(NO_LOCK)),
        rung(
          'npm-install-legacy-peers',
          ['incompatible-dependency'],
          [...install(LEGACY_PEERS), ...(hasLock ? [] : [NO_LOCK])],
        ),
        withoutScripts('npm-install', install(NO_LOCK, LEGACY_PEERS), NO_SCRIPTS),
        ...npmAsOfCommit(parts),
      ];
    }
    case 'pnpm': {
      const install = (...args: string[]) => ['install', ...args, ...(ignoreWorkspace ? ['--ignore-workspace'] : [])];
      const noLock = install('--no-frozen-lockfile', '--no-lockfile');
      const focus = options.focus ?? [];
      const focused = (args: readonly string[]): Rung[] =>
        focus.length === 0
          ? []
          : [
              {
                ...rung(
                  'pnpm-frozen-member',
                  ['version-not-found', 'network', 'install-script-failed', 'engine-mismatch'],
                  [...args, ...focus.flatMap((filter) => ['--filter', filter])],
                ),
                frozen: true,
              },
            ];
      return [
        ...(hasLock
          ? [
              ...locked('pnpm-frozen', install('--frozen-lockfile'), NO_SCRIPTS),
              // Another member may want what can't be had: its evaluations, its documentation.
              ...focused(install('--frozen-lockfile')),
              rung('pnpm-install', STALE, install('--no-frozen-lockfile')),
            ]
          : []),
        ...unlocked('pnpm-no-lock', noLock),
        withoutScripts('pnpm', noLock, NO_SCRIPTS),
        // pnpm knows no date, only an age, and that from 10.16 on.
        ...(manager.version === '^10'
          ? asOfCommit('pnpm', [...noLock, '--config.minimum-release-age={minutes}'], NO_SCRIPTS)
          : npmCanRead
            ? npmAsOfCommit(parts)
            : []),
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
          ? [...locked('yarn-frozen', install('--frozen-lockfile'), NO_SCRIPTS), rung('yarn-install', STALE, install())]
          : []),
        ...unlocked('yarn-no-lock', install('--no-lockfile')),
        withoutScripts('yarn', install('--no-lockfile'), NO_SCRIPTS, SCRIPTS),
        ...(npmCanRead ? [...npmInstead(parts), ...npmAsOfCommit(parts)] : []),
      ];
    }
    case 'yarn-berry': {
      const noScriptsEnv = { YARN_ENABLE_SCRIPTS: 'false' };
      // Without a lock Yarn looks for a project in the folders above, as far as the user's home.
      const anchor: Command = { program: 'touch', args: ['yarn.lock'], cwd: parts.root };
      const loose = (id: string, cures: Rung['cures'], env: Command['env'] = {}): Rung => ({
        id,
        cures,
        steps: [...(hasLock ? [] : [anchor]), parts.command(['install', '--no-immutable'], parts.root, env)],
      });
      // Older ones end at a setting that they don't know.
      const knowsAge = manager.vendored === null && manager.version === '^4';
      return [
        ...(hasLock ? locked('yarn-immutable', ['install', '--immutable'], noScriptsEnv) : []),
        loose('yarn-install', hasLock ? STALE : 'any'),
        loose('yarn-no-scripts', SCRIPTS, noScriptsEnv),
        ...(npmCanRead ? npmInstead(parts) : []),
        ...(knowsAge && !hasLock
          ? [
              {
                ...loose('yarn-as-of-commit', 'any', { YARN_NPM_MINIMAL_AGE_GATE: '{minutes}' }),
                curesBuild: TODAY,
                asOfCommit: true as const,
              },
            ]
          : npmCanRead
            ? npmAsOfCommit(parts)
            : []),
      ];
    }
    case 'bun':
      return [
        ...(hasLock ? locked('bun-frozen', ['install', '--frozen-lockfile'], NO_SCRIPTS) : []),
        ...(hasLock ? [rung('bun-install', STALE, ['install'])] : unlocked('bun-install', ['install'])),
        withoutScripts('bun', ['install'], NO_SCRIPTS, SCRIPTS),
        ...(npmCanRead ? npmInstead(parts) : []),
        ...(hasLock ? [] : asOfCommit('bun', ['install', '--minimum-release-age={seconds}'], NO_SCRIPTS)),
      ];
  }
}

/** How a manager is told to run no scripts: an argument, or variables. */
type NoScripts = string | Readonly<Record<string, string>>;

function createRungs(parts: Rungs) {
  const { root, options, command, rebuild, manager } = parts;
  const hasLock = manager.lock !== null;
  const rung = (id: string, cures: Rung['cures'], args: readonly string[], env?: Command['env']): Rung => ({
    id,
    cures,
    steps: [command(args, root, env)],
  });
  /** What the manager's own policy lets run; of Bun's one can't tell, and `pm trust` would go past it. */
  const native = manager.name === 'bun' ? [] : options.native.map((name) => rebuild(name));
  const without = (id: string, cures: Rung['cures'], args: readonly string[], flag: NoScripts): Rung => ({
    ...(typeof flag === 'string' ? rung(id, cures, [...args, flag]) : rung(id, cures, args, flag)),
    ...(native.length > 0 ? { afterwards: native } : {}),
  });
  const noDownloads = (id: string, args: readonly string[]): Rung[] =>
    options.downloads ? [rung(`${id}-no-downloads`, DOWNLOADED, args, WITHOUT_DOWNLOADS)] : [];

  return {
    rung,
    /** Exactly the lock, with less and less beside it. */
    locked(id: string, args: readonly string[], flag: NoScripts): Rung[] {
      return [rung(id, 'any', args), ...noDownloads(id, args), without(`${id}-no-scripts`, SCRIPTS, args, flag)].map(
        (each) => ({ ...each, frozen: true as const }),
      );
    },
    /** Without the lock: the first rung where there is none. */
    unlocked: (id: string, args: readonly string[]): Rung[] =>
      hasLock
        ? [{ ...rung(id, GONE, args), curesBuild: ANOTHER_SYSTEM }]
        : [rung(id, 'any', args), ...noDownloads(id, args)],
    /** Without the lock too, where the manager can leave it out. */
    withoutScripts: (
      name: string,
      args: readonly string[],
      flag: NoScripts,
      cures: readonly CauseKind[] = [...SCRIPTS, ...GONE],
    ): Rung => without(`${name}-no-scripts`, cures, args, flag),
    asOfCommit(name: string, args: readonly string[], flag: NoScripts): Rung[] {
      const id = `${name}-as-of-commit`;
      return [
        { ...rung(id, 'any', args), curesBuild: TODAY },
        ...noDownloads(id, args),
        without(`${id}-no-scripts`, SCRIPTS, args, flag),
      ].map((each) => ({ ...each, asOfCommit: true as const }));
    },
  };
}

/**
 * Managers that can't leave out their lock hand over to npm, which knows nothing of it; Yarn 1 because it also looks up
 * the optional packages of every other platform, and fails when one of them can't be had.
 */
function npmInstead({ npm }: Rungs): Rung[] {
  const args = ['install', NO_LOCK, LEGACY_PEERS];
  return [
    // A lock of Yarn or Bun names the registry of its authors for each package.
    { id: 'npm-instead', cures: [...GONE, 'network'], curesBuild: ANOTHER_SYSTEM, steps: [npm(args)] },
    { id: 'npm-instead-no-scripts', cures: SCRIPTS, steps: [npm([...args, NO_SCRIPTS])] },
  ];
}

/** Also for managers that know no date. */
function npmAsOfCommit({ npm, root, options, manager }: Rungs): Rung[] {
  const args = ['install', NO_LOCK, '--before={date}'];
  const native = manager.name === 'bun' ? [] : options.native.map((name) => npm(['rebuild', name]));
  const rungs: Rung[] = [
    { id: 'npm-as-of-commit', cures: 'any', curesBuild: TODAY, steps: [npm(args)] },
    ...(options.downloads
      ? [{ id: 'npm-as-of-commit-no-downloads', cures: DOWNLOADED, steps: [npm(args, root, WITHOUT_DOWNLOADS)] }]
      : []),
    {
      id: 'npm-as-of-commit-legacy-peers',
      cures: ['incompatible-dependency'],
      steps: [npm([...args, LEGACY_PEERS])],
    },
    {
      id: 'npm-as-of-commit-no-scripts',
      cures: SCRIPTS,
      steps: [npm([...args, LEGACY_PEERS, NO_SCRIPTS])],
      ...(native.length > 0 ? { afterwards: native } : {}),
    },
  ];
  return rungs.map((rung) => ({ ...rung, asOfCommit: true as const }));
}

/**
 * The last resort when the registry lacks something: often a tool that only its authors need and can reach (their own
 * lint rules, a test runner). npm takes those out of the manifests of our copy.
 */
function withoutDispensable({ manager, options, root, command, npm }: Rungs): Rung[] {
  const { dispensable, ignoreWorkspace } = options;
  const removals = [...dispensable].flatMap(([dir, names]) =>
    names.length === 0 ? [] : [npm(['pkg', 'delete', ...names.map((name) => `devDependencies.${name}`)], dir)],
  );
  if (removals.length === 0) return [];
  const alone = ignoreWorkspace ? ['--ignore-workspace'] : [];
  const installs: Readonly<Record<typeof manager.name, Command>> = {
    npm: npm(['install', NO_LOCK, LEGACY_PEERS, NO_SCRIPTS]),
    pnpm: command(['install', '--no-frozen-lockfile', '--no-lockfile', NO_SCRIPTS, ...alone]),
    'yarn-classic': command(['install', '--non-interactive', '--ignore-engines', '--no-lockfile', NO_SCRIPTS]),
    'yarn-berry': command(['install', '--no-immutable'], root, { YARN_ENABLE_SCRIPTS: 'false' }),
    bun: command(['install', NO_SCRIPTS]),
  };
  const steps = [...removals, installs[manager.name]];
  return [{ id: `${manager.name}-without-dev-tools`, cures: ['version-not-found'], steps }];
}
