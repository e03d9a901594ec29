/**
 * A package of npm or PyPI, installed as its own runner (`npx`, `uvx`) would do it: as the one dependency of an empty
 * project. The checkout holds `registry.json`, what the registry said of it (`actors/clone/package`).
 */

import { createBasePlan } from './base-plan.ts';
import { explainWith } from './explain.ts';
import { byIdentity, isHelper, unscoped } from './identity.ts';
import { NODE_PATTERNS } from './node/explain.ts';
import { createInstaller } from './node/install.ts';
import { chooseManager } from './node/manager.ts';
import { applyOverrides } from './override.ts';
import { asFields, asString, type Fields, readManifest } from './parse.ts';
import { basename, dirname, isBelow, join, relative } from './paths.ts';
import {
  type Candidate,
  type Evidence,
  type FileView,
  isRefusal,
  type Launcher,
  type LaunchPlan,
  type PluginSpec,
  type Refusal,
} from './plan.ts';
import { PYTHON_PATTERNS } from './python/explain.ts';
import { badManifest, notAServer } from './refusal.ts';
import { findSettings } from './settings.ts';
import { withUsualArguments } from './usual-arguments.ts';

const NOTE = 'registry.json';

/** In the table so that plans of its name find their `resolve` and `explain`; it never claims a folder of itself. */
export function createPackageLauncher(): Launcher {
  return {
    id: 'package',
    detect: () => false,
    plan: (view, _dir, spec) => planPackage(view, spec),
    resolve: resolvePackage,
    explain: (output, exit) => explainWith([...NODE_PATTERNS, ...PYTHON_PATTERNS], output, exit),
  };
}

/** The plan of a checkout of kind `package`. A command of one bare word names a program of the package. */
export function planPackage(view: FileView, spec: PluginSpec): LaunchPlan | Refusal {
  const parsed = readManifest(view, NOTE);
  if (parsed === null) return badManifest(NOTE, 'is missing');
  if (!parsed.ok) return parsed.refusal;
  const { fields } = parsed;
  const { command, ...others } = spec.overrides;
  const [program, ...more] = command ?? [];
  const named = program !== undefined && more.length === 0 && /^[\w.-]+$/.test(program) ? program : null;
  const made = fields.registry === 'npm' ? planNpm(view, fields, spec, named) : planPypi(view, fields, named);
  if (isRefusal(made)) return made;
  const isNamed = named !== null && made.start.some(({ id }) => id === `program:${named}`);
  return applyOverrides(view, made, isNamed ? others : spec.overrides);
}

// ---- npm ----

function planNpm(view: FileView, note: Fields, { overrides }: PluginSpec, named: string | null): LaunchPlan | Refusal {
  const name = asString(note.name) ?? '';
  const programs = npmPrograms(name, note.bin);
  const start = named === null ? servers(programs, name) : chosen(programs, named);
  if (start.length === 0 && overrides.command === undefined) {
    const says = [{ file: NOTE, says: 'the registry knows no program (bin) of it' }];
    return notAServer(
      `${name} is a library: it has no program to run.`,
      says,
      'Check the name; some servers are only in their repository.',
    );
  }
  const range = asString(asFields(note.engines).node);
  const installer = createInstaller(chooseManager(view, '', null), '', {
    ignoreWorkspace: false,
    npmCanRead: true,
    namesRegistry: false,
    downloads: true,
    native: [],
    dispensable: new Map(),
    allowScripts: overrides.allowScripts,
  });
  const base = createBasePlan('package', 'node', '');
  return {
    ...base,
    tools: [{ name: 'node', version: range }, ...installer.tools],
    install: installer.rungs,
    start,
    wants: findSettings(view, ''),
    confidence: 'high',
    evidence: [
      pinned('npm', name, note),
      ...programs.map(({ id }) => ({ file: NOTE, says: `has the program ${id.replace(/^bin:/, '')}` })),
    ],
  };
}

/** Names with their files; a lone path is a program of the package's own name. */
function binsOf(name: string, bin: unknown): (readonly [string, string])[] {
  if (typeof bin === 'string') return [[unscoped(name), bin]];
  return Object.entries(asFields(bin)).flatMap(([each, file]) =>
    typeof file === 'string' ? [[each, file] as const] : [],
  );
}

