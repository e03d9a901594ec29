/** Gems by Bundler, into the project's own tree. */

import { dirname, relative } from '../paths.ts';
import type { CauseKind, Command, Rung, Tool } from '../plan.ts';
import { GEMS, type RubyProject } from './project.ts';
import { inlineGems } from './source.ts';

/** Where gems go; a committed `.bundle/config` would win over variables, so Bundler looks for it elsewhere. */
export const BUNDLER = { BUNDLE_PATH: GEMS, BUNDLE_APP_CONFIG: 'vendor/bundle-config' } as const;

const INSTALL = {
  ...BUNDLER,
  BUNDLE_WITHOUT: 'development:test',
  BUNDLE_JOBS: '4',
  BUNDLE_RETRY: '1',
  BUNDLE_SILENCE_ROOT_WARNING: '1',
  BUNDLE_DISABLE_VERSION_CHECK: '1',
  BUNDLE_IGNORE_MESSAGES: '1',
  // The version that wrote the lock would be fetched and started instead.
  BUNDLE_VERSION: 'system',
} as const;

const STALE: readonly CauseKind[] = ['lock-out-of-date', 'engine-mismatch', 'incompatible-dependency', 'unknown'];

export interface RubyInstall {
  readonly rungs: readonly Rung[];
  readonly tools: readonly Tool[];
}

/** `entryText` is what is started: a script may bring its own list of gems. */
export function planInstall(dir: string, project: RubyProject, entryText: string): RubyInstall {
  const { gemfile, lock, gemspec, requiresRuby } = project;
  const ruby: Tool = { name: 'ruby', version: requiresRuby?.range ?? null };
  const bundle = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Command => ({
    program: 'ruby',
    // The `bundle` of this Ruby: the first on PATH may be another one's.
    args: ['-S', 'bundle', ...args],
    cwd: gemfile === null ? dir : dirname(gemfile),
    env: { ...INSTALL, ...env },
  });
  const inline = inlineGems(entryText);
  if (inline !== null) {
    const args = ['-S', 'gem', 'install', '--no-document', '--conservative', '--install-dir', GEMS, ...inline];
    const step = { program: 'ruby', args, cwd: dir };
    return { rungs: inline.length === 0 ? [] : [{ id: 'gem-install', cures: 'any', steps: [step] }], tools: [ruby] };
  }
  if (gemfile === null && gemspec === null) return { rungs: [], tools: [ruby] };
  const tools: Tool[] = [ruby, { name: 'bundle', version: null }];
  if (gemfile === null && gemspec !== null) {
    // A gem without a Gemfile: one that names nothing but it.
    const steps = [bundle(['init', `--gemspec=${relative(dir, gemspec)}`]), bundle(['install'])];
    return { rungs: [{ id: 'bundle-init-install', cures: 'any', steps }], tools };
  }
  const rung = (
    id: string,
    cures: Rung['cures'],
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Rung => ({
    id,
    cures,
    steps: [bundle(args, env)],
  });
  const rungs: Rung[] =
    lock === null
      ? [rung('bundle-install', 'any', ['install'])]
      : [
          { ...rung('bundle-install-frozen', 'any', ['install'], { BUNDLE_FROZEN: 'true' }), frozen: true },
          rung('bundle-install', STALE, ['install']),
          rung('bundle-update', [...STALE, 'version-not-found', 'build-failed'], ['update', '--all']),
        ];
  return { rungs, tools };
}
