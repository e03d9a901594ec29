/** The install ladder of a Python project, always into a private `.venv`; uv does the work of pip, venv and lock. */

import { asFields, asString, asStrings } from '../parse.ts';
import { join, relative } from '../paths.ts';
import type { CauseKind, Command, Evidence, FileView, Rung, Tool } from '../plan.ts';
import type { Layout } from './layout.ts';
import { readPins } from './locks.ts';
import { nameOf, normalName } from './names.ts';
import type { Needs } from './needs.ts';
import type { PythonProject } from './project.ts';
import { preferredPython, usualPython } from './python-version.ts';
import { isOutOfPlace, isUtf16, type Listed, requirementLines } from './requirements.ts';

export interface PythonInstall {
  readonly rungs: readonly Rung[];
  readonly tools: readonly Tool[];
  readonly newerTools: readonly Tool[];
  readonly evidence: readonly Evidence[];
}

/** What a lock, or a way to read the manifest, may be at fault for. */
const STALE: readonly CauseKind[] = ['lock-out-of-date', 'version-not-found', 'network', 'engine-mismatch', 'unknown'];
const BROKEN: readonly CauseKind[] = [
  'build-failed',
  'install-script-failed',
  'missing-module',
  'missing-program',
  'missing-library',
  'unknown',
];
const ANY_FAULT = [...new Set([...STALE, ...BROKEN])];

/** uv takes the venv's interpreter, and so never looks for (or downloads) the one that a .python-version names. */
const UV = { UV_PYTHON: '.venv/bin/python', UV_PROJECT_ENVIRONMENT: '.venv', UV_PYTHON_DOWNLOADS: 'never' } as const;
const POETRY = {
  POETRY_VIRTUALENVS_IN_PROJECT: 'true',
  POETRY_VIRTUALENVS_CREATE: 'true',
  POETRY_NO_INTERACTION: '1',
} as const;

/** What a project is installed from, besides its own files. */
export interface Inputs {
  readonly project: PythonProject;
  readonly layout: Layout;
  readonly needs: Needs;
  /** Lists of what is started itself: its script header, fastmcp.json, the README where nothing else lists anything. */
  readonly more: readonly Listed[];
  readonly prefersPython: string | null;
}

