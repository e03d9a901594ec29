/** Of several programs in one Go project, the one that is the server. */

import { isHelper } from '../identity.ts';
import { basename, join, relative } from '../paths.ts';
import type { FileView, PassedOver } from '../plan.ts';
import { type GoModule, moduleName, programName } from './module.ts';
import { type Closure, closureOf, type GoProgram, type GoSources, speaksMcp } from './source.ts';

export interface Chosen {
  readonly program: GoProgram;
  /** What it is called. */
  readonly name: string;
  readonly closure: Closure;
  readonly speaksMcp: boolean;
  readonly why: string;
  readonly passedOver: readonly PassedOver[];
}

export interface Project {
  /** Folder that is planned. */
  readonly root: string;
  /** Modules in or below it, and the one that it lies in. */
  readonly modules: readonly GoModule[];
  readonly sources: GoSources;
  readonly programs: readonly GoProgram[];
  /** Names that the server may carry, likeliest first. */
  readonly identities: readonly string[];
}

const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

/**
 * The program in the root if there is one; else the one that is named like the project, the only one that speaks MCP, or the only one that
 * has `mcp` or `server` in its name, or that the Dockerfile and its kin build. Several equals are given back as they are.
 */
export function chooseProgram(view: FileView, project: Project): Chosen | readonly GoProgram[] {
  const { root, programs, modules, sources } = project;
  const nameOf = ({ dir }: GoProgram) => programName(nearest(modules, dir), dir);
  const closures = new Map(programs.map((each) => [each, closureOf(view, sources, modules, each.dir)]));
  const speaking = (some: readonly GoProgram[]) =>
    some.filter((each) => speaksMcp(view, closures.get(each) as Closure));
  const passedOver: PassedOver[] = [];
  const pass = (lost: readonly GoProgram[], why: string) => {
    for (const each of lost) {
      if (!passedOver.some(({ file }) => file === each.file)) {
        passedOver.push({ file: each.file, what: `program ${nameOf(each)} in ${relative(root, each.dir)}`, why });
      }
    }
  };
  const take = (program: GoProgram, why: string): Chosen => {
    pass(
      programs.filter((each) => each !== program),
      `${nameOf(program)} ${why}`,
    );
    const closure = closures.get(program) as Closure;
    return { program, name: nameOf(program), closure, speaksMcp: speaksMcp(view, closure), why, passedOver };
  };
  const [only] = programs;
  if (only !== undefined && programs.length === 1) return take(only, 'is its only program');

  let left = programs.filter(({ kind }) => kind === 'own');
  if (left.length === 0) left = programs.filter(({ kind }) => kind === 'tool');
  pass(without(programs, left), 'lies among tools, tests, examples or internals');
  const own = left.filter(({ dir }) => nearest(modules, dir)?.dir === nearest(modules, root)?.dir);
  const speakers = speaking(left);
  if (speakers.length > 0) {
    pass(without(left, speakers), 'does not speak MCP');
    left = speakers;
  } else if (own.length > 0) {
    pass(without(left, own), 'is a module of its own');
    left = own;
  }
  const inRoot = left.find(({ dir }) => dir === root);
  if (inRoot !== undefined) return take(inRoot, 'is the program in the root');

  // Of a project that is more than a server, the program for people is named like it, and the server is named mcp.
  const [mcp, ...others] = left.filter((each) => MCP.test(plain(nameOf(each))));
  if (mcp !== undefined && others.length === 0 && !project.identities.some((name) => MCP.test(plain(name)))) {
    return take(mcp, 'is the only one named mcp');
  }
  for (const identity of project.identities.map(plain)) {
    const [named, ...more] = left.filter((each) => plain(nameOf(each)) === identity);
    if (named !== undefined && more.length === 0) return take(named, 'is named like the project');
  }
  const servers = left.filter((each) => !isHelper(nameOf(each), project.identities));
  if (servers.length > 0 && servers.length < left.length) {
    pass(without(left, servers), 'is a helper by its name');
    left = servers;
  }
  const [single] = left;
  if (single !== undefined && left.length === 1) {
    return take(single, speakers.length > 0 ? 'is the only one that speaks MCP' : 'is the only one left');
  }
  for (const [pattern, why] of BY_NAME) {
    const [named, ...more] = left.filter((each) => pattern.test(plain(nameOf(each))));
    if (named !== undefined && more.length === 0) return take(named, why);
  }
  const [built, ...more] = left.filter(({ dir }) => isBuiltByAuthors(view, project, dir));
  if (built !== undefined && more.length === 0) return take(built, 'is what its own build files build');
  return left;
}

const MCP = /(^|-)mcp($|-)|mcp$/;

const BY_NAME = [
  [MCP, 'is the only one named mcp'],
  [/^(mcp-)?(server|stdio)$/, 'is the only one named server'],
  [/server|stdio/, 'is the only one named server'],
] as const;

const without = (all: readonly GoProgram[], some: readonly GoProgram[]) => all.filter((each) => !some.includes(each));

/** The module that a folder belongs to, of those that are known. */
export const nearest = (modules: readonly GoModule[], dir: string): GoModule | null =>
  modules
    .filter((module) => module.dir === '' || dir === module.dir || dir.startsWith(`${module.dir}/`))
    .toSorted((a, b) => b.dir.length - a.dir.length)[0] ?? null;

const BUILD_FILES = [
  'Dockerfile',
  '.goreleaser.yaml',
  '.goreleaser.yml',
  'goreleaser.yaml',
  'goreleaser.yml',
  'Makefile',
  'README.md',
];

function isBuiltByAuthors(view: FileView, { root, modules }: Project, dir: string): boolean {
  const module = nearest(modules, dir);
  const path = relative(module?.dir ?? root, dir).replaceAll(/[.+]/g, '\\$&');
  const names = `(?:\\./${path}|${module?.path ?? '\\.'}/${path}(?:@\\w+)?)`;
  return BUILD_FILES.map((file) => view.read(join(root, file)) ?? '').some((text) =>
    new RegExp(`${names}/?(?=[\\s"'\`,]|$)`, 'm').test(text),
  );
}

/** Names of the project, likeliest first: the repository’s, the module’s, the folder’s. */
export const identitiesOf = (source: string, module: GoModule | null, dir: string): string[] => [
  ...new Set([source, module === null ? '' : moduleName(module), basename(dir)].filter((name) => name !== '')),
];
