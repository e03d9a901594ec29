/** What a Python file imports, followed through the project's own modules. Read as text: nothing is run. */

import { dirname, join } from '../paths.ts';
import { distributionOf } from './distributions.ts';
import { isStdlib } from './stdlib.ts';
import type { Tree } from './tree.ts';

/** Where an import stands. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface Imports {
  /** Top-level names of other people's modules → the first place that imports them whatever happens. */
  readonly others: ReadonlyMap<string, Place>;
  /** The file itself and the project's own files that it imports, in the order they are reached. */
  readonly files: readonly string[];
}

/** More is not a server's own code; reading is what costs. */
const MAX_FILES = 150;

/** `roots` are the folders from which absolute imports are found (the project's, its `src`). */
export function readImports(view: Tree, roots: readonly string[], entry: string): Imports {
  const others = new Map<string, Place>();
  const seen = new Set<string>([entry]);
  const queue = [entry];
  for (let file = queue.shift(); file !== undefined && seen.size <= MAX_FILES; file = queue.shift()) {
    // A script finds its neighbours, a module those from the roots.
    const places = [...new Set([...roots, dirname(file)])];
    for (const { module, names, line, always } of view.importsOf(file)) {
      const own = module.startsWith('.')
        ? relativeFiles(view, file, module, names)
        : ownFiles(view, places, module, names);
      for (const each of own) {
        if (seen.has(each)) continue;
        seen.add(each);
        queue.push(each);
      }
      const top = module.split('.')[0] ?? '';
      if (always && own.length === 0 && top !== '' && !isStdlib(top) && !isOwn(view, places, top) && !others.has(top))
        others.set(top, { file, line });
    }
  }
  return { others, files: [...seen] };
}

const moduleFiles = (view: Tree, path: string): string[] =>
  [`${path}.py`, join(path, '__init__.py')].filter((file) => view.isFile(file)).slice(0, 1);

function relativeFiles(view: Tree, file: string, module: string, names: readonly string[]): string[] {
  const dots = /^\.*/.exec(module)?.[0].length ?? 0;
  let folder = dirname(file);
  for (let up = 1; up < dots; up++) folder = dirname(folder);
  return below(view, join(folder, module.slice(dots).replaceAll('.', '/')), names);
}

function ownFiles(view: Tree, roots: readonly string[], module: string, names: readonly string[]): string[] {
  const path = module.replaceAll('.', '/');
  const packages = module.split('.').map((_, at, parts) => parts.slice(0, at).join('/'));
  for (const root of roots) {
    const found = below(view, join(root, path), names);
    if (found.length === 0) continue;
    // Importing a.b runs a/__init__.py first.
    const outer = packages.filter((each) => each !== '').flatMap((each) => moduleFiles(view, join(root, each)));
    return [...outer, ...found];
  }
  return [];
}

const below = (view: Tree, path: string, names: readonly string[]): string[] => [
  ...moduleFiles(view, path),
  ...names.flatMap((name) => moduleFiles(view, join(path, name))),
];

/** A folder of the project, also without `__init__.py`; but such a one called `mcp` does not hide the package of that name. */
const isOwn = (view: Tree, roots: readonly string[], top: string): boolean =>
  roots.some(
    (root) =>
      moduleFiles(view, join(root, top)).length > 0 || (distributionOf(top) === null && view.isFolder(join(root, top))),
  );