export function planInstall(view: FileView, dir: string, inputs: Inputs): PythonInstall {
  const { project, layout, needs, more } = inputs;
  const { venvDir, uvLock, needsSync } = layout;
  const here = relative(venvDir, dir);
  // The interpreter that the runtimes chose makes the venv: without pip, so Pythons without ensurepip can do it too.
  const venv: Command = { program: 'python', args: ['-m', 'venv', '--clear', '--without-pip', '.venv'], cwd: venvDir };
  const uv = (...args: string[]): Command => ({ program: 'uv', args, cwd: venvDir, env: UV });
  const pip = (...args: string[]): Command => uv('pip', 'install', '--python', '.venv/bin/python', ...args);
  const bounds = [...needs.bounds, ...more.flatMap((each) => each.lines)];
  // Of use by themselves: where one can't be had, the rest may do.
  const later = (requirements: readonly string[]): Partial<Rung> =>
    requirements.length === 0 ? {} : { afterwards: requirements.map((each) => pip(each)) };
  const afterwards = later(needs.undeclared);
  // A sync takes no requirements besides the project's own.
  const narrowed = later([...needs.bounds, ...needs.undeclared]);
  const rungs: Rung[] = [];
  const add = (id: string, cures: readonly CauseKind[], steps: readonly Command[], rest: Partial<Rung> = {}) => {
    rungs.push({ id, cures: rungs.length === 0 ? 'any' : cures, steps: [venv, ...steps], ...rest });
  };

  const evidence: Evidence[] = [...needs.evidence];
  const named = (option: string, names: readonly string[]) => names.flatMap((name) => [option, name]);
  const extras = named('--extra', needs.extras);
  const groups = named('--group', needs.groups);
  if (uvLock !== null || needsSync) {
    const member = needsSync && project.name !== '' ? ['--package', project.name] : [];
    const sync = (...flags: string[]) => uv('sync', ...flags, '--no-dev', ...member, ...extras, ...groups);
    const unlocked = uvLock === null ? null : missingFromLock(view.read(uvLock) ?? '', project);
    if (unlocked !== null) evidence.push({ file: uvLock ?? '', says: `is stale: it does not have ${unlocked}` });
    else if (uvLock !== null) {
      evidence.push({ file: uvLock, says: 'is uv’s lock' });
      add('uv-sync-frozen', [], [sync('--frozen')], { frozen: true });
    }
    add('uv-sync', STALE, [sync()], narrowed);
  }
  const target = (here === '.' ? '.' : `./${here}`) + (needs.extras.length > 0 ? `[${needs.extras.join(',')}]` : '');
  const pins = uvLock === null && !needsSync ? readPins(view, dir, project) : null;
  const poetryLock = join(dir, 'poetry.lock');
  const usesPoetry = uvLock === null && !needsSync && view.files.includes(poetryLock) && isForPoetry(project);
  if (usesPoetry) {
    const args = ['install', '--only', ['main', ...needs.groups].join(','), ...extras.map(toPoetry)];
    const options = ['--no-interaction', '--no-ansi'];
    const command = { program: 'poetry', args: [...args, ...options], cwd: venvDir, env: POETRY };
    add('poetry-install', [], [command], { frozen: true });
  }
  if (pins !== null) {
    const missing = missingFrom(pins.lines.map(nameOf), project.requirements);
    evidence.push({
      file: pins.file,
      says: missing === null ? `is ${pins.owner} lock` : `is stale: it does not have ${missing}`,
    });
    const wanted = [...(project.isPackage ? [target] : []), ...pins.lines];
    if (missing === null) add('pins', ANY_FAULT, [pip(...indexes(pins.indexes), ...wanted)], { frozen: true });
  } else if (usesPoetry) evidence.push({ file: poetryLock, says: 'is Poetry’s lock' });
  const pylock = join(dir, 'pylock.toml');
  if (uvLock === null && pins === null && view.files.includes(pylock)) {
    evidence.push({ file: pylock, says: 'is its lock' });
    add(
      'pylock',
      [],
      [pip('-r', relative(venvDir, pylock)), ...(project.isPackage ? [pip('--no-deps', target)] : [])],
      {
        frozen: true,
      },
    );
  }
  const isLocked = rungs.some(({ frozen }) => frozen);
  if (!isLocked) evidence.push(...needs.unlocked);

  const listed = [...project.listed, ...more];
  const requirements = requirementsWords(view, venvDir, project.requirementsFile);
  const own = hasOwnDependencies(project);
  // A manifest that declares nothing is for tools or for the name; then the lists beside it say what is needed.
  const beside = own ? [] : [...requirements, ...project.listed.flatMap((each) => each.lines)];
  const first = rungs.length;
  if (project.isPackage) add('uv-pip', ANY_FAULT, [pip(target, ...beside, ...bounds)], afterwards);
  // Only what it needs: its own sources run where they lie, also where its build is broken.
  if (project.hasProjectTable && own) {
    const from = ['-r', join(here, 'pyproject.toml'), ...extras];
    add('uv-pip-dependencies', ANY_FAULT, [pip(...from, ...beside, ...bounds)], afterwards);
  } else if (requirements.length > 0 && !(project.isPoetry && own)) {
    add(
      'uv-pip-requirements',
      ANY_FAULT,
      [pip(...requirements, ...project.listed.flatMap((each) => each.lines), ...bounds)],
      afterwards,
    );
  } else if (listed.some((each) => each.lines.length > 0)) {
    const from = indexes(listed.flatMap((each) => each.indexes));
    add(
      'uv-pip-listed',
      ANY_FAULT,
      [pip(...from, ...project.listed.flatMap((each) => each.lines), ...bounds)],
      afterwards,
    );
  } else if (project.isPoetry && own && project.requirements.length > 0) {
    add('uv-pip-dependencies', ANY_FAULT, [pip(...project.requirements, ...bounds)], afterwards);
  }
  const sifted = project.requirementsFile === null ? [] : siftedLines(view, project.requirementsFile);
  if (sifted !== null && sifted.length > 0) add('uv-pip-sifted', ANY_FAULT, [pip(...sifted, ...bounds)], afterwards);
  const surer = project.listed.flatMap((each) => each.surer ?? []);
  if (surer.length > 0) add('uv-pip-of-conda', ANY_FAULT, [pip(...surer, ...bounds)], afterwards);
  if (hasOwnIndex(project)) {
    // A company's mirror is not reachable from everywhere; what it mirrors is.
    const [last] = rungs.slice(first);
    const steps = (last?.steps.slice(1) ?? []).map((step) => withOption(step, '--no-config'));
    if (steps.length > 0) add('uv-pip-own-index', ['network'], steps, afterwards);
  }
  if (rungs.length === 0)
    add('venv', [], needs.undeclared.length + bounds.length > 0 ? [pip(...bounds, ...needs.undeclared)] : []);
  if (!isLocked && rungs.some(({ steps }) => steps.length > 1)) {
    evidence.push({
      file: project.file || more[0]?.file || '',
      says: 'has no lock that we read: dependencies are resolved anew',
    });
  }
  const specifier =
    project.requiresPython ?? pins?.requiresPython ?? more.find((each) => each.requiresPython)?.requiresPython ?? null;
  const prefers = preferredPython(view, dir, uvLock, inputs.prefersPython);
  const usesUv = rungs.some(({ steps }) => steps.some(({ program }) => program === 'uv'));
  return {
    rungs: needs.folders.length === 0 ? rungs : rungs.map((rung) => withFolders(rung, venvDir, here, needs.folders)),
    evidence: [...evidence, ...prefers.evidence],
    tools: [
      { name: 'python', version: specifier, ...(prefers.specifier === null ? {} : { prefers: prefers.specifier }) },
      ...(usesUv ? [{ name: 'uv', version: null }] : []),
      ...(usesPoetry ? [{ name: 'poetry', version: null }] : []),
    ],
    newerTools: usualPython(specifier),
  };
}

