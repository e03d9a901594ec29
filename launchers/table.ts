/** Who plans a folder: the ordered list of launchers, the tie-break between runtimes, and the search below a root. */

import { findBelow } from './below.ts';
import { createBinaryLauncher, createBinaryPlan } from './binary.ts';
import { planCommand } from './command.ts';
import { leavingTree } from './confine.ts';
import { withWitnesses } from './cross-check.ts';
import { createDenoLauncher } from './deno.ts';
import { createDockerLauncher } from './docker.ts';
import { createDotnetLauncher } from './dotnet.ts';
import { createGoLauncher } from './go.ts';
import { sourceName } from './identity.ts';
import { createJavaLauncher } from './java.ts';
import { linesOf, withLines } from './lines.ts';
import { createManifestLauncher, MANIFEST_FILES } from './manifest.ts';
import { createMcpbLauncher } from './mcpb.ts';
import { createNodeLauncher } from './node.ts';
import { applyOverrides } from './override.ts';
import { createPackageLauncher, planPackage } from './package.ts';
import { basename, join } from './paths.ts';
import { createPhpLauncher } from './php.ts';
import {
  type Evidence,
  type FileView,
  isRefusal,
  type Launcher,
  type LaunchPlan,
  type Overrides,
  type PluginSpec,
  type Refusal,
} from './plan.ts';
import { createPythonLauncher } from './python.ts';
import { notAServer, unsupported } from './refusal.ts';
import { planRemote } from './remote.ts';
import { createRubyLauncher } from './ruby.ts';
import { createRustLauncher } from './rust.ts';
import { withUsualArguments } from './usual-arguments.ts';

/**
 * Runtimes, in the order that breaks ties: compiled languages first, because their repositories often carry an npm package
 * or Python scripts beside the program. Adding one is one file and one line here.
 */
const runtimes: readonly Launcher[] = [
  createGoLauncher(),
  createRustLauncher(),
  createJavaLauncher(),
  createDotnetLauncher(),
  createDenoLauncher(),
  createNodeLauncher(),
  createPythonLauncher(),
  createRubyLauncher(),
  createPhpLauncher(),
];

/** All launchers, most decisive first. Stateless, so one list serves every supervisor. */
export const builtIn: readonly Launcher[] = [
  createManifestLauncher(runtimes),
  createMcpbLauncher(runtimes),
  ...runtimes,
  createPackageLauncher(),
  createBinaryLauncher(),
  createDockerLauncher(),
];

/**
 * The plan of a plugin's folder. Precedence: the caller's override, a launcher of the caller's own, our manifest, then
 * the runtime that knows most of the folder (it declares an MCP SDK, it names its program). A root that is no server
 * itself is searched below. Outcomes: a plan; DETECT_BAD_MANIFEST, DETECT_AMBIGUOUS (with `choices`), DETECT_UNSUPPORTED
 * (another language), DETECT_NOT_A_SERVER (with what was looked for).
 */
export function planFor(
  view: FileView,
  spec: PluginSpec,
  launchers: readonly Launcher[] = builtIn,
): LaunchPlan | Refusal {
  const made = plan(view, spec, launchers);
  return isRefusal(made) ? { ...made, evidence: linesOf(view, made.evidence) } : withLines(view, made);
}

function plan(view: FileView, spec: PluginSpec, launchers: readonly Launcher[]): LaunchPlan | Refusal {
  const dir = join(spec.source.subdir);
  const { overrides, source } = spec;
  if (source.kind === 'command') return applyOverrides(view, planCommand(source, overrides), withoutCwd(overrides));
  if (source.kind === 'package') return planPackage(view, spec);
  if (source.kind === 'remote') return planRemote(spec);
  const made = planFolder(view, dir, spec, launchers) ?? nothingKnown(view, dir);
  if (overrides.command !== undefined) {
    return applyOverrides(view, isRefusal(made) ? createBinaryPlan(view, dir) : made, overrides);
  }
  const foreign = foreignLanguage(view, dir);
  if (foreign !== null && (isRefusal(made) ? made.code === 'DETECT_NOT_A_SERVER' : made.confidence === 'low')) {
    return lastResort(view, dir, spec, launchers) ?? foreign;
  }
  if (!isRefusal(made)) return applyOverrides(view, made, overrides);
  if (made.code !== 'DETECT_NOT_A_SERVER' && made.code !== 'DETECT_UNSUPPORTED') return made;
  const below = findBelow(view, dir, spec, (folder) => planFolder(view, folder, spec, launchers), made);
  if (!isRefusal(below)) return applyOverrides(view, below, overrides);
  return (below.code === 'DETECT_NOT_A_SERVER' ? lastResort(view, dir, spec, launchers) : null) ?? below;
}

