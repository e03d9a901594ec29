/** What a Deno program imports, fetched beforehand into Deno's own cache (the user's), from its entry on. */

import { relative } from '../paths.ts';
import type { CauseKind, Command, Rung } from '../plan.ts';
import type { DenoProject } from './config.ts';

/** Errors as plain text; no note of newer versions. */
export const QUIET = { NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' } as const;

const STALE: readonly CauseKind[] = ['lock-out-of-date', 'unknown', 'missing-module'];

/**
 * `deno install` without an entry would also fetch what only tests import; with one, it fetches what the program does, and
 * makes the node_modules that a package.json beside it asks for.
 */
export function planInstall(dir: string, { lock }: DenoProject, entry: string): Rung[] {
  const install = (...options: string[]): Command => ({
    program: 'deno',
    args: ['install', ...options, '--entrypoint', relative(dir, entry)],
    cwd: dir,
    env: QUIET,
  });
  // Deno writes what it resolved into a lock, which the start then holds to.
  const asOfCommit: Rung = {
    id: 'deno-install-as-of-commit',
    cures: 'any',
    asOfCommit: true,
    steps: [install('--frozen=false', '--minimum-dependency-age={date}')],
  };
  if (lock === null) return [{ id: 'deno-install', cures: 'any', steps: [install()] }, asOfCommit];
  // A start without its lock would resolve by the lock again, so it goes.
  const code = `Deno.removeSync(${JSON.stringify(relative(dir, lock))})`;
  const remove: Command = { program: 'deno', args: ['eval', '--no-lock', code], cwd: dir, env: QUIET };
  return [
    { id: 'deno-install-frozen', cures: 'any', frozen: true, steps: [install('--frozen')] },
    { id: 'deno-install', cures: STALE, steps: [install('--frozen=false')] },
    { id: 'deno-install-no-lock', cures: [...STALE, 'version-not-found'], steps: [remove, install('--frozen=false')] },
    { ...asOfCommit, steps: [remove, ...asOfCommit.steps] },
  ];
}
