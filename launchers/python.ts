/** Python projects, whatever installs them: uv, Poetry, PDM, Pipenv, any PEP 621 back end, requirements, or one file alone. */

import { createBasePlan } from './base-plan.ts';
import { findEventStream } from './event-stream.ts';
import { sourceName } from './identity.ts';
import { basename, dirname, join } from './paths.ts';
import type { Candidate, Evidence, FileView, Launcher, LaunchPlan, PluginSpec, Refusal } from './plan.ts';
import { findEndpoint } from './python/endpoint.ts';
import { findEntries, type PythonEntries } from './python/entries.ts';
import { explainPython } from './python/explain.ts';
import { readFastmcpConfig } from './python/fastmcp-config.ts';
import { readImports } from './python/imports.ts';
import { planInstall } from './python/install.ts';
import { layoutOf } from './python/layout.ts';
import { lineOf } from './python/lines.ts';
import { findNeeds } from './python/needs.ts';
import { type PythonProject, readProject, sdkOf, withNearestList } from './python/project.ts';
import { refusePython } from './python/refuse.ts';
import { type Listed, readReadme, readScriptHeader } from './python/requirements.ts';
import { readInstalledScripts } from './python/resolve.ts';
import { sourceRoots } from './python/roots.ts';
import { looksLikeServer, speaksMcp } from './python/source.ts';
import { servingSubcommand } from './python/subcommand.ts';
import { createTree } from './python/tree.ts';
import { findPortVariables, findSettings } from './settings.ts';

const MARKERS =
  /^(pyproject\.toml|setup\.(py|cfg)|requirements?[\w.-]*\.(txt|in)|requirments\.txt|requirements|uv\.lock|Pipfile|pylock\.toml|environment\.ya?ml|pixi\.toml|fastmcp\.json)$/;

/**
 * Frames at once and as UTF-8, a stack on a crash, no banner on the protocol's stdout. Byte code is written (the tree is the
 * plugin's own copy): from the second start on the SDK's imports take half the time.
 */
const ENV = {
  PYTHONUNBUFFERED: '1',
  PYTHONFAULTHANDLER: '1',
  PYTHONIOENCODING: 'utf-8',
  FASTMCP_SHOW_SERVER_BANNER: 'false',
} as const;

export function createPythonLauncher(): Launcher {
  return {
    id: 'python',
    detect: isPython,
    plan: planPython,
    resolve: readInstalledScripts,
    explain: explainPython,
  };
}

function isPython(view: FileView, dir: string): boolean {
  const own = view.files.filter((file) => dirname(file) === dir);
  return (
    own.some((file) => MARKERS.test(basename(file))) ||
    view.files.some((file) => dirname(file) === join(dir, 'requirements') && file.endsWith('.txt')) ||
    own.some((file) => file.endsWith('.py') && looksLikeServer(view.read(file)))
  );
}

