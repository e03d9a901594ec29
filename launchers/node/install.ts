/** What a package manager runs for a project: its install ladder, scripts, and commands of its own. */

import { relative } from '../paths.ts';
import type { Command, Overrides, Rung, Tool } from '../plan.ts';
import { ALLOWED, IMPATIENT, installerEnv } from './installer-env.ts';
import { createLadder } from './ladder.ts';
import type { Manager } from './manager.ts';

/** Commands of one project and manager: `run` for build scripts too. */
export interface Installer {
  readonly tools: readonly Tool[];
  readonly rungs: readonly Rung[];
  /** `npm run build` and its kin, in a folder below the install's. */
  run(script: string, dir: string): Command;
  /** A manager's own command, e.g. pnpm's filtered run. */
  command(args: readonly string[], cwd?: string): Command;
}

/** What the ladder of a project depends on besides its manager. */
export interface InstallOptions {
  /** The project has no pnpm workspace, and wants none that stands above it. */
  readonly ignoreWorkspace: boolean;
  /** False where a package names another one in a way that npm doesn't know (`workspace:`, `catalog:`). */
  readonly npmCanRead: boolean;
  /** A dependency fetches browsers or the like when it is installed. */
  readonly downloads: boolean;
  /** The lock holds packages that come from git. */
  readonly locksGit?: boolean;
  /** Its .npmrc names a registry. */
  readonly namesRegistry?: boolean;
  /** Packages to build one by one after an install without scripts. */
  readonly native: readonly string[];
  /** devDependencies that no build calls, by folder. */
  readonly dispensable: ReadonlyMap<string, readonly string[]>;
  readonly allowScripts: Overrides['allowScripts'];
  /** Filters for pnpm that leave out the members that this one doesn't need; [] outside of a workspace. */
  readonly focus?: readonly string[];
}

/** What the ladder is made of. */
export interface Rungs {
  readonly root: string;
  readonly manager: Manager;
  readonly options: InstallOptions;
  /** The manager's own command at the root. */
  command(args: readonly string[], cwd?: string, extra?: Command['env']): Command;
  npm(args: readonly string[], cwd?: string, extra?: Command['env']): Command;
  /** Runs the install scripts of one package that is installed; `extra` may allow them. */
  rebuild(name: string, extra?: Command['env']): Command;
}

/** `root` is the folder of the lock; everything runs there. */
export function createInstaller(manager: Manager, root: string, options: InstallOptions): Installer {
  const patience = options.namesRegistry === true ? IMPATIENT : {};
  const env = { ...installerEnv(manager, options.allowScripts), ...patience };
  const npmEnv = { ...installerEnv({ ...manager, name: 'npm', pinned: null }, options.allowScripts), ...patience };
  const command: Rungs['command'] = (args, cwd = root, extra = {}) =>
    manager.vendored === null
      ? { program: program(manager), args, cwd, env: { ...env, ...extra } }
      : { program: 'node', args: [relative(cwd, manager.vendored), ...args], cwd, env: { ...env, ...extra } };
  const npm: Rungs['npm'] = (args, cwd = root, extra = {}) => ({
    program: 'npm',
    args,
    cwd,
    env: { ...npmEnv, ...extra },
  });
  const rebuild: Rungs['rebuild'] = (name, extra = {}) => {
    switch (manager.name) {
      case 'pnpm':
      case 'yarn-berry':
        return command(['rebuild', name], root, extra);
      case 'bun':
        return command(['pm', 'trust', name], root, extra);
      default:
        return npm(['rebuild', name], root, extra);
    }
  };
  const parts: Rungs = { root, manager, options, command, npm, rebuild };
  return {
    tools: toolsOf(manager),
    rungs: createLadder(parts).map((rung) => withAllowed(rung, parts)),
    run: (script, dir) => command(['run', script], dir),
    command: (args, cwd) => command(args, cwd),
  };
}

/** The packages that the owner allows run their scripts after every install, whatever the manager thinks of them. */
function withAllowed(rung: Rung, { manager, options, rebuild }: Rungs): Rung {
  const { allowScripts: allowed } = options;
  if (allowed === undefined || manager.name === 'yarn-classic') return rung;
  if (manager.name === 'bun') {
    // Bun fails where there is nothing left to trust.
    const trust = allowed === true ? [rebuild('--all')] : allowed.map((name) => rebuild(name));
    return { ...rung, afterwards: [...trust, ...(rung.afterwards ?? [])] };
  }
  if (allowed === true) return rung;
  return { ...rung, steps: [...rung.steps, ...allowed.map((name) => rebuild(name, ALLOWED[manager.name]))] };
}

const program = ({ name }: Manager): string => (name.startsWith('yarn') ? 'yarn' : name);

function toolsOf(manager: Manager): Tool[] {
  const npm: Tool = { name: 'npm', version: null };
  if (manager.name === 'npm') return [npm];
  const own: Tool[] = manager.vendored === null ? [{ name: program(manager), version: manager.version }] : [];
  return [...own, npm];
}
