/**
 * MCPB (once DXT) bundles, manifest 0.1 to 0.4. In a bundle everything is there and the manifest's word is final. In a git
 * clone it describes the bundle to be packed: it counts where its entry point exists, behind what the runtime knows for sure.
 */

import { commandCandidate, createBinaryPlan, withToolsFor } from './binary.ts';
import { explainWith } from './explain.ts';
import { asFields, asString, asStrings, type Fields, readManifest } from './parse.ts';
import { join, relative } from './paths.ts';
import {
  type Candidate,
  type FileView,
  isRefusal,
  type Launcher,
  type LaunchPlan,
  type PluginSpec,
  type Refusal,
  type Setting,
} from './plan.ts';
import { badManifest, notAServer } from './refusal.ts';

const FILE = 'manifest.json';

/** Types of `server` and the runtime that runs them. */
const RUNTIMES: Readonly<Record<string, string>> = { node: 'node', python: 'python', uv: 'python', binary: 'binary' };

/** Where bundles keep what they depend on. */
const BUNDLED: Readonly<Record<string, readonly string[]>> = {
  node: ['node_modules', 'server/node_modules'],
  python: ['server/lib', 'server/venv', 'lib', 'venv', '.venv'],
  binary: [''],
};

/** `runtimes` install and explain what a bundle of theirs does not bring along. */
export function createMcpbLauncher(runtimes: readonly Launcher[]): Launcher {
  const runtimeOf = ({ runtime }: Pick<LaunchPlan, 'runtime'>) => runtimes.find(({ id }) => id === runtime);
  return {
    id: 'mcpb',
    detect: (view, dir) => bundleAt(view, dir) !== null,
    plan: (view, dir, spec) => planBundle(view, dir, spec, runtimes),
    resolve: (view, plan) => runtimeOf(plan)?.resolve(view, plan) ?? plan,
    explain: (output, exit) => explainWith([], output, exit),
  };
}

interface Bundle {
  readonly fields: Fields;
  readonly type: string;
  readonly entry: string;
}

/** The manifest when it is one of a bundle (a browser extension's has a number for a version) and its entry exists. */
function bundleAt(view: FileView, dir: string): Bundle | null {
  const parsed = view.files.includes(join(dir, FILE)) ? readManifest(view, join(dir, FILE)) : null;
  if (!parsed?.ok) return null;
  const { manifest_version, dxt_version, server } = parsed.fields;
  const { type, entry_point } = asFields(server);
  if (typeof (manifest_version ?? dxt_version) !== 'string' || typeof type !== 'string') return null;
  const entry = asString(entry_point);
  if (RUNTIMES[type] === undefined || entry === null || entry.startsWith('/') || join(entry).startsWith('..'))
    return null;
  return view.has(join(dir, entry)) ? { fields: parsed.fields, type, entry: join(entry) } : null;
}

function planBundle(
  view: FileView,
  dir: string,
  spec: PluginSpec,
  runtimes: readonly Launcher[],
): LaunchPlan | Refusal {
  const bundle = bundleAt(view, dir);
  if (bundle === null) return notAServer(`There is no ${FILE} of a bundle.`, []);
  const file = join(dir, FILE);
  const { fields, type, entry } = bundle;
  const runtime = RUNTIMES[type] as string;
  const isWhole = type !== 'uv' && (BUNDLED[runtime] ?? []).some((folder) => view.has(join(dir, folder)));
  const launcher = isWhole ? undefined : runtimes.find(({ id }) => id === runtime);
  const planned = (as: PluginSpec): LaunchPlan | null => {
    const made = launcher?.detect(view, dir) ? launcher.plan(view, dir, as) : null;
    return made === null || isRefusal(made) ? null : made;
  };
  const known = planned(spec);
  // A runtime's rules need find no entry where the manifest names one.
  const told = { ...spec, overrides: { ...spec.overrides, command: ['entry'] } };
  const base = known ?? planned(told) ?? createBinaryPlan(view, dir);
  const surely = known?.confidence === 'high';
  const candidate = candidateOf(view, dir, bundle);
  if (candidate === null) return badManifest(file, '`server.mcp_config.command` leaves the bundle');
  const start = [candidate, ...(known?.start ?? [])];
  const { compatibility, name } = fields;
  const range = asString(asFields(asFields(compatibility).runtimes)[runtime]);
  return {
    ...base,
    launcher: 'mcpb',
    runtime,
    tools: withToolsFor(
      base.tools,
      start.map(({ command }) => command.program),
    ).map((tool) => (tool.name === runtime && tool.version === null ? { ...tool, version: range } : tool)),
    start,
    transport: 'stdio',
    env: { ...base.env, ...literalEnv(fields) },
    wants: merged(base.wants, settingsOf(fields)),
    confidence: isWhole || !surely ? 'high' : 'medium',
    evidence: [
      { file, says: `is the manifest of the bundle ${asString(name) ?? ''}, which starts ${entry}` },
      ...base.evidence,
    ],
  };
}

