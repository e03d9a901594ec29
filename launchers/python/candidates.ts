/** Commands that start a Python program, always by the venv's own interpreter. */

import { basename, dirname, isBelow, join, relative, withoutExtension } from '../paths.ts';
import type { Candidate } from '../plan.ts';
import { dependsOn, type PythonProject } from './project.ts';
import { isAsync, isTrial, mainFunctionOf, mcpObjectOf, runsItself, type WebApp, webAppOf } from './source.ts';
import type { Tree } from './tree.ts';

/** What candidates of one project share. */
export interface Venv {
  readonly dir: string;
  /** Folder that holds `.venv`. */
  readonly venvDir: string;
}

const pythonOf = ({ venvDir }: Venv): string => join(venvDir, '.venv/bin/python');

/** A command of the venv’s Python, in the project’s folder; `root` is the folder that imports are found from. */
export const python = (
  venv: Venv,
  id: string,
  entry: string | null,
  args: readonly string[],
  root: string = venv.dir,
): Candidate => ({
  id,
  entry,
  command: {
    program: pythonOf(venv),
    args,
    cwd: venv.dir,
    ...(root === venv.dir ? {} : { env: { PYTHONPATH: relative(venv.dir, root) } }),
  },
});

/** The installed script, run by the venv’s Python: its first line is no use where its path is longer than the kernel takes. */
export function scriptCandidate(venv: Venv, name: string): Candidate {
  const script = join(venv.venvDir, '.venv/bin', name);
  return python(venv, `script:${name}`, script, [relative(venv.dir, script)]);
}

/** A module's file, and the folder below which it is found. */
export interface Found {
  readonly file: string;
  readonly root: string;
}

export function findModule(view: Tree, roots: readonly string[], module: string): Found | null {
  const path = module.replaceAll('.', '/');
  for (const root of roots) {
    const file = [join(root, `${path}.py`), join(root, path, '__init__.py')].find((each) => view.isFile(each));
    if (file !== undefined) return { file, root };
  }
  return null;
}