const LAST_RESORT = 'docker';

/** An image is slow to build, needs an engine, and is made for elsewhere: taken only where nothing else is known. */
function lastResort(view: FileView, dir: string, spec: PluginSpec, launchers: readonly Launcher[]): LaunchPlan | null {
  const launcher = launchers.find(({ id }) => id === LAST_RESORT);
  const made = launcher?.detect(view, dir) === true ? launcher.plan(view, dir, spec) : null;
  return made === null || isRefusal(made) ? null : applyOverrides(view, made, spec.overrides);
}

const CONFIDENCE = ['high', 'medium', 'low'] as const;

/** What the launchers make of one folder; null when none knows anything in it. */
function planFolder(
  view: FileView,
  dir: string,
  spec: PluginSpec,
  launchers: readonly Launcher[],
): LaunchPlan | Refusal | null {
  const deciding = launchers.findIndex(({ id }) => id === 'manifest');
  const mine = launchers.filter((launcher) => launcher.id !== LAST_RESORT && launcher.detect(view, dir));
  const first = mine.find((launcher) => launchers.indexOf(launcher) <= deciding);
  if (first !== undefined) return confined(first.plan(view, dir, spec));
  const made = mine.map((launcher) => launcher.plan(view, dir, spec));
  const plans = made.filter((each): each is LaunchPlan => !isRefusal(each));
  const best = CONFIDENCE.flatMap((confidence) => plans.find((plan) => plan.confidence === confidence) ?? [])[0];
  if (best !== undefined) return leavingTree(best) ?? withArguments(view, withWitnesses(view, best), spec);
  const refusals = made.filter(isRefusal);
  return refusals.find(({ code }) => code === 'DETECT_BAD_MANIFEST') ?? refusals[0] ?? null;
}

const confined = (made: LaunchPlan | Refusal): LaunchPlan | Refusal =>
  isRefusal(made) ? made : (leavingTree(made) ?? made);

/** It is in the command already. */
const withoutCwd = ({ cwd: _, ...overrides }: Overrides): Overrides => overrides;

/** A command of the caller's is complete; their arguments are, but for a subcommand. */
const withArguments = (view: FileView, plan: LaunchPlan, { overrides, source }: PluginSpec): LaunchPlan =>
  overrides.command !== undefined
    ? plan
    : withUsualArguments(view, plan, [sourceName(source), basename(plan.projectDir)], overrides.args);

/** What was looked for in a folder in which nothing was found. */
function nothingKnown(view: FileView, dir: string): Refusal {
  const where = dir === '' ? 'The folder' : dir;
  if (dir !== '' && !view.has(dir))
    return notAServer(`There is no folder ${dir}.`, [], 'Check --subdir for a typing error.');
  const evidence: Evidence[] = [
    { file: '', says: `no manifest of ours (${MANIFEST_FILES.join(', ')})` },
    { file: '', says: 'no go.mod or go.work, and no main.go' },
    { file: '', says: 'no Cargo.toml' },
    { file: '', says: 'no pom.xml or build.gradle, and no .csproj or solution' },
    { file: '', says: 'no package.json, and no server.js, app.js, main.js or index.js that serves' },
    { file: '', says: 'no pyproject.toml, setup.py or requirements.txt, and no .py file that serves' },
    { file: '', says: 'no deno.json, Gemfile, gemspec or composer.json' },
  ];
  const isEmpty = !view.files.some((file) => dir === '' || file.startsWith(`${dir}/`));
  return notAServer(
    isEmpty ? `${where} is empty.` : `${where} holds nothing that says how to start a server.`,
    evidence,
  );
}

/** Markers of languages without a launcher yet. */
const FOREIGN: readonly (readonly [language: string, marker: RegExp])[] = [
  ['Scala', /^build\.(sbt|sc)$/],
  ['Clojure', /^(project\.clj|deps\.edn)$/],
  ['Elixir', /^mix\.exs$/],
  ['Swift', /^Package\.swift$/],
];

function foreignLanguage(view: FileView, dir: string): Refusal | null {
  const prefix = dir === '' ? '' : `${dir}/`;
  const names = view.files.flatMap((file) => {
    const name = file.startsWith(prefix) ? file.slice(prefix.length) : '/';
    return name.includes('/') ? [] : [name];
  });
  for (const [language, marker] of FOREIGN) {
    const name = names.find((each) => marker.test(each));
    if (name === undefined) continue;
    return unsupported(
      `${dir === '' ? 'This' : dir} is a ${language} project, which is not supported yet.`,
      [{ file: prefix + name, says: `marks a ${language} project` }],
      'Build it yourself and give the command with --command.',
    );
  }
  return null;
}