/** `mcp_config`, or the entry point itself where it says nothing. */
function candidateOf(view: FileView, dir: string, { fields, type, entry }: Bundle): Candidate | null {
  const config = asFields(asFields(fields.server).mcp_config);
  const own = type === 'binary' ? [`./${entry}`] : [type === 'node' ? 'node' : 'python', entry];
  const command = asString(config.command);
  // uv would lock, sync and stand between us and the program.
  if (command === null || type === 'uv' || /^uvx?$/.test(command)) {
    return commandCandidate(view, 'mcpb', own, dir);
  }
  const words = [command, ...asStrings(config.args)].flatMap((word) => filled(word, fields));
  const inside = words.map((word) => (word.startsWith(HERE) ? relative('', join(word.slice(HERE.length))) : word));
  if (inside.some((word, at) => word.startsWith('..') || (at === 0 && word.startsWith('/')))) return null;
  const [program = '', ...args] = inside;
  const isOwn = words[0]?.startsWith(HERE) === true || program.startsWith('./');
  return commandCandidate(view, 'mcpb', [isOwn ? `./${join(program)}` : program, ...args], dir);
}

/** Stands for the bundle's folder until the word is known to be one of its paths. */
const HERE = '\0';

/**
 * The variables of a word. What the user has not chosen takes its default, a list makes a word of each item, and a word
 * that needs what nobody gave is left out, as are places of the user's own (`${HOME}`): they are not a bundle's to choose.
 */
function filled(word: string, fields: Fields): string[] {
  const alone = /^\$\{user_config\.([\w-]+)\}$/.exec(word)?.[1];
  const defaultOf = (key: string) => asFields(asFields(fields.user_config)[key]).default;
  if (alone !== undefined && Array.isArray(defaultOf(alone))) {
    return asStrings(defaultOf(alone)).flatMap((item) => filled(item, fields));
  }
  let isWhole = true;
  const text = word.replaceAll(/\$\{([^}]+)\}/g, (whole, variable: string) => {
    if (variable === '__dirname') return HERE;
    if (variable === '/' || variable === 'pathSeparator') return '/';
    const value = variable.startsWith('user_config.') ? defaultOf(variable.slice('user_config.'.length)) : undefined;
    if (['string', 'number', 'boolean'].includes(typeof value) && !String(value).includes('${')) return String(value);
    isWhole = false;
    return whole;
  });
  return isWhole ? [text] : [];
}

/** Variables whose value the manifest knows; the others are settings. Paths are relative to where it is started. */
function literalEnv(fields: Fields): Record<string, string> {
  const { env } = asFields(asFields(fields.server).mcp_config);
  return Object.fromEntries(
    Object.entries(asFields(env)).flatMap(([name, value]) => {
      const [text] = typeof value === 'string' ? filled(value, fields) : [];
      return text === undefined || text === '' ? [] : [[name, text.replaceAll(`${HERE}/`, './').replaceAll(HERE, '.')]];
    }),
  );
}

function settingsOf(fields: Fields): Setting[] {
  const { env } = asFields(asFields(fields.server).mcp_config);
  return Object.entries(asFields(env)).flatMap(([name, value]) => {
    const key = /\$\{user_config\.([\w-]+)\}/.exec(String(value))?.[1];
    if (key === undefined) return [];
    const { required, sensitive, description } = asFields(asFields(fields.user_config)[key]);
    const about = asString(description);
    return [
      {
        name,
        required: required === true,
        secret: sensitive === true,
        ...(about === null ? {} : { description: about }),
      },
    ];
  });
}

const merged = (first: readonly Setting[], more: readonly Setting[]): Setting[] => [
  ...first.filter(({ name }) => !more.some((each) => each.name === name)),
  ...more,
];
