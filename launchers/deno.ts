/** Deno projects: programs of a deno.json, or files that only Deno can run. */

import { createBasePlan } from './base-plan.ts';
import { CONFIGS, configOf, type DenoProject, readDeno, sdkOf } from './deno/config.ts';
import { type DenoEntries, findEntries } from './deno/entries.ts';
import { explainDeno } from './deno/explain.ts';
import { planInstall, QUIET } from './deno/install.ts';
import { isForDeno, looksLikeServer, shebangOf } from './deno/source.ts';
import { findEventStream } from './event-stream.ts';
import { join } from './paths.ts';
import type { FileView, Launcher, LaunchPlan, PluginSpec, Refusal, Setting } from './plan.ts';
import { notAServer } from './refusal.ts';
import { findPortVariables, findSettings, sourceFiles } from './settings.ts';

/** Without a config only these say that a folder is a Deno program. */
const BARE = ['main.ts', 'server.ts', 'mod.ts', 'index.ts', 'mcp.ts', 'main.js', 'server.js'];

/** Nobody answers a question for a permission; what is not granted fails with its name. */
const ENV = { ...QUIET, DENO_NO_PROMPT: '1' } as const;

/** Where the caller's Deno keeps modules: the start must look where the install put them. */
const CACHE: readonly Setting[] = ['DENO_DIR', 'XDG_CACHE_HOME'].map((name) => ({
  name,
  required: false,
  secret: false,
  description: 'Where Deno keeps the modules that it has fetched',
}));

export function createDenoLauncher(): Launcher {
  return {
    id: 'deno',
    detect: (view, dir) =>
      configOf(view, dir) !== null ||
      (!view.files.includes(join(dir, 'package.json')) && BARE.some((file) => isProgram(view, join(dir, file)))),
    plan: planDeno,
    resolve: (_, plan) => plan,
    explain: explainDeno,
  };
}

const isProgram = (view: FileView, file: string): boolean => {
  const text = view.files.includes(file) ? view.read(file) : undefined;
  return isForDeno(text) && looksLikeServer(text);
};

function planDeno(view: FileView, dir: string, spec: PluginSpec): LaunchPlan | Refusal {
  const project = readDeno(view, dir);
  if ('code' in project) return project;
  const entries = findEntries(view, dir, project);
  const [first] = entries.candidates;
  if (first === undefined && spec.overrides.command === undefined) return refuse(dir, project, entries);

  const texts = sourceFiles(view, dir).flatMap((file) => view.read(file) ?? []);
  const sdk = sdkOf(project, texts);
  const install = first?.entry == null ? [] : planInstall(dir, project, first.entry);
  const base = createBasePlan('deno', 'deno', dir);
  return {
    ...base,
    // The first that installs from an entry on.
    tools: [{ name: 'deno', version: '>=2.0.0' }],
    install,
    start: entries.candidates,
    port: { ...base.port, env: [...new Set([...base.port.env, ...findPortVariables(view, dir)])] },
    endpoint: findEventStream(view, dir, entries.candidates),
    env: ENV,
    wants: [...findSettings(view, dir), ...CACHE],
    confidence: confidenceOf(view, dir, project, entries, sdk, texts),
    evidence: [
      ...entries.evidence,
      ...(sdk === null ? [] : [{ file: project.file, says: `imports ${sdk}` }]),
      ...(project.lock === null ? [] : [{ file: project.lock, says: 'is Deno’s lock' }]),
    ],
    passedOver: entries.passedOver,
  };
}

function confidenceOf(
  view: FileView,
  dir: string,
  project: DenoProject,
  { best, candidates }: DenoEntries,
  sdk: string | null,
  texts: readonly string[],
): LaunchPlan['confidence'] {
  if (isForNode(view, dir, project)) return 'low';
  const serves = sdk !== null || texts.some(looksLikeServer);
  if (sdk !== null && best === 'task') return 'high';
  // A file that asks for Deno by its first line, or by its imports, is as good as a task.
  const entry = view.read(candidates[0]?.entry ?? '');
  if (sdk !== null && (shebangOf(entry) !== null || (project.packageJson === null && isForDeno(entry)))) return 'high';
  return serves ? 'medium' : 'low';
}

/** A deno.json beside a package whose own program is for Node: it formats, lints, or publishes to another registry. */
function isForNode(view: FileView, dir: string, { packageJson, tasks }: DenoProject): boolean {
  if (packageJson === null) return false;
  const { bin, scripts } = packageJson;
  const runsDeno = (line: string) => /\bdeno\s+(run|serve|task)\b/.test(line);
  if (bin.size > 0) return ![...bin.values()].some((file) => isForDeno(view.read(join(dir, file))));
  return scripts.start === undefined ? ![...tasks.values()].some(runsDeno) : !runsDeno(scripts.start);
}

function refuse(dir: string, project: DenoProject, { passedOver }: DenoEntries): Refusal {
  const says = [
    project.hasConfig ? 'no task that runs a server' : `no ${CONFIGS.join(' or ')}`,
    ...passedOver.map(({ what, why }) => `${what}: ${why}`),
    'no export that starts anything',
    'no main, server, mod or index file that serves',
  ];
  return notAServer(
    `${project.name || dir || 'This folder'} is a Deno project, but nothing in it says how to start a server.`,
    says.map((each) => ({ file: project.file, says: each })),
  );
}
