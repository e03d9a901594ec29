/** How cargo is asked to build the one program: a ladder from the lock file to what can be done without. */

import { join } from '../paths.ts';
import type { CauseKind, Command, FileView, Rung } from '../plan.ts';
import type { Program } from './choose.ts';
import { frugalFeatures, neededFeatures } from './features.ts';
import type { Toolchain } from './toolchain.ts';
import type { CargoProject } from './workspace.ts';

/**
 * A program that is built once and used by one person is wanted soon, and authors' release profiles are for the many.
 * Measured on a server of 300 crates, seconds of processor: as declared 300, this 230. What such servers do (JSON, search,
 * hashes) takes at most 1.6 times as long. `lto = true` with one codegen unit takes no more of the processor (286), but
 * uses only one, and twice the memory.
 */
const PROFILE = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: '1',
  CARGO_PROFILE_RELEASE_LTO: 'off',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
  CARGO_PROFILE_RELEASE_DEBUG: '0',
} as const;

const ENV = { ...PROFILE, CARGO_TERM_COLOR: 'never' } as const;

/** Where cargo puts what it builds, below the package's folder; a setting of the user's or the project's plays no part. */
export const TARGET = 'target';

/** The program's file after a build for this machine. */
export const builtAt = ({ package: { dir }, bin }: Program): string => join(dir, TARGET, 'release', bin.name);

export function planInstall(
  view: FileView,
  project: CargoProject,
  program: Program,
  pinned: Toolchain | null,
): readonly Rung[] {
  const { dir } = program.package;
  const needed = neededFeatures(program);
  const frugal = frugalFeatures(view, project.lock, program);
  const features = (names: readonly string[]) => (names.length === 0 ? [] : ['--features', names.join(',')]);
  const build = (extra: readonly string[], env: Command['env'] = {}): Command => ({
    program: 'cargo',
    args: ['build', '--release', '--bin', program.bin.name, '--target-dir', TARGET, ...extra],
    cwd: dir,
    env: { ...ENV, ...env },
  });
  const plain = features(needed);
  const afterwards = [leaveOutParts(dir)];
  const rung = (id: string, cures: readonly CauseKind[], ...steps: readonly Command[]): Rung => ({
    id,
    cures,
    steps,
    afterwards,
  });
  const later: readonly Rung[] = [
    ...(project.lock === null ? [] : [rung('cargo-build', ['lock-out-of-date', 'version-not-found'], build(plain))]),
    // Code for nightly compiles with the same release of stable, when it is told that it may.
    ...(/^nightly/.test(pinned?.channel ?? '')
      ? [rung('cargo-build-unstable', ['engine-mismatch'], build(plain, { RUSTC_BOOTSTRAP: '1' }))]
      : []),
    rung('cargo-build-any-rust', ['engine-mismatch'], build([...plain, '--ignore-rust-version'])),
    rung(
      'cargo-update',
      ['lock-out-of-date', 'version-not-found', 'incompatible-dependency'],
      // Newest versions that this Rust can build, not newest of all.
      { program: 'cargo', args: ['update'], cwd: dir, env: { ...ENV, ...FITTING } },
      build([...plain, '--ignore-rust-version']),
    ),
    ...(frugal === null
      ? []
      : [
          rung(
            `cargo-build-without-${frugal.without.join('-')}`,
            ['missing-library', 'missing-program', 'install-script-failed'],
            build(['--no-default-features', ...features([...new Set([...frugal.left, ...needed])])]),
          ),
        ]),
  ];
  const first: Rung = {
    id: project.lock === null ? 'cargo-build' : 'cargo-build-locked',
    cures: 'any',
    steps: [build([...plain, ...(project.lock === null ? [] : ['--locked'])])],
    afterwards,
    ...(project.lock === null ? {} : { frozen: true }),
  };
  return [first, ...later];
}

/** Compiled crates are five sixths of what a build leaves, and of no use to the program that was linked from them. */
const leaveOutParts = (cwd: string): Command => ({
  program: 'find',
  args: [TARGET, '-type', 'f', '(', ...['*.rlib', '*.rmeta', '*.a', '*.o'].flatMap(each), ')', '-delete'],
  cwd,
});
const each = (name: string, index: number): string[] => [...(index === 0 ? [] : ['-o']), '-name', name];

const FITTING = { CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS: 'fallback' } as const;
