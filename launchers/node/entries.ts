/** Ways to start a Node package, best first: bin, start script, main, the usual file names, the source itself. */

import { byIdentity, isHelper } from '../identity.ts';
import { basename, dirname, join, relative, withoutExtension } from '../paths.ts';
import type { Candidate, Command, Evidence, FileView } from '../plan.ts';
import { fileBelow, type PackageJson, sdkOf } from './package-json.ts';
import { interpreterOf, isTypeScript, looksLikeServer, outDirOf, sourceOf, textOf, unbuiltImport } from './source.ts';
import { parseStartScript } from './start-script.ts';

export interface Entries {
  readonly candidates: readonly Candidate[];
  readonly evidence: readonly Evidence[];
  /** Where the first one was found; null when there is none. */
  readonly best: 'bin' | 'start' | 'main' | 'file' | null;
}

/** A few are enough: each fallback costs a start. */
const MAX_CANDIDATES = 6;

export function findEntries(
  view: FileView,
  dir: string,
  manifest: PackageJson | null,
  identities: readonly string[],
): Entries {
  const found: { candidate: Candidate; kind: NonNullable<Entries['best']>; evidence: Evidence }[] = [];
  const manifestFile = join(dir, 'package.json');
  const add = (kind: NonNullable<Entries['best']>, candidate: Candidate | null, file: string, says: string) => {
    if (candidate === null) return;
    const same = ({ candidate: { command } }: (typeof found)[number]) =>
      command.program === candidate.command.program && command.args.join('\0') === candidate.command.args.join('\0');
    if (!found.some(same)) found.push({ candidate, kind, evidence: { file, says } });
  };
  const runner = createRunner(view, dir, manifest);

  if (manifest !== null) {
    const names = byIdentity([...manifest.bin.keys()], identities);
    const servers = names.filter((name) => !isHelper(name, identities));
    for (const name of servers.length > 0 ? servers : names) {
      const file = fileBelow(dir, manifest.bin.get(name) ?? '');
      if (file !== null) add('bin', runner(`bin:${name}`, file), manifestFile, `bin ${name} is ${file}`);
    }
    const { start } = manifest.scripts;
    const script = start === undefined ? null : parseStartScript(start);
    const scriptFile = script && fileBelow(dir, script.file);
    if (script && scriptFile) {
      add('start', runner('script:start', scriptFile, script), manifestFile, `start runs ${scriptFile}`);
    }
    const main = manifest.main === null ? null : fileBelow(dir, withEnding(view, dir, manifest.main));
    if (main !== null && !isLibrary(view, dir, manifest, main)) {
      add('main', runner('main', main), manifestFile, `main is ${main}`);
    }
  }
  // With a program of its own, other files that serve are parts of it.
  const hasProgram = found.some(({ kind }) => kind === 'bin' || kind === 'start');
  for (const file of hasProgram ? [] : usualFiles(view, dir, manifest)) {
    add('file', runner(`file:${relative(dir, file)}`, file), file, 'looks like a server');
  }
  for (const { candidate } of [...found]) {
    const source = candidate.entry === null ? null : sourceOf(view, dir, candidate.entry);
    // The last resort where the build fails; without a runner that reads TypeScript it is none.
    if (source !== null && isTypeScript(source) && runsTypeScript(manifest) && !isBuiltTest(source)) {
      add('file', runner(`source:${relative(dir, source)}`, source), source, 'is the source of the entry');
    }
  }
  const best = found.slice(0, MAX_CANDIDATES);
  return {
    candidates: best.map(({ candidate }) => candidate),
    evidence: best.map(({ evidence }) => evidence),
    best: best[0]?.kind ?? null,
  };
}

const isBuiltTest = (file: string): boolean => /\.(test|spec|d)\.[cm]?tsx?$/.test(file);

const runsTypeScript = (manifest: PackageJson | null): boolean =>
  manifest !== null && (manifest.dependencies.has('tsx') || manifest.dependencies.has('bun'));

