/** Ways to start a Python project, best first: console script, package with `__main__`, file that serves. */

import { byIdentity, isHelper } from '../identity.ts';
import { basename, dirname, join, relative, withoutExtension } from '../paths.ts';
import type { Candidate, Evidence, FileView } from '../plan.ts';
import type { PythonInstall } from './install.ts';
import { type ConsoleScript, dependsOn, type PythonProject } from './project.ts';
import { looksLikeServer, mcpObjectOf, runsItself, webAppOf } from './source.ts';

export interface PythonEntries {
  readonly candidates: readonly Candidate[];
  readonly evidence: readonly Evidence[];
  readonly best: 'script' | 'module' | 'file' | null;
}

const MAX_CANDIDATES = 6;

/** What candidates of one project share. */
export interface Venv {
  readonly dir: string;
  /** Folder that holds `.venv`. */
  readonly venvDir: string;
  readonly env?: Readonly<Record<string, string>>;
}

const pythonOf = ({ venvDir }: Venv): string => join(venvDir, '.venv/bin/python');

/** A command of the venv’s Python, in the project’s folder. */
const python = (venv: Venv, id: string, entry: string | null, args: readonly string[]): Candidate => ({
  id,
  entry,
  command: { program: pythonOf(venv), args, cwd: venv.dir, ...(venv.env ? { env: venv.env } : {}) },
});

/** The installed script, run by the venv’s Python: its first line is no use where its path is longer than the kernel takes. */
export function scriptCandidate(venv: Venv, name: string): Candidate {
  const script = join(venv.venvDir, '.venv/bin', name);
  return python(venv, `script:${name}`, script, [relative(venv.dir, script)]);
}

export function findEntries(
  view: FileView,
  dir: string,
  project: PythonProject,
  { venvDir, installsPackage }: PythonInstall,
  identities: readonly string[],
): PythonEntries {
  const found: { candidate: Candidate; kind: NonNullable<PythonEntries['best']>; evidence: Evidence }[] = [];
  const sourceRoots = ['', 'src'].filter((top) => top === '' || view.has(join(dir, top)));
  const hasSrc = view.files.some((file) => file.startsWith(`${join(dir, 'src')}/`) && file.endsWith('.py'));
  const venv: Venv = { dir, venvDir };
  // Sources that are not installed are found from the folder above them.
  const sources: Venv = hasSrc ? { ...venv, env: { PYTHONPATH: 'src' } } : venv;
  const add = (kind: NonNullable<PythonEntries['best']>, candidate: Candidate, file: string, says: string) => {
    const text = JSON.stringify(candidate.command);
    if (!found.some((each) => JSON.stringify(each.candidate.command) === text))
      found.push({ candidate, kind, evidence: { file, says } });
  };

  for (const script of orderedScripts(project, identities)) {
    const says = `script ${script.name}${script.target === null ? '' : ` is ${script.target}`}`;
    if (installsPackage) add('script', scriptCandidate(venv, script.name), project.file, says);
    const source = script.target === null ? null : fromSource(view, sources, sourceRoots, script.name, script.target);
    if (source !== null) add('script', source, project.file, says);
  }
  for (const file of mainModules(view, dir, sourceRoots, identities)) {
    const name = basename(dirname(file));
    add('module', python(sources, `module:${name}`, file, ['-m', name]), file, `package ${name} has a __main__`);
  }
  // With a program of its own, other files that serve are parts of it, or try it out.
  for (const file of found.length > 0 ? [] : serverFiles(view, dir, identities)) {
    add('file', fileCandidate(view, sources, project, file), file, 'looks like a server');
  }
  const best = found.slice(0, MAX_CANDIDATES);
  return {
    candidates: best.map(({ candidate }) => candidate),
    evidence: best.map(({ evidence }) => evidence),
    best: best[0]?.kind ?? null,
  };
}

function orderedScripts({ scripts }: PythonProject, identities: readonly string[]): ConsoleScript[] {
  const names = byIdentity(
    scripts.map(({ name }) => name),
    identities,
  );
  const servers = names.filter((name) => !isHelper(name, identities));
  return (servers.length > 0 ? servers : names).flatMap((name) => scripts.find((script) => script.name === name) ?? []);
}

/** What the script would do, done without it: for projects that are not installed, or whose build is broken. */
function fromSource(
  view: FileView,
  venv: Venv,
  roots: readonly string[],
  name: string,
  target: string,
): Candidate | null {
  const [module = '', attribute = 'main'] = target.split(':');
  const path = module.replaceAll('.', '/');
  const entry = roots
    .flatMap((root) => [join(venv.dir, root, `${path}.py`), join(venv.dir, root, path, '__init__.py')])
    .find((file) => view.files.includes(file));
  if (entry === undefined || !/^[\w.]+$/.test(module) || !/^[\w.]+$/.test(attribute)) return null;
  const [imported = ''] = attribute.split('.');
  const code = `import sys; from ${module} import ${imported}; sys.exit(${attribute}())`;
  return python(venv, `source:${name}`, entry, ['-c', code]);
}

