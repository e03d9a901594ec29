/** Go modules, workspaces of them, and lone `main.go` files: built into the tree, and started as what was built. */

import { createBasePlan } from './base-plan.ts';
import { findEventStream } from './event-stream.ts';
import { planBuild } from './go/build.ts';
import { chooseProgram, identitiesOf, nearest } from './go/choose.ts';
import { portArguments } from './go/commands.ts';
import { explainGo } from './go/explain.ts';
import { withLibrarySettings } from './go/library-settings.ts';
import { type GoModule, moduleAbove, readModule, sdkOf, workspaceMembers } from './go/module.ts';
import { findPrograms, findSources, type GoProgram, holdsProgram } from './go/source.ts';
import { sourceName } from './identity.ts';
import { basename, isBelow, join, relative } from './paths.ts';
import type { Candidate, Evidence, FileView, Launcher, LaunchPlan, PluginSpec, Refusal, Source } from './plan.ts';
import { notAServer } from './refusal.ts';
import { findPortVariables, findSettings } from './settings.ts';

/** Programs go here; `.`-folders are no packages, so a build of everything passes them by. */
const OUT = '.mcp-supervisor/bin';

export function createGoLauncher(): Launcher {
  return {
    id: 'go',
    detect: (view, dir) =>
      ['go.mod', 'go.work'].some((file) => view.files.includes(join(dir, file))) || holdsProgram(view, dir),
    plan: planGo,
    resolve: (_view, plan) => plan,
    explain: explainGo,
  };
}

function planGo(view: FileView, dir: string, spec: PluginSpec): LaunchPlan | Refusal {
  const home = moduleAbove(view, dir);
  const modules = modulesIn(view, dir, home);
  const sources = findSources(view, home?.dir ?? dir);
  const programs = findPrograms(view, sources, dir);
  const identities = identitiesOf(sourceName(spec.source), home, dir);
  if (programs.every(({ kind }) => kind === 'example')) return refuse(dir, home);
  const chosen = chooseProgram(view, { root: dir, modules, sources, programs, identities });
  if (!('program' in chosen)) {
    if (spec.overrides.command === undefined) return ambiguous(dir, chosen);
    return createBasePlan('go', 'go', dir);
  }
  const { program, name, closure } = chosen;
  const module = nearest(modules, program.dir);
  const out = join(dir, OUT, name);
  const importPath = module === null ? importPathOf(spec.source) : module.path;
  const build = planBuild(view, { root: dir, module, program: program.dir, closure, out, importPath });
  const candidate: Candidate = { id: `bin:${name}`, entry: out, command: { program: out, args: [], cwd: dir } };
  const texts = closure.files.map((file) => view.read(file) ?? '');
  const base = createBasePlan('go', 'go', dir);
  return {
    ...base,
    tools: build.tools,
    install: build.rungs,
    start: [candidate],
    port: {
      ...base.port,
      env: [...new Set([...base.port.env, ...findPortVariables(view, dir)])],
      args: portArguments(texts),
    },
    endpoint: findEventStream(view, dir, [candidate]),
    wants: withLibrarySettings(findSettings(view, dir), module, texts),
    confidence: chosen.speaksMcp ? 'high' : namesMcp(module, name, texts) ? 'medium' : 'low',
    evidence: [{ file: program.file, says: chosen.why }, ...says(module), ...build.evidence],
    passedOver: chosen.passedOver,
  };
}

/** An SDK of one's own is no sign to go by; that it is about MCP shows somewhere. */
const namesMcp = (module: GoModule | null, name: string, texts: readonly string[]): boolean =>
  (module !== null && sdkOf(module) !== null) ||
  [name, ...texts].some((text) => /\bmcp\b|mcp[-_]|[-_]mcp|[mM]cp[A-Z]|MCP/.test(text));

/** The module that the folder lies in, and those in and below it; a workspace's own first. */
function modulesIn(view: FileView, dir: string, home: GoModule | null): GoModule[] {
  const below = view.files.flatMap((file) =>
    basename(file) === 'go.mod' && isBelow(file, dir) ? file.slice(0, -'/go.mod'.length) : [],
  );
  const folders = new Set([...(home === null ? [] : [home.dir]), ...workspaceMembers(view, dir), ...below]);
  return [...folders].flatMap((folder) => readModule(view, folder) ?? []);
}

function says(module: GoModule | null): Evidence[] {
  if (module === null) return [{ file: '', says: 'no go.mod: one is made' }];
  const sdk = sdkOf(module);
  const { file, go, requires } = module;
  const line = sdk === null ? undefined : requires.get(sdk);
  return [
    ...(sdk === null ? [] : [{ file, ...(line === undefined ? {} : { line }), says: `requires ${sdk}` }]),
    ...(go === null ? [] : [{ file, line: go.line, says: `wants Go ${go.version}` }]),
  ];
}

/** What its own packages would be imported as, were there a go.mod: `git.example/acme/weather`. */
function importPathOf(source: Source): string {
  const url = source.kind === 'git' ? source.url : '';
  const path = url
    .replace(/\.git$/, '')
    .replace(/^[a-z+]+:\/\/(?:[^@/]+@)?/, '')
    .replace(/^[\w.-]+@([\w.-]+):/, '$1/')
    .replace(/:\d+(?=\/)/, '');
  return /^[\w.-]+(\/[\w.~-]+)+$/.test(path) ? path : sourceName(source).replaceAll(/[^\w.~-]/g, '-') || 'plugin';
}

function ambiguous(dir: string, programs: readonly GoProgram[]): Refusal {
  const choices = programs.map((program) => program.dir);
  return {
    code: 'DETECT_AMBIGUOUS',
    message: `${dir === '' ? 'The module' : dir} holds ${choices.length} programs: ${choices.map((choice) => relative(dir, choice)).join(', ')}.`,
    hint: `Choose one with --subdir, e.g. --subdir ${choices[0]}.`,
    evidence: programs.map(({ file }) => ({ file, says: 'is a program' })),
    choices,
  };
}

function refuse(dir: string, module: GoModule | null): Refusal {
  const sdk = module === null ? null : sdkOf(module);
  const file = module?.file ?? dir;
  return notAServer(`${module?.path || dir || 'This folder'} is a Go module, but there is no program in it.`, [
    { file, says: 'no package main with a func main outside of tests, examples and vendor' },
    { file, says: sdk === null ? 'requires no MCP module' : `requires ${sdk}, so it may be a library for servers` },
  ]);
}
