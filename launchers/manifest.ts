/** Our own manifest in a plugin's folder: what it says wins over every rule; what it leaves out, a runtime's rules fill in. */

import { commandCandidate, createBinaryPlan, withToolsFor } from './binary.ts';
import { explainWith } from './explain.ts';
import { isUnknownField, type ManifestFields, OUR_FIELDS, readFields } from './manifest/fields.ts';
import { NODE_PATTERNS } from './node/explain.ts';
import { readManifest } from './parse.ts';
import { extname, join, relative } from './paths.ts';
import {
  type Candidate,
  type FileView,
  isRefusal,
  type Launcher,
  type LaunchPlan,
  type PluginSpec,
  type Refusal,
} from './plan.ts';
import { PYTHON_PATTERNS } from './python/explain.ts';
import { badManifest, notAServer } from './refusal.ts';

/** Best first; one is enough. */
export const MANIFEST_FILES: readonly string[] = ['.quore/plugin', 'plugin', 'mcp-supervisor'].flatMap((name) => [
  `${name}.yaml`,
  `${name}.yml`,
]);

/** `runtimes` are the launchers that `runtime: <id>` may name. */
export function createManifestLauncher(runtimes: readonly Launcher[]): Launcher {
  return {
    id: 'manifest',
    detect: (view, dir) => manifestFile(view, dir) !== null,
    plan: (view, dir, spec) => planManifest(view, dir, spec, runtimes),
    resolve: (view, plan) => runtimes.find(({ id }) => id === plan.runtime)?.resolve(view, plan) ?? plan,
    explain: (output, exit) => explainWith([...PYTHON_PATTERNS, ...NODE_PATTERNS], output, exit),
  };
}

function manifestFile(view: FileView, dir: string): string | null {
  return (
    MANIFEST_FILES.map((name) => join(dir, name)).find((file) => view.files.includes(file) && isOurs(view, file)) ??
    null
  );
}

/** Fields of Helm's plugin.yaml, which has a `command` too. */
const FOREIGN = [
  'usage',
  'platformCommand',
  'ignoreFlags',
  'hooks',
  'platformHooks',
  'apiVersion',
  'kind',
  'main',
  'depend',
  'api-version',
];

/**
 * `plugin.yaml` is a name that others use: it is ours when it has a field of ours and none of theirs. Catalogues write
 * `runtime` and `install` beside fields of their own: without the one word that says what to run, several unknown
 * fields make it theirs; one is a typing error.
 */
function isOurs(view: FileView, file: string): boolean {
  if (!/(^|\/)plugin\.ya?ml$/.test(file) || file.includes('.quore/')) return true;
  const parsed = readManifest(view, file);
  // A broken one is reported, not skipped: its author meant something by it.
  if (!parsed?.ok) return !/\$HELM_|^usage:/m.test(view.read(file) ?? '');
  const names = Object.keys(parsed.fields);
  if (!names.some((name) => OUR_FIELDS.includes(name)) || names.some((name) => FOREIGN.includes(name))) return false;
  return names.includes('command') || names.includes('entry') || names.filter(isUnknownField).length < 2;
}