/** Most likely the server first, helpers last; by their files and our Node, because `.bin` has only links to them. */
function npmPrograms(name: string, bin: unknown): Candidate[] {
  const bins = new Map(binsOf(name, bin));
  const sorted = byIdentity([...bins.keys()], [name]);
  const dir = join('node_modules', name);
  return sorted.flatMap((each) => {
    const entry = join(dir, bins.get(each) ?? '');
    // One that leaves its package is no program of it.
    return entry !== dir && isBelow(entry, dir)
      ? [{ id: `bin:${each}`, command: { program: 'node', args: [entry], cwd: '' }, entry }]
      : [];
  });
}

/** The servers among programs; where all are helpers, those. */
function servers(programs: readonly Candidate[], name: string): readonly Candidate[] {
  const own = programs.filter(({ id }) => !isHelper(nameOf(id), [name]));
  return own.length > 0 ? own : programs;
}

const nameOf = (id: string): string => id.slice(id.indexOf(':') + 1);

/** The one that the caller named, which stays chosen once more is known. */
const chosen = (programs: readonly Candidate[], named: string): Candidate[] =>
  programs.filter(({ id }) => nameOf(id) === named).map((each) => ({ ...each, id: `program:${named}` }));

// ---- PyPI ----

/** As in `launchers/python`: frames at once, no banner on the protocol's stdout. */
const PYTHON_ENV = {
  PYTHONUNBUFFERED: '1',
  PYTHONFAULTHANDLER: '1',
  PYTHONIOENCODING: 'utf-8',
  FASTMCP_SHOW_SERVER_BANNER: 'false',
} as const;

function planPypi(view: FileView, note: Fields, named: string | null): LaunchPlan {
  const name = asString(note.name) ?? '';
  const requirement = `${name}==${asString(note.version) ?? ''}`;
  const uv = (...args: string[]) => ({ program: 'uv', args, cwd: '', env: { UV_PYTHON_DOWNLOADS: 'never' } });
  const pip = (...args: string[]) => uv('pip', 'install', '--python', '.venv/bin/python', ...args);
  const venv = { program: 'python', args: ['-m', 'venv', '--clear', '--without-pip', '.venv'], cwd: '' };
  const base = createBasePlan('package', 'python', '');
  return {
    ...base,
    tools: [
      { name: 'python', version: null },
      { name: 'uv', version: null },
    ],
    install: [
      { id: 'uv-pip', cures: 'any', steps: [venv, pip(requirement)] },
      {
        id: 'uv-pip-as-of-release',
        cures: ['incompatible-dependency', 'missing-module', 'build-failed'],
        asOfCommit: true,
        steps: [venv, pip('--exclude-newer', '{date}', requirement)],
      },
    ],
    // As uvx guesses; what it really has is known once it is installed.
    start: named === null ? [scriptCandidate(bare(name))] : chosen([scriptCandidate(named)], named),
    env: PYTHON_ENV,
    wants: findSettings(view, ''),
    confidence: 'high',
    evidence: [pinned('PyPI', name, note)],
  };
}

const scriptCandidate = (script: string): Candidate => {
  const entry = join('.venv/bin', script);
  return { id: `script:${script}`, command: { program: entry, args: [], cwd: '' }, entry };
};