function planPython(folder: FileView, dir: string, spec: PluginSpec): LaunchPlan | Refusal {
  const view = createTree(folder);
  const declared = readProject(view, dir);
  if ('code' in declared) return declared;
  const isOverridden = spec.overrides.command !== undefined;
  const layout = layoutOf(view, dir, declared);
  const roots = sourceRoots(view, dir, declared);
  const config = readFastmcpConfig(view, dir);
  const entries = findEntries(view, {
    project: declared,
    venv: { dir, venvDir: layout.venvDir },
    installsPackage: layout.installsPackage,
    roots,
    config,
    identities: [declared.name, sourceName(spec.source), basename(dir)],
  });
  if (entries.best === null && !isOverridden && !declared.hasDynamicScripts) return refusePython(view, dir, declared);

  const { source } = entries;
  const project = withNearestList(view, dir, declared, source);
  const header = source === null ? null : readScriptHeader(view, source);
  const more = [
    ...(header === null ? [] : [header]),
    ...(config === null || config.dependencies.length === 0 ? [] : [listOf(config.file, config.dependencies)]),
  ];
  const isBare = project.requirements.length === 0 && more.length === 0;
  const readme = isBare ? withoutItself(readReadme(view, dir), [project.name, sourceName(spec.source)]) : null;
  const lists = readme === null ? more : [readme];
  const needs = findNeeds(
    view,
    roots,
    project,
    dir,
    source,
    lists.flatMap(({ lines }) => lines),
  );
  const install = planInstall(view, dir, {
    project,
    layout,
    needs,
    more: lists,
    prefersPython: config?.prefersPython ?? null,
  });

  const subcommand =
    isOverridden || source === null || namesCommand(spec) ? null : servingSubcommand(view, roots, source);
  const start = subcommand === null ? entries.candidates : entries.candidates.map(withWord(subcommand.word));
  const served = source === null ? [] : readImports(view, roots, source).files;
  const sdk = sdkOf(project) ?? (source !== null && speaksMcp(view.read(source) ?? '') ? 'mcp' : null);
  const base = createBasePlan('python', 'python', dir);
  const evidence: Evidence[] = [
    ...entries.evidence,
    ...(subcommand === null ? [] : [subcommand.evidence]),
    ...dependencyEvidence(view, project),
    ...install.evidence,
    ...(project.requiresPython === null
      ? []
      : [
          {
            file: project.file,
            ...lineOf(view, project.file, /^\s*(requires-python|python|python_requires)\s*=|python_requires/m),
            says: `wants Python ${project.requiresPython}`,
          },
        ]),
  ];
  return {
    ...base,
    tools: install.tools,
    newerTools: install.newerTools,
    install: install.rungs,
    start,
    port: { ...base.port, env: [...new Set([...base.port.env, ...findPortVariables(view, dir)])] },
    endpoint: findEventStream(view, dir, start) ?? findEndpoint(view, served),
    ...(subcommand === null ? {} : { args: [subcommand.word] }),
    env: { ...ENV, ...config?.env },
    wants: withSettings(findSettings(view, dir), config?.wants ?? []),
    confidence: confidenceOf(sdk, entries),
    evidence,
    passedOver: entries.passedOver,
  };
}

/** The caller's own arguments begin with a subcommand. */
const namesCommand = ({ overrides }: PluginSpec): boolean => /^\w[\w-]*$/.test(overrides.args?.[0] ?? '');

const listOf = (file: string, lines: readonly string[]): Listed => ({ file, lines, requiresPython: null, indexes: [] });

/** A README also tells how to install the published package; what is here is what is to run. */
function withoutItself(readme: Listed | null, names: readonly string[]): Listed | null {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[-_.]+/g, '-');
  const own = new Set([...names.map(plain), 'uv', 'pip', 'pipx', 'poetry', 'virtualenv', 'pipenv', 'pdm', 'hatch']);
  const lines = readme?.lines.filter((line) => !own.has(plain(/^[\w.-]+/.exec(line)?.[0] ?? ''))) ?? [];
  return readme === null || lines.length === 0 ? null : { ...readme, lines };
}

/** Ways to start that are the program itself; an object is run without its command line. */
const withWord =
  (word: string) =>
  (candidate: Candidate): Candidate =>
    /^(script|source|module|file):/.test(candidate.id) && !candidate.command.args.includes(word)
      ? { ...candidate, command: { ...candidate.command, args: [...candidate.command.args, word] } }
      : candidate;

function withSettings(wants: LaunchPlan['wants'], more: LaunchPlan['wants']): LaunchPlan['wants'] {
  const known = new Set(wants.map(({ name }) => name));
  const added = more.filter(({ name }) => !known.has(name));
  return added.length === 0 ? wants : [...wants, ...added].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function dependencyEvidence(view: FileView, project: PythonProject): Evidence[] {
  const sdk = sdkOf(project);
  if (sdk === null) return [];
  const file = [project.file, project.requirementsFile ?? '', ...project.listed.map((each) => each.file)].find((each) =>
    new RegExp(`\\b${sdk}\\b`, 'i').test(view.read(each) ?? ''),
  );
  if (file === undefined) return [{ file: project.file, says: `depends on ${sdk}` }];
  return [
    {
      file,
      ...lineOf(view, file, new RegExp(`^\\s*["']?${sdk}\\b(?!["']?\\s*=\\s*["'][\\w.]+:)`, 'im')),
      says: `depends on ${sdk}`,
    },
  ];
}

const confidenceOf = (sdk: string | null, { best }: PythonEntries): LaunchPlan['confidence'] =>
  sdk !== null && (best === 'script' || best === 'config')
    ? 'high'
    : sdk !== null || best === 'file'
      ? 'medium'
      : 'low';