function planManifest(
  view: FileView,
  dir: string,
  spec: PluginSpec,
  runtimes: readonly Launcher[],
): LaunchPlan | Refusal {
  const file = manifestFile(view, dir);
  const parsed = file === null ? null : readManifest(view, file);
  if (file === null || parsed === null) return notAServer('No manifest was found.', []);
  if (!parsed.ok) return parsed.refusal;
  const fields = readFields(file, parsed.fields);
  if ('code' in fields) return fields;

  const known = ['binary', ...runtimes.map(({ id }) => id)];
  if (fields.runtime !== undefined && !known.includes(fields.runtime)) {
    return badManifest(
      file,
      `field \`runtime\`: expected one of ${known.join(', ')}, got ${JSON.stringify(fields.runtime)}`,
    );
  }
  const runtime = runtimes.find((each) =>
    fields.runtime === undefined ? each.detect(view, dir) : each.id === fields.runtime,
  );
  const isExplicit = fields.command !== undefined || fields.entry !== undefined;
  // A runtime's rules need find no entry where the manifest names one.
  const told = isExplicit ? { ...spec, overrides: { ...spec.overrides, command: fields.command ?? ['entry'] } } : spec;
  const made = runtime?.plan(view, dir, told);
  if (made !== undefined && isRefusal(made) && (!isExplicit || made.code === 'DETECT_BAD_MANIFEST')) return made;
  if (made === undefined && !isExplicit && spec.overrides.command === undefined) {
    return badManifest(
      file,
      'has neither `command` nor `entry`, and no runtime’s rules fit the folder',
      'Add a `command`.',
    );
  }
  const base = made === undefined || isRefusal(made) ? createBinaryPlan(view, dir) : made;
  return overlay(view, file, fields, { ...base, launcher: 'manifest', runtime: runtime?.id ?? 'binary' });
}

function overlay(view: FileView, file: string, fields: ManifestFields, base: LaunchPlan): LaunchPlan {
  const dir = base.projectDir;
  const cwd = join(dir, fields.cwd ?? '');
  const args = fields.args ?? [];
  const given =
    fields.command !== undefined
      ? commandCandidate(view, 'manifest', fields.command, cwd)
      : entryCandidate(base, fields.entry, cwd);
  const start = (given === null ? base.start : [given]).map(
    (candidate): Candidate => ({
      ...candidate,
      command: { ...candidate.command, args: [...candidate.command.args, ...args] },
    }),
  );
  const steps = (commands: readonly (readonly string[])[]) =>
    commands.map((words) => commandCandidate(view, 'manifest', words, dir).command);
  const programs = [
    ...start.map(({ command }) => command.program),
    ...[...(fields.install ?? []), ...(fields.build ?? [])].map(([program = '']) => program),
  ];
  return {
    ...base,
    tools: withToolsFor(base.tools, programs),
    install:
      fields.install === undefined
        ? base.install
        : fields.install.length === 0
          ? []
          : [{ id: 'manifest', cures: 'any', steps: steps(fields.install) }],
    build: fields.build === undefined ? base.build : steps(fields.build),
    start,
    transport: fields.transport ?? base.transport,
    port: fields.port ?? base.port,
    socket: fields.socket ?? null,
    endpoint: fields.endpoint ?? null,
    health: fields.health ?? null,
    ...(fields.openapi === undefined ? {} : { openapi: fields.openapi }),
    readyPattern: fields.ready ?? null,
    env: { ...base.env, ...fields.env },
    ...(args.length === 0 ? {} : { args }),
    confidence: 'high',
    evidence: [{ file, says: `is our manifest: ${Object.keys(fields).join(', ')}` }, ...base.evidence],
  };
}

/** `entry` by the runtime that was named, else by the file's ending; a file of no known ending is run itself. */
function entryCandidate(base: LaunchPlan, entry: string | undefined, cwd: string): Candidate | null {
  if (entry === undefined) return null;
  const file = join(base.projectDir, entry);
  const path = relative(cwd, file);
  const ending = extname(entry);
  const program =
    base.runtime === 'python' || ending === '.py'
      ? 'python'
      : /^\.[cm]?tsx?$/.test(ending)
        ? 'tsx'
        : base.runtime === 'node' || /^\.[cm]?js$/.test(ending)
          ? 'node'
          : null;
  const make = (name: string, args: readonly string[]): Candidate => ({
    id: 'manifest',
    command: { program: name, args, cwd },
    entry: file,
  });
  if (program === null) return make(file.includes('/') ? file : `./${file}`, []);
  // The loader runs TypeScript in the one process that is signalled.
  return program === 'tsx' ? make('node', ['--import', 'tsx', path]) : make(program, [path]);
}
