/** All packages that a folder's Cargo.toml stands for: its own, its workspace's members, and what they inherit. */

import { asFields, asStrings, type Fields, readManifest } from '../parse.ts';
import { basename, dirname, globToRegExp, isBelow, join, relative, upwards } from '../paths.ts';
import type { FileView, Refusal } from '../plan.ts';
import { type CargoPackage, type Inherited, NOTHING_INHERITED, toPackage } from './manifest.ts';

export interface CargoProject {
  /** Cargo.toml of the folder. */
  readonly file: string;
  /** The folder's own package first, then members in the order of their paths. */
  readonly packages: readonly CargoPackage[];
  /** Folders that `cargo` means when none is named; empty when nothing narrows it down. */
  readonly defaultMembers: readonly string[];
  /** Where Cargo.lock, the toolchain file and the target folder's settings are. */
  readonly root: string;
  readonly lock: string | null;
}

/** The folder's project; a refusal when its own Cargo.toml is broken. A broken member is left out. */
export function readProject(view: FileView, dir: string): CargoProject | Refusal {
  const file = join(dir, 'Cargo.toml');
  const parsed = readManifest(view, file);
  if (parsed === null) return { file, packages: [], defaultMembers: [], root: dir, lock: null };
  if (!parsed.ok) return parsed.refusal;
  const workspace = parsed.fields.workspace === undefined ? workspaceAround(view, dir) : { dir, fields: parsed.fields };
  const inherited = workspace === null ? NOTHING_INHERITED : inheritedFrom(workspace);
  const own = toPackage(view, dir, parsed.fields, inherited);
  const members = workspace?.dir === dir ? membersOf(view, dir, parsed.fields, inherited, own) : [];
  const root = workspace?.dir ?? dir;
  const lock = join(root, 'Cargo.lock');
  return {
    file,
    packages: [...(own === null ? [] : [own]), ...members],
    defaultMembers:
      workspace?.dir === dir
        ? foldersOf(view, dir, asStrings(asFields(parsed.fields.workspace)['default-members']))
        : [],
    root,
    lock: view.files.includes(lock) ? lock : null,
  };
}

interface Workspace {
  readonly dir: string;
  readonly fields: Fields;
}

/** The nearest Cargo.toml above with a workspace: cargo takes that one, member or not. */
function workspaceAround(view: FileView, dir: string): Workspace | null {
  for (const above of upwards(dir).slice(1)) {
    const parsed = readManifest(view, join(above, 'Cargo.toml'));
    if (parsed?.ok && parsed.fields.workspace !== undefined) {
      const excluded = foldersOf(view, above, asStrings(asFields(parsed.fields.workspace).exclude));
      return excluded.some((folder) => isBelow(dir, folder)) ? null : { dir: above, fields: parsed.fields };
    }
  }
  return null;
}

function inheritedFrom({ dir, fields }: Workspace): Inherited {
  const workspace = asFields(fields.workspace);
  return { dir, package: asFields(workspace.package), dependencies: asFields(workspace.dependencies) };
}

/** Listed members, and packages of the tree that members depend on by path: those are members too. */
function membersOf(
  view: FileView,
  dir: string,
  fields: Fields,
  inherited: Inherited,
  own: CargoPackage | null,
): CargoPackage[] {
  const workspace = asFields(fields.workspace);
  const excluded = foldersOf(view, dir, asStrings(workspace.exclude));
  const found = new Map<string, CargoPackage>();
  const queue = foldersOf(view, dir, asStrings(workspace.members));
  const follow = (each: CargoPackage) =>
    queue.push(...each.dependencies.flatMap(({ path }) => (path !== null && isBelow(path, dir) ? path : [])));
  if (own !== null) follow(own);
  for (let folder = queue.shift(); folder !== undefined; folder = queue.shift()) {
    if (folder === dir || found.has(folder) || excluded.some((each) => isBelow(folder ?? '', each))) continue;
    const parsed = readManifest(view, join(folder, 'Cargo.toml'));
    const member = parsed?.ok ? toPackage(view, folder, parsed.fields, inherited) : null;
    if (member === null) continue;
    found.set(folder, member);
    follow(member);
  }
  return [...found.values()].sort((a, b) => (a.dir < b.dir ? -1 : 1));
}

function foldersOf(view: FileView, dir: string, globs: readonly string[]): string[] {
  const wanted = globs.map(globToRegExp);
  return view.files
    .filter((file) => basename(file) === 'Cargo.toml' && isBelow(file, dir))
    .map(dirname)
    .filter((folder) => {
      const path = folder === dir ? '' : relative(dir, folder);
      return wanted.some((glob) => glob.test(path));
    });
}