/** `__main__.py` of packages at the top of the sources, the project’s own package first. */
function mainModules(view: FileView, dir: string, roots: readonly string[], identities: readonly string[]): string[] {
  const files = roots.flatMap((root) =>
    view.files.filter(
      (file) =>
        basename(file) === '__main__.py' &&
        dirname(dirname(file)) === join(dir, root) &&
        dirname(file) !== join(dir, root),
    ),
  );
  const ordered = byIdentity(
    files.map((file) => basename(dirname(file))),
    identities,
  );
  return ordered
    .filter((name) => !/^(tests?|docs?|examples?|scripts?|tools?)$/.test(name))
    .flatMap((name) => files.find((file) => basename(dirname(file)) === name) ?? []);
}

const NAMES = ['server', 'main', 'mcp_server', 'app', '__main__', 'run'];
const ASIDE =
  /(^|\/)(tests?|examples?|docs?|scripts?|benchmarks?|\.[^/]+|venv)\/|(^|\/)(test_|setup|conftest|__init__)|_test\.py$|client|addon|(^|\/)bot\.py$/;

/** Files that serve: of the usual names, then `<topic>_server.py`, then any other; at the root, then below. */
function serverFiles(view: FileView, dir: string, identities: readonly string[]): string[] {
  const own = view.files.filter((file) => {
    const path = relative(dir, file);
    return file.endsWith('.py') && !path.startsWith('..') && path.split('/').length <= 4 && !ASIDE.test(path);
  });
  const wanted = new Set(identities.map((name) => name.toLowerCase().replaceAll('-', '_')));
  const rank = (file: string): number => {
    const stem = withoutExtension(basename(file));
    const usual = NAMES.indexOf(stem);
    const depth = relative(dir, file).split('/').length * 100;
    if (wanted.has(stem)) return depth;
    if (usual >= 0) return depth + 1 + usual;
    return depth + (/server|mcp/.test(stem) ? 20 : 50);
  };
  const serving = own
    .map((file) => ({ file, text: view.read(file) ?? '' }))
    .filter(
      ({ file, text }) =>
        looksLikeServer(text) &&
        (runsItself(text) || mcpObjectOf(text) !== null || webAppOf(text) !== null || basename(file) === '__main__.py'),
    )
    // A file that makes the server object or starts one, before one that merely imports the SDK.
    .map(({ file, text }) => ({ file, rank: rank(file) + (runsItself(text) ? 0 : 30) }));
  return serving.sort((a, b) => a.rank - b.rank || (a.file < b.file ? -1 : 1)).map(({ file }) => file);
}

function fileCandidate(view: FileView, venv: Venv, project: PythonProject, file: string): Candidate {
  const path = relative(venv.dir, file);
  const text = view.read(file) ?? '';
  const object = mcpObjectOf(text);
  if (!runsItself(text)) {
    if (object?.standalone) {
      const program = join(venv.venvDir, '.venv/bin/fastmcp');
      return python(venv, `fastmcp:${path}`, file, [relative(venv.dir, program), 'run', path]);
    }
    if (object !== null) {
      const code = `import runpy; runpy.run_path(${JSON.stringify(path)})[${JSON.stringify(object.name)}].run()`;
      return python(venv, `object:${path}`, file, ['-c', code]);
    }
    const app = webAppOf(text);
    if (app !== null) return webCandidate(venv, project, file, path, app);
  }
  const module = moduleOf(view, venv.dir, file);
  return module === null
    ? python(venv, `file:${path}`, file, [path])
    : python(venv, `module:${module}`, file, ['-m', module]);
}

function webCandidate(
  venv: Venv,
  project: PythonProject,
  file: string,
  path: string,
  app: { name: string; kind: 'asgi' | 'flask' },
): Candidate {
  const module = withoutExtension(path).replaceAll('/', '.');
  const server =
    dependsOn(project, ['hypercorn']) !== null && dependsOn(project, ['uvicorn']) === null ? 'hypercorn' : 'uvicorn';
  if (app.kind === 'flask') {
    return python(venv, `flask:${path}`, file, [
      '-m',
      'flask',
      '--app',
      `${module}:${app.name}`,
      'run',
      '--host',
      '{host}',
      '--port',
      '{port}',
    ]);
  }
  const address = server === 'uvicorn' ? ['--host', '{host}', '--port', '{port}'] : ['--bind', '{host}:{port}'];
  return python(venv, `${server}:${path}`, file, ['-m', server, `${module}:${app.name}`, ...address]);
}

/** A file inside a package is run as a module, or its relative imports fail; null for a plain file. */
function moduleOf(view: FileView, dir: string, file: string): string | null {
  const parts: string[] = [withoutExtension(basename(file))];
  let at = dirname(file);
  while (at !== dir && view.files.includes(join(at, '__init__.py'))) {
    parts.unshift(basename(at));
    at = dirname(at);
  }
  return parts.length > 1 ? parts.join('.') : null;
}