/** Without extras. */
const bare = (name: string): string => name.replace(/\[.*$/, '');

const pinned = (where: string, name: string, note: Fields): Evidence => ({
  file: NOTE,
  says: `${name} is at ${asString(note.version) ?? '?'} on ${where}`,
});

// ---- after the install ----

/** Which programs it has, which of them are scripts of Node, and what its own documents say of settings and arguments. */
function resolvePackage(view: FileView, plan: LaunchPlan): LaunchPlan {
  const parsed = readManifest(view, NOTE);
  if (parsed === null || !parsed.ok || !plan.start.every(({ id }) => /^(bin|script|program):/.test(id))) return plan;
  const name = asString(parsed.fields.name) ?? '';
  const installed = plan.runtime === 'node' ? installedNpm(view, name) : installedPypi(view, bare(name));
  if (installed === null) return plan;
  const given = plan.args ?? [];
  const [first] = plan.start;
  const named = first?.id.startsWith('program:') ? nameOf(first.id) : null;
  const programs = named === null ? servers(installed.programs, bare(name)) : chosen(installed.programs, named);
  const start = programs.map(({ command, ...rest }) => ({
    ...rest,
    command: { ...command, args: [...command.args, ...given] },
  }));
  const isKnown = (name: string) => plan.wants.some((known) => known.name === name);
  const wants = [...plan.wants, ...findSettings(installed.view, '').filter((each) => !isKnown(each.name))];
  const found = { ...plan, start: start.length > 0 ? start : plan.start, wants };
  return given.length > 0 ? found : withUsualArguments(installed.view, found, [bare(name)]);
}

interface Installed {
  /** Most likely the server first. */
  readonly programs: readonly Candidate[];
  /** What the package itself says, as if it were a folder. */
  readonly view: FileView;
}

function installedNpm(view: FileView, name: string): Installed | null {
  const dir = join('node_modules', name);
  const parsed = readManifest(withFile(view, join(dir, 'package.json')), join(dir, 'package.json'));
  if (parsed === null || !parsed.ok) return null;
  const programs = npmPrograms(name, parsed.fields.bin).map(
    (candidate): Candidate =>
      runsOnNode(view.read(candidate.entry ?? ''))
        ? candidate
        : { ...candidate, command: { program: join('node_modules/.bin', nameOf(candidate.id)), args: [], cwd: '' } },
  );
  const files = programs.flatMap(({ entry }) => (entry === null ? [] : [relative(dir, entry)]));
  return { programs, view: viewBelow(view, dir, ['README.md', 'readme.md', 'server.json', ...files]) };
}

/** A program without a first line of its own, or too large to read, is JavaScript; every other one says what it wants. */
const runsOnNode = (text: string | undefined): boolean =>
  text === undefined || !text.startsWith('#!') || /^#!.*\bnode\b/.test(text);

function installedPypi(view: FileView, name: string): Installed | null {
  const normal = (each: string) => each.toLowerCase().replaceAll(/[-_.]+/g, '-');
  const info = view.files.find(
    (file) =>
      file.endsWith('.dist-info/METADATA') &&
      normal(basename(dirname(file)).replace(/-[^-]+\.dist-info$/, '')) === normal(name),
  );
  if (info === undefined) return null;
  const section =
    /^\[console_scripts\]\s*$([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(
      view.read(join(dirname(info), 'entry_points.txt')) ?? '',
    )?.[1] ?? '';
  const names = [...section.matchAll(/^\s*([\w.-]+)\s*=/gm)].map(([, script = '']) => script);
  const scripts = byIdentity(names, [name]).map(scriptCandidate);
  const [, module] = /^([\w]+)\/__main__\.py,/m.exec(view.read(join(dirname(info), 'RECORD')) ?? '') ?? [];
  const main: Candidate[] =
    module === undefined
      ? []
      : [
          {
            id: `module:${module}`,
            command: { program: '.venv/bin/python', args: ['-m', module], cwd: '' },
            entry: null,
          },
        ];
  // Behind the headers stands what is shown on the package's page.
  const readme = (view.read(info) ?? '').replace(/^[\s\S]*?\n\r?\n/, '');
  return { programs: scripts.length > 0 ? scripts : main, view: textView({ 'README.md': readme }) };
}

/** Files that a listing leaves out (`node_modules`) but that can be read by name. */
const withFile = (view: FileView, file: string): FileView =>
  view.has(file) ? { ...view, files: [...view.files, file] } : view;

function viewBelow(view: FileView, dir: string, files: readonly string[]): FileView {
  const texts = files.flatMap((file) => {
    const text = view.read(join(dir, file));
    return text === undefined ? [] : [[file === 'readme.md' ? 'README.md' : file, text] as const];
  });
  return textView(Object.fromEntries(texts));
}

const textView = (texts: Readonly<Record<string, string>>): FileView => ({
  files: Object.keys(texts).sort(),
  has: (path) => Object.hasOwn(texts, path),
  read: (path) => (Object.hasOwn(texts, path) ? texts[path] : undefined),
});
