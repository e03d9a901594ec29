/** Ways to start a Node package, best first: bin, start script, main, the usual file names, the source itself. */

import { readDockerfile } from '../dockerfile.ts';
import { type Entries, firstEntries } from '../entries.ts';
import { byIdentity, isHelper } from '../identity.ts';
import { join, relative } from '../paths.ts';
import type { Candidate, Command, Evidence, FileView, PassedOver } from '../plan.ts';
import { isBunProject, isCompiled, needsBun } from './bun.ts';
import { fileBelow, type PackageJson, sdkOf } from './package-json.ts';
import { sdkOfPeers } from './platform.ts';
import {
  interpreterOf,
  isTypeScript,
  looksLikeServer,
  nodeOptions,
  sourceOf,
  textOf,
  unbuiltImport,
} from './source.ts';
import {
  developmentScripts,
  type NamedScript,
  parseStartScript,
  scriptOf,
  startScripts,
  whyNoStart,
} from './start-script.ts';
import { usualFiles } from './usual-files.ts';

type Kind = 'bin' | 'start' | 'main' | 'file';

export type NodeEntries = Entries<Kind>;

/** A few are enough: each fallback costs a start. */
const MAX_CANDIDATES = 6;

export function findEntries(
  view: FileView,
  dir: string,
  manifest: PackageJson | null,
  identities: readonly string[],
): NodeEntries {
  const found: { candidate: Candidate; kind: Kind; evidence: Evidence }[] = [];
  const manifestFile = join(dir, 'package.json');
  const add = (kind: Kind, candidate: Candidate | null, file: string, says: string) => {
    if (candidate === null) return;
    const same = ({ candidate: { command } }: (typeof found)[number]) =>
      command.program === candidate.command.program && command.args.join('\0') === candidate.command.args.join('\0');
    if (!found.some(same)) found.push({ candidate, kind, evidence: { file, says } });
  };
  const passedOver: PassedOver[] = [];
  const pass = (what: string, why: string) => passedOver.push({ file: manifestFile, what, why });
  const runner = createRunner(view, dir, manifest);
  const addScript = (kind: Kind, { name, script }: NamedScript, from = manifestFile) => {
    const named = script.file === '.' || script.file === './' ? (manifest?.main ?? 'index.js') : script.file;
    const file = fileBelow(dir, withEnding(view, dir, named));
    const id = from === manifestFile ? `script:${name}` : name;
    if (file !== null) add(kind, runner(id, file, script), from, `${name} runs ${file}`);
  };

  if (manifest !== null) {
    const names = byIdentity([...manifest.bin.keys()], identities);
    const servers = names.filter((name) => !isHelper(name, identities));
    if (servers.length > 0) {
      for (const name of names.filter((each) => !servers.includes(each)))
        pass(`bin ${name}`, 'is a helper, by its name');
    }
    for (const name of servers.length > 0 ? servers : names) {
      const file = fileBelow(dir, manifest.bin.get(name) ?? '');
      if (file !== null) add('bin', runner(`bin:${name}`, file), manifestFile, `bin ${name} is ${file}`);
    }
    // A program that is published needs no other; `start` is its next best.
    const scripts = startScripts(manifest.scripts).filter(({ name }) => found.length === 0 || name === 'start');
    for (const each of scripts) addScript('start', each);
    const { start } = manifest.scripts;
    if (start !== undefined && !startScripts({ ...manifest.scripts }).some(({ name }) => name === 'start')) {
      pass(`scripts.start: ${start}`, whyNoStart(start));
    }
    const declared = manifest.main ?? moduleOf(manifest);
    const main = declared === null ? null : fileBelow(dir, withEnding(view, dir, declared));
    if (main !== null && isLibrary(view, dir, manifest, main)) pass(`main: ${declared}`, 'is what others import');
    else if (main !== null) add('main', runner('main', main), manifestFile, `main is ${main}`);
  }
  const isLibraryOnly = manifest !== null && sdkOfPeers(manifest) !== null && found.length === 0;
  // With a program of its own, other files that serve are parts of it.
  const hasProgram = found.some(({ kind, candidate: { entry } }) => {
    // A bundle of unknown making may not come about where the compiler's output does.
    const isKnown = entry === null || view.files.includes(entry) || sourceOf(view, dir, entry) !== null;
    return (kind === 'bin' || kind === 'start') && isKnown;
  });
  for (const file of hasProgram || isLibraryOnly ? [] : usualFiles(view, dir, manifest)) {
    const candidate = runner(`file:${relative(dir, file)}`, file);
    // Bun would have to be fetched for it.
    if (candidate?.command.program === 'bun' && found.length > 0 && !runsTypeScript(view, dir, manifest)) continue;
    add('file', candidate, file, 'looks like a server');
  }
  if (found.length === 0 && !isLibraryOnly) {
    for (const each of developmentScripts(manifest?.scripts ?? {})) addScript('file', each);
    const docker = readDockerfile(view, dir);
    const script = docker && scriptOf(manifest?.scripts ?? {}, docker.command.join(' '));
    // An image is often made of another folder than this one.
    const file = script && fileBelow(dir, withEnding(view, dir, script.file));
    const isHere = file && (view.files.includes(file) || sourceOf(view, dir, file) !== null);
    if (docker && script && isHere) addScript('file', { name: 'dockerfile', script }, docker.file);
  }
  for (const { candidate } of [...found]) {
    const source = candidate.entry === null ? null : sourceOf(view, dir, candidate.entry);
    // The last resort where the build fails; without a runner that reads TypeScript it is none.
    if (source !== null && isTypeScript(source) && runsTypeScript(view, dir, manifest) && !isBuiltTest(source)) {
      add('file', runner(`source:${relative(dir, source)}`, source), source, 'is the source of the entry');
    }
  }
  return firstEntries(found, MAX_CANDIDATES, passedOver);
}