/** `main: "lib/server"` leaves out the ending. */
const withEnding = (view: FileView, dir: string, main: string): string =>
  /\.\w+$/.test(main) ? main : view.files.includes(join(dir, main, 'index.js')) ? join(main, 'index.js') : `${main}.js`;

/** Makes candidates of files: node, or what the file (or the source that it is built from) asks for. */
function createRunner(view: FileView, dir: string, manifest: PackageJson | null) {
  return (
    id: string,
    file: string,
    script?: {
      program: string;
      options: readonly string[];
      args: readonly string[];
      env: Readonly<Record<string, string>>;
    },
  ): Candidate | null => {
    const path = relative(dir, file);
    const asked = script?.program === 'bun' && !isTypeScript(file) ? 'node' : script?.program;
    const interpreter = interpreterOf(textOf(view, dir, file));
    const program = interpreter === 'node' ? (asked ?? (isTypeScript(file) ? 'tsx' : 'node')) : interpreter;
    const command = commandOf(program, path, script, manifest);
    if (command === null) return null;
    const env = script && Object.keys(script.env).length > 0 ? { env: script.env } : {};
    return {
      id,
      // A wrapper that was committed is of no use before what it loads is built.
      entry: unbuiltImport(view, dir, file) ?? file,
      command: { ...command, args: [...command.args, ...(script?.args ?? [])], cwd: dir, ...env },
    };
  };
}

function commandOf(
  program: string,
  path: string,
  script: { options: readonly string[] } | undefined,
  manifest: PackageJson | null,
): Omit<Command, 'cwd'> | null {
  const options = script?.options ?? [];
  if (program === 'bun') return { program: 'bun', args: [path] };
  if (program === 'sh') return { program: 'sh', args: [path] };
  if (program === 'node') return { program: 'node', args: [...options, path] };
  // tsx's own command starts node as a child of its own; as a loader there is one process.
  if (manifest?.dependencies.has('tsx')) return { program: 'node', args: ['--import', 'tsx', ...options, path] };
  return { program: 'bun', args: [path] };
}

/** A `main` that others import: it is described for them (types, exports), and its text is no server's. */
function isLibrary(view: FileView, dir: string, manifest: PackageJson, main: string): boolean {
  const { fields } = manifest;
  const text = textOf(view, dir, main);
  const hasBin = manifest.bin.size > 0 || parseStartScript(manifest.scripts.start ?? '') !== null;
  if (!hasBin && looksLikeServer(text)) return false;
  if ('types' in fields || 'typings' in fields || 'exports' in fields || 'module' in fields) return true;
  if (hasBin) return false;
  return text !== undefined || sdkOf(manifest) === null;
}

const NAMES = ['server', 'index', 'app', 'main', 'mcp-server', 'mcp'];

/** server.js, index.js, app.js, main.js, in the package, below src, or where the compiler writes; only if they serve. */
function usualFiles(view: FileView, dir: string, manifest: PackageJson | null): string[] {
  const plain = NAMES.flatMap((name) => ['.js', '.mjs', '.cjs'].map((ending) => join(dir, name + ending)));
  const inSource = ['', 'src'].flatMap((top) => NAMES.map((name) => join(dir, top, `${name}.ts`)));
  const out = outDirOf(view, dir);
  const compiled = inSource
    .filter((file) => looksLikeServer(view.read(file)))
    .flatMap((file) => {
      const name = `${basename(withoutExtension(file))}.js`;
      const isSource = dirname(file) === join(dir, 'src');
      if (out === null) return runsTypeScript(manifest) || manifest === null ? [file] : [];
      // Whether `src` is kept below the output depends on rootDir and on what else is compiled.
      return isSource ? [join(out, name), join(out, 'src', name)] : [join(out, name)];
    });
  return [...plain.filter((file) => looksLikeServer(view.read(file))), ...compiled];
}
