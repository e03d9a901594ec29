/** What go.mod and go.work say. */

import { basename, dirname, join, relative, upwards } from '../paths.ts';
import type { FileView } from '../plan.ts';

export interface GoModule {
  /** Folder of its go.mod. */
  readonly dir: string;
  readonly file: string;
  /** Import path, '' when it names none. */
  readonly path: string;
  /** The `go` directive (`1.26.4`), with its line; null without one. */
  readonly go: { readonly version: string; readonly line: number } | null;
  /** Paths of the modules that it requires, with their lines. */
  readonly requires: ReadonlyMap<string, number>;
}

/** The module whose go.mod lies in the folder; null without one. */
export function readModule(view: FileView, dir: string): GoModule | null {
  const file = join(dir, 'go.mod');
  const text = view.files.includes(file) ? view.read(file) : undefined;
  if (text === undefined) return null;
  const requires = new Map<string, number>();
  let path = '';
  let go: GoModule['go'] = null;
  let block = '';
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const words = raw
      .replace(/\/\/.*$/, '')
      .trim()
      .split(/\s+/);
    const [first = '', second = ''] = words;
    if (first === ')') block = '';
    else if (second === '(') block = first;
    else if (block === 'require' && first !== '') requires.set(unquoted(first), index + 1);
    else if (first === 'require') requires.set(unquoted(second), index + 1);
    else if (first === 'module') path = unquoted(second);
    else if (first === 'go') go = { version: second, line: index + 1 };
  }
  return { dir, file, path, go, requires };
}

/** The module that a folder belongs to: the nearest go.mod above it. */
export function moduleAbove(view: FileView, dir: string): GoModule | null {
  const home = upwards(dir).find((folder) => view.files.includes(join(folder, 'go.mod')));
  return home === undefined ? null : readModule(view, home);
}

/** Folders that the go.work of this folder uses; [] without one. Those that lie outside of the tree are left out. */
export function workspaceMembers(view: FileView, dir: string): string[] {
  const text = view.read(join(dir, 'go.work')) ?? '';
  const lists = [...text.matchAll(/^\s*use\s*(?:\(([^)]*)\)|(\S+))/gm)];
  return lists
    .flatMap(([, block, one]) => (block ?? one ?? '').split('\n'))
    .map((line) => unquoted(line.replace(/\/\/.*$/, '').trim()))
    .filter((path) => path !== '' && !path.startsWith('/'))
    .map((path) => join(dir, path))
    .filter((folder) => view.files.includes(join(folder, 'go.mod')));
}

/** True when a go.work of this folder or one above makes the module a part of a workspace. */
export const inWorkspace = (view: FileView, dir: string): boolean =>
  upwards(dir).some((folder) => view.files.includes(join(folder, 'go.work')));

/** `github.com/acme/weather/v2` → `weather`: what the module is called, and its program, unless that says otherwise. */
export const moduleName = ({ path }: GoModule): string => basename(path.replace(/\/v\d+$/, ''));

/**
 * The first module that it requires and that MCP servers are written with, null when there is none: the official SDK, and
 * those that are called mcp, mcp-go, go-mcp, mcp-golang, mcp-go-sdk and the like.
 */
export function sdkOf({ requires, path }: GoModule): string | null {
  return [...requires.keys()].find((required) => required !== path && isSdk(required)) ?? null;
}

/** True for the path of an SDK’s module; also for a package of it. */
export const isSdk = (path: string): boolean =>
  path.split('/').some((part, index) => index > 0 && NAME.test(part)) || /\bmodelcontextprotocol\//.test(path);

const NAME = /^((go|trpc)-?)?mcp(-?(go|golang|sdk|server|framework))*$|^foxy-contexts$/;

/** The folder of an import path, null when another module holds it. */
export function folderOf(module: GoModule, imported: string): string | null {
  if (imported === module.path) return module.dir;
  return module.path !== '' && imported.startsWith(`${module.path}/`)
    ? join(module.dir, imported.slice(module.path.length + 1))
    : null;
}

/** How a folder is written on the command line of a build in the module: `.`, `./cmd/weather`. */
export function packageArgument(module: string, dir: string): string {
  const path = relative(module, dir);
  return path === '.' ? '.' : `./${path}`;
}

/** What a program built from the folder is called. */
export const programName = (module: GoModule | null, dir: string): string => {
  const own = basename(dir);
  const outer = module === null ? '' : moduleName(module);
  if (dir === (module?.dir ?? '') || own === '') return outer || own;
  return /^(cmd|app|src|main)$/.test(own) ? nameAbove(dir, module) : own;
};

/** `cmd/main.go` is the module’s program, `cmd/weather/app/main.go` that of `cmd/weather`. */
function nameAbove(dir: string, module: GoModule | null): string {
  const above = dirname(dir);
  return above === (module?.dir ?? '') ? (module && moduleName(module)) || basename(above) : basename(above);
}

const unquoted = (word: string): string => word.replace(/^["`](.*)["`]$/, '$1');