const isBuiltTest = (file: string): boolean => /\.(test|spec|d)\.[cm]?tsx?$/.test(file);

const runsTypeScript = (view: FileView, dir: string, manifest: PackageJson | null): boolean =>
  manifest !== null && (manifest.dependencies.has('tsx') || isBunProject(view, dir, manifest));

/** `module: "index.ts"` is what `bun init` writes; a JavaScript module is a bundler's. */
const moduleOf = ({ fields }: PackageJson): string | null =>
  typeof fields.module === 'string' && isTypeScript(fields.module) ? fields.module : null;

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
    const interpreter = needsBun(view, dir, file, manifest) ? 'bun' : interpreterOf(textOf(view, dir, file));
    // A compiler keeps the first line, so it says something only where nothing else runs TypeScript.
    const others = runsTypeScript(view, dir, manifest) || manifest?.dependencies.has('ts-node') === true;
    const own = isTypeScript(file) && !others ? nodeOptions(view.read(file)) : null;
    const program =
      interpreter === 'node' ? (asked ?? (isTypeScript(file) && own === null ? 'tsx' : 'node')) : interpreter;
    const command = isCompiled(manifest, path)
      ? { program: `./${file}`, args: [] }
      : commandOf(program, path, script ?? (own === null ? undefined : { options: own }), manifest);
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
  if (manifest?.dependencies.has('tsx')) return { program: 'node', args: ['--import', 'tsx', path] };
  if (manifest?.dependencies.has('ts-node')) return { program: 'ts-node', args: [...options, path] };
  return { program: 'bun', args: [path] };
}

/** A `main` that others import: it is described for them (types, exports), and its text is no server's. */
function isLibrary(view: FileView, dir: string, manifest: PackageJson, main: string): boolean {
  const { fields } = manifest;
  const text = textOf(view, dir, main);
  const hasBin = manifest.bin.size > 0 || parseStartScript(manifest.scripts.start ?? '') !== null;
  if (!hasBin && looksLikeServer(text) && sdkOfPeers(manifest) === null) return false;
  if ('types' in fields || 'typings' in fields || 'exports' in fields || 'module' in fields) return true;
  if (hasBin) return false;
  return text !== undefined || sdkOf(manifest) === null;
}
