/** Which package manager a Node project wants; order of `ours` in the detection rules. */

import semver from 'semver';
import { asFields, asString } from '../parse.ts';
import { join } from '../paths.ts';
import type { Evidence, FileView } from '../plan.ts';
import type { PackageJson } from './package-json.ts';

export type ManagerName = 'npm' | 'pnpm' | 'yarn-classic' | 'yarn-berry' | 'bun';

export interface Manager {
  readonly name: ManagerName;
  /** Range for the tool; null takes any. */
  readonly version: string | null;
  /** Version that the project names, as it stands there; null when it names none. */
  readonly pinned: string | null;
  /** Path of its lock file, null when there is none. */
  readonly lock: string | null;
  /** A copy of Yarn that the repository carries (`yarnPath`), run with node instead of a yarn of ours. */
  readonly vendored: string | null;
  readonly evidence: Evidence;
}

const LOCKS: readonly (readonly [file: string, manager: 'npm' | 'pnpm' | 'yarn' | 'bun'])[] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['yarn.lock', 'yarn'],
  ['npm-shrinkwrap.json', 'npm'],
  ['package-lock.json', 'npm'],
];

/** `dir` is where the install runs: the workspace root of a member. */
export function chooseManager(view: FileView, dir: string, manifest: PackageJson | null): Manager {
  const locks = LOCKS.filter(([file]) => view.files.includes(join(dir, file)));
  const lockOf = (name: string) => {
    const file = locks.find(([, manager]) => manager === name)?.[0];
    return file === undefined ? null : join(dir, file);
  };
  const make = (name: string, version: string | null, file: string, says: string): Manager => {
    const lock = lockOf(name);
    const evidence = { file, says };
    const vendored = null;
    if (name === 'yarn') return yarn(view, dir, version, lock, evidence);
    const rest = { pinned: version, lock, vendored, evidence };
    if (name === 'pnpm') return { name, version: pnpmRange(view, lock, version), ...rest };
    return { name: name === 'bun' ? 'bun' : 'npm', version: null, ...rest };
  };

  const vendored = vendoredYarn(view, dir);
  if (vendored !== null) {
    const evidence = { file: join(dir, '.yarnrc.yml'), says: `carries its own Yarn at ${vendored}` };
    const pinned = /(\d+\.\d+\.\d+)\S*$/.exec(vendored)?.[1] ?? null;
    return { name: 'yarn-berry', version: null, pinned, lock: lockOf('yarn'), vendored, evidence };
  }
  const named = namedManager(manifest);
  if (named !== null) return make(named.name, named.version, join(dir, 'package.json'), named.says);

  const [first] = locks;
  if (first !== undefined) {
    const kinds = new Set(locks.map(([, manager]) => manager));
    // With several kinds of lock the rank is a guess; what its own scripts call is what its authors use.
    const called = kinds.size > 1 ? locks.find(([, manager]) => calls(manifest, manager)) : undefined;
    const [file, manager] = called ?? first;
    return make(
      manager,
      null,
      join(dir, file),
      called ? `one of several locks; scripts call ${manager}` : `is ${manager}’s lock`,
    );
  }
  const engines = asFields(manifest?.fields.engines);
  const engine = ['pnpm', 'bun', 'yarn'].find((name) => name in engines);
  if (engine !== undefined && !(engine === 'bun' && 'node' in engines && !calls(manifest, 'bun'))) {
    return make(engine, asString(engines[engine]), join(dir, 'package.json'), `engines names ${engine}`);
  }
  return make('npm', null, join(dir, 'package.json'), 'names no package manager and has no lock: npm');
}

const calls = (manifest: PackageJson | null, manager: string): boolean =>
  Object.values(manifest?.scripts ?? {}).some((script) =>
    new RegExp(`(^|[\\s;&|"'])${manager}x?\\s+(run|ci|install|i|exec|build|test|--|-w|-r|-F|x)\\b`).test(script),
  );

/** `packageManager: "pnpm@9.1.0+sha512…"`, or `devEngines.packageManager`. */
function namedManager(manifest: PackageJson | null): { name: string; version: string | null; says: string } | null {
  const field = asString(manifest?.fields.packageManager);
  const match = /^(npm|pnpm|yarn|bun)@([^+\s]+)/.exec(field ?? '');
  if (match)
    return { name: match[1] ?? '', version: match[2] ?? null, says: `packageManager is ${match[1]}@${match[2]}` };
  const wanted = asFields(manifest?.fields.devEngines).packageManager;
  const { name, version } = asFields(Array.isArray(wanted) ? wanted[0] : wanted);
  if (typeof name !== 'string' || !['npm', 'pnpm', 'yarn', 'bun'].includes(name)) return null;
  return { name, version: asString(version), says: `devEngines names ${name}` };
}

/** pnpm by the lock's format: 5.3 → 6, 5.4 → 7, 6 → 8, 9 → 10 (the newest that runs on Node 20; 11 writes 9 as well). */
function pnpmRange(view: FileView, lock: string | null, version: string | null): string | null {
  const format = lock === null ? null : /^lockfileVersion:\s*['"]?([\d.]+)/m.exec(view.read(lock) ?? '')?.[1];
  if (format?.startsWith('5.3')) return '^6';
  if (format?.startsWith('5.')) return '^7';
  if (format?.startsWith('6.')) return '^8';
  // Without a lock any will do that the project accepts; an exact old one was meant.
  const old =
    version !== null &&
    semver.validRange(version) !== null &&
    !semver.intersects('^10', version) &&
    !semver.intersects('^9', version);
  return format == null && old && (majorOf(version) ?? 10) < 9 ? `^${majorOf(version)}` : '^10';
}

function yarn(view: FileView, dir: string, version: string | null, lock: string | null, evidence: Evidence): Manager {
  const text = lock === null ? '' : (view.read(lock) ?? '');
  const format = /^__metadata:\s*\n\s+version:\s*(\d+)/m.exec(text)?.[1];
  const isBerry =
    version !== null ? majorOf(version) !== 1 : format !== undefined || view.files.includes(join(dir, '.yarnrc.yml'));
  const rest = { pinned: version, lock, vendored: null, evidence };
  if (!isBerry) return { name: 'yarn-classic', version: '^1', ...rest };
  // The lock's format is each major's own: Yarn 4 would rewrite a lock of Yarn 3, which a frozen install refuses.
  const major =
    format === undefined ? Math.max(majorOf(version) ?? 4, 2) : Number(format) >= 8 ? 4 : Number(format) >= 5 ? 3 : 2;
  return { name: 'yarn-berry', version: `^${major}`, ...rest };
}

function vendoredYarn(view: FileView, dir: string): string | null {
  const path = /^yarnPath:\s*["']?([^"'\s#]+)/m.exec(view.read(join(dir, '.yarnrc.yml')) ?? '')?.[1];
  return path !== undefined && view.has(join(dir, path)) ? join(dir, path) : null;
}

const majorOf = (version: string | null): number | null =>
  version === null ? null : (semver.coerce(version)?.major ?? null);