function withFolders(rung: Rung, venvDir: string, here: string, folders: readonly string[]): Rung {
  const code = 'import os, sys; [os.makedirs(each, exist_ok=True) for each in sys.argv[1:]]';
  const paths = folders.map((folder) => join(here, folder));
  return { ...rung, steps: [...rung.steps, { program: 'python', args: ['-c', code, ...paths], cwd: venvDir }] };
}

const toPoetry = (word: string): string => (word === '--extra' ? '--extras' : word);
const indexes = (urls: readonly string[]): string[] => [...new Set(urls)].flatMap((url) => ['--index', url]);

const withOption = ({ args, ...command }: Command, option: string): Command => ({
  ...command,
  args: args.flatMap((word) => (word === 'install' ? [word, option] : [word])),
});

/** `-r requirements.txt`, or its lines where uv can't read the file. */
function requirementsWords(view: FileView, venvDir: string, file: string | null): string[] {
  if (file === null) return [];
  return isUtf16(view.read(file) ?? '') ? requirementLines(view, file) : ['-r', relative(venvDir, file)];
}

/** The lines without those that no index has; null when there are none of those. */
function siftedLines(view: FileView, file: string): string[] | null {
  const lines = requirementLines(view, file);
  const kept = lines.filter((line) => !isOutOfPlace(line));
  return kept.length < lines.length ? kept : null;
}

/** True when the project takes another index in place of the user's own. */
const hasOwnIndex = ({ pyproject }: PythonProject): boolean => {
  const { index, 'index-url': url } = asFields(asFields(pyproject?.tool).uv);
  return url !== undefined || [index].flat().some((each) => asFields(each).default === true);
};

/** The first declared dependency that a uv.lock has not; a frozen sync would install without it, and say nothing. */
function missingFromLock(lock: string, { pyproject }: PythonProject): string | null {
  const locked = [...lock.matchAll(/^name = "([^"]+)"/gm)].map((match) => normalName(match[1] ?? ''));
  return missingFrom(locked, asStrings(asFields(pyproject?.project).dependencies));
}

/** Those of another system or Python are left out of a lock that is made for one. */
const missingFrom = (locked: readonly string[], declared: readonly string[]): string | null =>
  locked.length === 0
    ? null
    : (declared
        .filter((line) => !line.includes(';'))
        .map(nameOf)
        .find((name) => name !== '' && !locked.includes(name)) ?? null);

const isForPoetry = ({ pyproject }: PythonProject): boolean =>
  'poetry' in asFields(pyproject?.tool) ||
  /poetry/.test(asString(asFields(pyproject?.['build-system'])['build-backend']) ?? '');

const hasOwnDependencies = ({ pyproject, isPoetry }: PythonProject): boolean => {
  const { dependencies, dynamic } = asFields(pyproject?.project);
  return (
    isPoetry ||
    (Array.isArray(dependencies) && dependencies.length > 0) ||
    (Array.isArray(dynamic) && dynamic.includes('dependencies'))
  );
};
