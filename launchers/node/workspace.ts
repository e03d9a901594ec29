/** The workspace that a folder is a member of: installs run at its root, where the lock file is. */

import { asStrings, readManifest } from '../parse.ts';
import { basename, dirname, globToRegExp, isBelow, join, relative, upwards } from '../paths.ts';
import type { FileView } from '../plan.ts';
import { type PackageJson, toPackageJson } from './package-json.ts';

export interface Workspace {
  /** Folder with the workspace list. */
  readonly root: string;
  /** File that holds the list. */
  readonly file: string;
  readonly rootPackage: PackageJson | null;
  /** Folders of all members, sorted. */
  readonly members: readonly string[];
}

/** package.json of a folder; null when absent or broken. */
export function packageAt(view: FileView, dir: string): PackageJson | null {
  const parsed = readManifest(view, join(dir, 'package.json'));
  return parsed?.ok ? toPackageJson(parsed.fields) : null;
}

/** The workspace whose root is `dir` itself; null when it declares none. */
export function workspaceAt(view: FileView, dir: string): Workspace | null {
  const rootPackage = packageAt(view, dir);
  const pnpmFile = join(dir, 'pnpm-workspace.yaml');
  const pnpm = readManifest(view, pnpmFile);
  // A pnpm-workspace.yaml without `packages` only holds settings.
  const pnpmGlobs = pnpm?.ok ? asStrings(pnpm.fields.packages) : [];
  const globs = pnpmGlobs.length > 0 ? pnpmGlobs : rootPackage?.workspaces;
  if (globs === undefined || globs === null || globs.length === 0) return null;
  return {
    root: dir,
    file: pnpmGlobs.length > 0 ? pnpmFile : join(dir, 'package.json'),
    rootPackage,
    members: membersOf(view, dir, globs),
  };
}

/** The nearest workspace that has `dir` as a member; null for a project of its own. */
export function workspaceAround(view: FileView, dir: string): Workspace | null {
  for (const root of upwards(dir).slice(1)) {
    const workspace = workspaceAt(view, root);
    if (workspace?.members.includes(dir)) return workspace;
  }
  return null;
}

function membersOf(view: FileView, root: string, globs: readonly string[]): string[] {
  const wanted = globs.filter((glob) => !glob.startsWith('!')).map(globToRegExp);
  const excluded = globs.filter((glob) => glob.startsWith('!')).map((glob) => globToRegExp(glob.slice(1)));
  return view.files
    .filter((file) => basename(file) === 'package.json' && isBelow(file, root))
    .map(dirname)
    .filter((dir) => {
      const path = relative(root, dir);
      return dir !== root && wanted.some((glob) => glob.test(path)) && !excluded.some((glob) => glob.test(path));
    });
}

/** Members that a member depends on, transitively, in the order in which they have to be built; itself last. */
export function buildOrder(view: FileView, workspace: Workspace, member: string): string[] {
  const byName = new Map(
    workspace.members.flatMap((dir) => {
      const name = packageAt(view, dir)?.name;
      return name === undefined || name === '' ? [] : [[name, dir] as const];
    }),
  );
  const order: string[] = [];
  const visit = (dir: string, path: readonly string[]): void => {
    if (order.includes(dir) || path.includes(dir)) return;
    for (const dependency of packageAt(view, dir)?.dependencies.keys() ?? []) {
      const below = byName.get(dependency);
      if (below !== undefined) visit(below, [...path, dir]);
    }
    order.push(dir);
  };
  visit(member, []);
  return order;
}
