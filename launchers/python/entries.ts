/** Ways to start a Python project, best first: console script, what fastmcp.json says, package with `__main__`, file that serves. */

import { byIdentity, isHelper } from '../identity.ts';
import { basename, dirname } from '../paths.ts';
import type { Candidate, Evidence, PassedOver } from '../plan.ts';
import {
  callCandidate,
  fileCandidate,
  findModule,
  objectCandidate,
  python,
  scriptCandidate,
  type Venv,
} from './candidates.ts';
import type { FastmcpConfig } from './fastmcp-config.ts';
import { readImports } from './imports.ts';
import { lineOf } from './lines.ts';
import { readMentions } from './mentions.ts';
import type { PythonProject } from './project.ts';
import { findServerFiles } from './server-files.ts';
import { looksLikeServer, mcpObjectOf } from './source.ts';
import type { Tree } from './tree.ts';

export interface PythonEntries {
  readonly candidates: readonly Candidate[];
  readonly evidence: readonly Evidence[];
  readonly passedOver: readonly PassedOver[];
  readonly best: 'script' | 'config' | 'module' | 'file' | null;
  /** The project's own file that the first candidate runs; null when it is not known. */
  readonly source: string | null;
}

type Kind = NonNullable<PythonEntries['best']>;

const MAX_CANDIDATES = 6;

/** What is known of the project before its ways to start. */
export interface Setting {
  readonly project: PythonProject;
  readonly venv: Venv;
  /** True when its console scripts get into the venv. */
  readonly installsPackage: boolean;
  /** Folders that its modules are found from. */
  readonly roots: readonly string[];
  readonly config: FastmcpConfig | null;
  readonly identities: readonly string[];
}

interface Found {
  readonly candidate: Candidate;
  readonly kind: Kind;
  readonly evidence: Evidence;
  readonly source: string | null;
}

export function findEntries(view: Tree, setting: Setting): PythonEntries {
  const { project, venv, roots, config, identities } = setting;
  const found: Found[] = [];
  const add = (kind: Kind, candidate: Candidate | null, evidence: Evidence, source: string | null) => {
    if (candidate === null) return;
    const text = JSON.stringify(candidate.command);
    if (!found.some((each) => JSON.stringify(each.candidate.command) === text))
      found.push({ candidate, kind, evidence, source });
  };

  const scripts = orderedScripts(view, setting);
  for (const { name, target } of scripts.taken) {
    const line = lineOf(view, project.file, new RegExp(`^\\s*["']?${escaped(name)}["']?\\s*=`, 'm'));
    const evidence = { file: project.file, ...line, says: `script ${name}${target === null ? '' : ` is ${target}`}` };
    const call = target === null ? null : callCandidate(view, venv, roots, name, target);
    if (setting.installsPackage) add('script', scriptCandidate(venv, name), evidence, call?.entry ?? null);
    add('script', call, evidence, call?.entry ?? null);
  }
  if (config !== null) {
    const candidate = withArguments(objectCandidate(view, venv, roots, config.source, config.object), config.args);
    add('config', candidate, { file: config.file, says: `runs ${config.object} of ${config.source}` }, config.source);
  }
  for (const file of mainModules(view, roots, identities)) {
    const name = basename(dirname(file));
    const root = dirname(dirname(file));
    add(
      'module',
      python(venv, `module:${name}`, file, ['-m', name], root),
      { file, says: `package ${name} has a __main__` },
      file,
    );
  }

  const mentions = readMentions(view, venv.dir);
  const files = findServerFiles(view, venv.dir, roots, identities, mentions);
  // A program of its own is what its authors start; what its documents run is next, other files are parts of it.
  const others = found.length > 0 ? files.files.filter(({ mention }) => (mention?.weight ?? 0) >= 2) : files.files;
  for (const { file, mention } of others) {
    const candidate = fileCandidate(view, venv, roots, project, file);
    add('file', candidate, { file, says: 'looks like a server' }, file);
    if (mention === null || candidate === null) continue;
    const evidence = found.find((each) => each.candidate === candidate);
    if (evidence !== undefined) {
      found[found.indexOf(evidence)] = {
        ...evidence,
        evidence: { file: mention.file, line: mention.line, says: `runs ${mention.word}` },
      };
    }
  }
  const [first] = found;
  const object = first === undefined ? null : objectBehind(view, setting, first);
  if (object !== null)
    add('file', object, { file: object.entry ?? '', says: 'holds the server that the program should run' }, null);

  const best = found.slice(0, MAX_CANDIDATES);
  const reached = new Set(first?.source == null ? [] : readImports(view, roots, first.source).files);
  const unused = files.files.filter((each) => !others.includes(each) && !reached.has(each.file));
  return {
    candidates: best.map(({ candidate }) => candidate),
    evidence: best
      .map(({ evidence }) => evidence)
      .filter(({ file, says }, at, all) => all.findIndex((each) => each.file === file && each.says === says) === at),
    passedOver: [
      ...scripts.passedOver,
      ...files.passedOver,
      ...unused.map(({ file }) => ({ file, what: file, why: 'the project has a program of its own' })),
    ].slice(0, MAX_PASSED_OVER),
    best: first?.kind ?? null,
    source: first?.source ?? null,
  };
}