/** What the script would do, done without it: for projects that are not installed, or whose build is broken. */
export function callCandidate(
  view: Tree,
  venv: Venv,
  roots: readonly string[],
  name: string,
  target: string,
): Candidate | null {
  const [module = '', attribute = 'main'] = target
    .replace(/\s*\[.*$/, '')
    .split(':')
    .map((part) => part.trim());
  if (!/^[\w.]+$/.test(module) || !/^[\w.]+$/.test(attribute)) return null;
  const found = findModule(view, roots, module);
  if (found === null) return null;
  const [imported = ''] = attribute.split('.');
  const call = isAsync(view.read(found.file) ?? '', attribute)
    ? `import asyncio; asyncio.run(${attribute}())`
    : `sys.exit(${attribute}())`;
  const code = `import sys; from ${module} import ${imported}; ${call}`;
  return python(venv, `source:${name}`, found.file, ['-c', code], found.root);
}

/** The way to run a file that serves; null when running it would do nothing. */
export function fileCandidate(
  view: Tree,
  venv: Venv,
  roots: readonly string[],
  project: PythonProject,
  file: string,
): Candidate | null {
  const text = view.read(file) ?? '';
  if (basename(file) === 'manage.py') return djangoCandidate(venv, file);
  const way = importable(view, venv, roots, file);
  if ((runsItself(text) && !isTrial(text)) || basename(file) === '__main__.py') {
    if (way.asModule) return python(venv, `module:${way.module}`, file, ['-m', way.module], way.root);
    const path = relative(venv.dir, file);
    return python(venv, `file:${path}`, file, [path], way.root === dirname(file) ? venv.dir : way.root);
  }
  const object = mcpObjectOf(text);
  if (object !== null) return objectCandidate(view, venv, roots, file, object.name);
  const app = webAppOf(text);
  if (app !== null) return webCandidate(venv, project, file, way, app);
  const main = mainFunctionOf(text);
  return main === null || way.module === ''
    ? null
    : callCandidate(view, venv, [way.root], way.module, `${way.module}:${main.name}`);
}

/** Runs an MCP server object that nothing in its file runs; also a function that makes one, or serves by itself. */
export function objectCandidate(
  view: Tree,
  venv: Venv,
  roots: readonly string[],
  file: string,
  name: string,
): Candidate {
  const { module, root } = importable(view, venv, roots, file);
  const path = relative(venv.dir, file);
  // Under another name than the rest of the program imports it by, its tools would be on a second object.
  const found =
    module === ''
      ? `import runpy; o = runpy.run_path(${JSON.stringify(path)})[${JSON.stringify(name)}]`
      : `from ${module} import ${name} as o`;
  const known = mcpObjectOf(view.read(file) ?? '');
  const isObject = known?.name === name && !known.isFunction;
  const made = isObject
    ? 'o.run()'
    : 'import asyncio, inspect; o = o() if inspect.isfunction(o) else o; ' +
      'o = asyncio.run(o) if inspect.iscoroutine(o) else o; o is None or o.run()';
  return python(venv, `object:${path}`, file, ['-c', `${found}; ${made}`], root);
}

interface Importable {
  /** Dotted name below `root`; '' for a file that has none (`my-server.py`). */
  readonly module: string;
  readonly root: string;
  /** True when it has to be run as a module, or its imports fail. */
  readonly asModule: boolean;
}

const NAME = /^[A-Za-z_]\w*$/;

/**
 * How a file is imported: it decides how it is run, too. A part of a package has relative imports or names its package;
 * a script names its neighbours.
 */
function importable(view: Tree, venv: Venv, roots: readonly string[], file: string): Importable {
  const parts = relative(venv.dir, withoutExtension(file)).split('/');
  const folder = dirname(file);
  const imports = view.importsOf(file).map(({ module }) => module);
  const isThere = (base: string, module: string) => findModule(view, [base], module) !== null;
  const root = rootOf(view, roots, file);
  const named = relative(root, withoutExtension(file))
    .replace(/\/__(main|init)__$/, '')
    .split('/');
  const module = named.every((part) => NAME.test(part)) ? named.join('.') : '';
  if (module === '' || folder === root) {
    return {
      module: NAME.test(parts.at(-1) ?? '') && folder === root ? (parts.at(-1) ?? '') : '',
      root,
      asModule: false,
    };
  }
  const isRelative = imports.some((each) => each.startsWith('.'));
  const fromNeighbours = imports.some((each) => isThere(folder, each) && !isThere(root, each));
  const fromRoot = imports.some((each) => isThere(root, each) && !isThere(folder, each));
  if (!isRelative && fromNeighbours && !fromRoot) return { module: parts.at(-1) ?? '', root: folder, asModule: false };
  const isPackage = view.isFile(join(folder, '__init__.py'));
  return { module, root, asModule: isRelative || fromRoot || isPackage };
}

/** The source root that a file belongs to: the deepest one above it. */
const rootOf = (view: Tree, roots: readonly string[], file: string): string =>
  roots.filter((root) => isBelow(file, root) && !isPackage(view, root)).sort((a, b) => b.length - a.length)[0] ?? '';

/** True for `src` when it is itself what is imported (`from src.tools import x`): an `__init__.py` alone says little. */
function isPackage(view: Tree, root: string): boolean {
  if (!view.isFile(join(root, '__init__.py'))) return false;
  const name = basename(root);
  return view.files.some(
    (file) =>
      file.endsWith('.py') &&
      isBelow(file, dirname(root)) &&
      view
        .importsOf(file)
        .some(
          ({ module }) =>
            module === name || module.startsWith(`${name}.`) || (dirname(file) === root && module.startsWith('.')),
        ),
  );
}

/** Django's own server, without the second process that watches the sources. */
function djangoCandidate(venv: Venv, file: string): Candidate {
  const path = relative(venv.dir, file);
  return python(venv, `django:${path}`, file, [path, 'runserver', '--noreload', '{host}:{port}']);
}

function webCandidate(
  venv: Venv,
  project: PythonProject,
  file: string,
  way: Importable,
  app: WebApp,
): Candidate | null {
  if (way.module === '') return null;
  const path = relative(venv.dir, file);
  const target = `${way.module}:${app.name}`;
  if (app.kind === 'wsgi') {
    const args = ['-m', 'flask', '--app', target, 'run', '--host', '{host}', '--port', '{port}'];
    return python(venv, `flask:${path}`, file, args, way.root);
  }
  const isHypercorn = dependsOn(project, ['hypercorn']) !== null && dependsOn(project, ['uvicorn']) === null;
  const [server, ...address] = isHypercorn
    ? ['hypercorn', '--bind', '{host}:{port}']
    : ['uvicorn', '--host', '{host}', '--port', '{port}'];
  return python(venv, `${server}:${path}`, file, ['-m', server ?? 'uvicorn', target, ...address], way.root);
}
