/** Packages by Composer, into the project's own vendor. */

import { relative } from '../paths.ts';
import type { CauseKind, Command, Rung, Tool } from '../plan.ts';
import type { PhpProject } from './project.ts';

/** Wide, because Composer breaks its errors into boxes at the width of the terminal that it thinks it has. */
const ENV = {
  COMPOSER_NO_INTERACTION: '1',
  COMPOSER_ALLOW_SUPERUSER: '1',
  COMPOSER_NO_AUDIT: '1',
  COLUMNS: '500',
} as const;

const QUIET = ['--no-interaction', '--no-progress', '--no-ansi'];
const STALE: readonly CauseKind[] = ['lock-out-of-date', 'version-not-found', 'engine-mismatch', 'unknown'];
const SCRIPTS: readonly CauseKind[] = ['install-script-failed', 'missing-module', 'missing-program'];

export interface PhpInstall {
  readonly rungs: readonly Rung[];
  readonly tools: readonly Tool[];
}

export function planInstall(dir: string, project: PhpProject): PhpInstall {
  const { hasComposer, phar, lock, packages, requiresPhp } = project;
  const php: Tool = { name: 'php', version: requiresPhp };
  if (!hasComposer) return { rungs: [], tools: [php] };
  const composer = (args: readonly string[]): Command =>
    phar === null
      ? { program: 'composer', args, cwd: dir, env: ENV }
      : { program: 'php', args: [relative(dir, phar), ...args], cwd: dir, env: ENV };
  const rung = (id: string, cures: Rung['cures'], ...args: string[]): Rung => ({
    id,
    cures,
    steps: [composer([...args, ...QUIET])],
  });
  const tools: Tool[] = phar === null ? [php, { name: 'composer', version: null }] : [php];
  if (packages.length === 0 && lock === null) {
    // An install would ask the registry about development's packages, and then leave them out.
    const args = ['dump-autoload', '--no-dev', '--no-interaction', '--no-ansi'];
    return { rungs: [{ id: 'composer-dump-autoload', cures: 'any', steps: [composer(args)] }], tools };
  }
  return {
    rungs: [
      rung('composer-install', 'any', 'install', '--no-dev'),
      rung('composer-install-no-scripts', SCRIPTS, 'install', '--no-dev', '--no-scripts', '--no-plugins'),
      ...(lock === null ? [] : [rung('composer-update', STALE, 'update', '--no-dev')]),
      // What an extension is for may never be called; when it is, the failure names it.
      rung(
        'composer-install-no-extensions',
        ['missing-library', ...SCRIPTS, ...STALE],
        'update',
        '--no-dev',
        '--no-scripts',
        '--ignore-platform-req=ext-*',
      ),
    ],
    tools,
  };
}