const MAX_PASSED_OVER = 12;

const withArguments = (candidate: Candidate, args: readonly string[]): Candidate => ({
  ...candidate,
  command: { ...candidate.command, args: [...candidate.command.args, ...args] },
});

function orderedScripts(view: Tree, { project, identities, roots }: Setting) {
  const { scripts, file } = project;
  const names = byIdentity(
    scripts.map(({ name }) => name),
    identities,
  );
  const serves = (name: string) => {
    const module = scripts.find((script) => script.name === name)?.target?.split(':')[0];
    const found = module === undefined ? null : findModule(view, roots, module);
    return (
      found === null || readImports(view, roots, found.file).files.some((each) => looksLikeServer(view.read(each)))
    );
  };
  const isServer = (name: string) => !isHelper(name, identities) && serves(name);
  const servers = names.filter(isServer);
  const rest = servers.length > 0 ? servers : names;
  return {
    taken: rest.flatMap((name) => scripts.find((script) => script.name === name) ?? []),
    passedOver: names
      .filter((name) => !rest.includes(name))
      .map((name) => ({
        file,
        what: `script ${name}`,
        why: isHelper(name, identities) ? 'is named like a helper' : 'its source has no server in it',
      })),
  };
}

/** `__main__.py` of packages at the top of the sources, the project’s own package first. */
function mainModules(view: Tree, roots: readonly string[], identities: readonly string[]): string[] {
  const files = view.files.filter((file) => {
    const folder = dirname(file);
    return basename(file) === '__main__.py' && !roots.includes(folder) && roots.includes(dirname(folder));
  });
  const ordered = byIdentity(
    files.map((file) => basename(dirname(file))),
    identities,
  );
  return ordered
    .filter((name) => !/^(tests?|docs?|examples?|scripts?|tools?)$/.test(name))
    .flatMap((name) => files.find((file) => basename(dirname(file)) === name) ?? []);
}

/** The object in the program's own modules: for a program that dies of how it starts its server. */
function objectBehind(view: Tree, { venv, roots }: Setting, first: Found): Candidate | null {
  if (first.source === null || first.kind === 'file') return null;
  const files = readImports(view, roots, first.source).files;
  const holders = files.filter((file) => mcpObjectOf(view.read(file) ?? '') !== null);
  const [file, ...more] = holders;
  const object = file === undefined || more.length > 0 ? null : mcpObjectOf(view.read(file) ?? '');
  return file === undefined || object === null ? null : objectCandidate(view, venv, roots, file, object.name);
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
