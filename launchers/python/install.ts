/** The install ladder of a Python project, always into a private `.venv`; uv does the work of pip, venv and lock. */

import { asFields, asStrings, readManifest } from '../parse.ts';
import { globToRegExp, join, relative, upwards } from '../paths.ts';
import type { CauseKind, Command, Evidence, FileView, Rung, Tool } from '../plan.ts';
import { nameOf, normalName, type PythonProject, requirementsFile } from './project.ts';

export interface PythonInstall {
  readonly rungs: readonly Rung[];
  readonly tools: readonly Tool[];
  /** Folder that gets the `.venv`: the project's, or its uv workspace's root. */
  readonly venvDir: string;
  /** True when the project's own package (and with it its console scripts) gets into the venv. */
  readonly installsPackage: boolean;
  readonly evidence: readonly Evidence[];
}

const STALE: readonly CauseKind[] = ['lock-out-of-date', 'version-not-found', 'network', 'engine-mismatch', 'unknown'];
const BROKEN: readonly CauseKind[] = [
  'build-failed',
  'install-script-failed',
  'missing-module',
  'missing-program',
  'unknown',
];

/** uv takes the venv's interpreter, and so never looks for (or downloads) the one that a .python-version names. */
const UV = { UV_PYTHON: '.venv/bin/python', UV_PROJECT_ENVIRONMENT: '.venv', UV_PYTHON_DOWNLOADS: 'never' } as const;
const POETRY = {
  POETRY_VIRTUALENVS_IN_PROJECT: 'true',
  POETRY_VIRTUALENVS_CREATE: 'true',
  POETRY_NO_INTERACTION: '1',
} as const;

export function planInstall(view: FileView, dir: string, project: PythonProject): PythonInstall {
  const workspace = uvWorkspaceOf(view, dir);
  const uvDir = workspace ?? dir;
  const lock = join(uvDir, 'uv.lock');
  const hasUvLock = view.files.includes(lock) && project.hasProjectTable;
  const poetryLock = join(dir, 'poetry.lock');
  const hasPoetryLock = !hasUvLock && project.isPoetry && view.files.includes(poetryLock);
  const requirements = requirementsFile(view, dir);
  // A workspace member's `.` may need its siblings by path: only `uv sync` knows them.
  const needsSync = workspace !== null && workspace !== dir;
  const venvDir = hasUvLock || needsSync ? uvDir : dir;

  // The interpreter that the runtimes chose makes the venv: without pip, so Pythons without ensurepip can do it too.
  const venv: Command = { program: 'python', args: ['-m', 'venv', '--clear', '--without-pip', '.venv'], cwd: venvDir };
  const uv = (...args: string[]): Command => ({ program: 'uv', args, cwd: venvDir, env: UV });
  const pip = (...args: string[]): Command => uv('pip', 'install', '--python', '.venv/bin/python', ...args);
  const rung = (id: string, cures: Rung['cures'], ...steps: Command[]): Rung => ({
    id,
    cures,
    steps: [venv, ...steps],
  });
  const here = relative(venvDir, dir);
  const target = here === '.' ? '.' : `./${here}`;

  const rungs: Rung[] = [];
  const evidence: Evidence[] = [];
  if (hasUvLock || needsSync) {
    const member = needsSync && project.name !== '' ? ['--package', project.name] : [];
    const unlocked = hasUvLock ? missingFromLock(view.read(lock) ?? '', project) : null;
    if (unlocked !== null) evidence.push({ file: lock, says: `is stale: it does not have ${unlocked}` });
    else if (hasUvLock) {
      evidence.push({ file: lock, says: 'is uv’s lock' });
      rungs.push(rung('uv-sync-frozen', 'any', uv('sync', '--frozen', '--no-dev', ...member)));
    }
    rungs.push(rung('uv-sync', rungs.length > 0 ? STALE : 'any', uv('sync', '--no-dev', ...member)));
  } else if (hasPoetryLock) {
    evidence.push({ file: poetryLock, says: 'is Poetry’s lock' });
    const args = ['install', '--only', 'main', '--no-interaction', '--no-ansi'];
    rungs.push(rung('poetry-install', 'any', { program: 'poetry', args, cwd: venvDir, env: POETRY }));
  }
  const after = (cures: readonly CauseKind[]): Rung['cures'] => (rungs.length > 0 ? cures : 'any');
  const inPackage = project.isPackage || (project.isPoetry && !project.hasProjectTable);
  const both = requirements !== null && !hasDependencies(project) ? ['-r', relative(venvDir, requirements)] : [];
  if (inPackage) {
    rungs.push(rung('uv-pip', after([...STALE, ...BROKEN]), pip(target, ...both)));
  }
  // Only what it needs: its own sources run where they lie, also where its build is broken.
  if (project.hasProjectTable) {
    rungs.push(
      rung('uv-pip-dependencies', after([...STALE, ...BROKEN]), pip('-r', join(here, 'pyproject.toml'), ...both)),
    );
  } else if (requirements !== null) {
    rungs.push(rung('uv-pip-requirements', after([...STALE, ...BROKEN]), pip('-r', relative(venvDir, requirements))));
  }
  if (rungs.length === 0) rungs.push(rung('venv', 'any'));
  if (!hasUvLock && !hasPoetryLock && rungs.some(({ steps }) => steps.length > 1)) {
    evidence.push({ file: project.file, says: 'has no lock that we read: dependencies are resolved anew' });
  }
  return {
    rungs,
    venvDir,
    installsPackage: inPackage,
    evidence,
    tools: [
      { name: 'python', version: project.requiresPython },
      ...(rungs.some(({ steps }) => steps.length > 1) ? [{ name: 'uv', version: null }] : []),
      ...(hasPoetryLock ? [{ name: 'poetry', version: null }] : []),
    ],
  };
}

/** The first declared dependency that a uv.lock has not; a frozen sync would install without it, and say nothing. */
function missingFromLock(lock: string, { pyproject }: PythonProject): string | null {
  const locked = new Set([...lock.matchAll(/^name = "([^"]+)"/gm)].map((match) => normalName(match[1] ?? '')));
  const declared = asStrings(asFields(pyproject?.project).dependencies).map(nameOf);
  return locked.size === 0 ? null : (declared.find((name) => name !== '' && !locked.has(name)) ?? null);
}

const hasDependencies = ({ pyproject, isPoetry }: PythonProject): boolean => {
  const { dependencies, dynamic } = asFields(pyproject?.project);
  return isPoetry || Array.isArray(dependencies) || asStrings(dynamic).includes('dependencies');
};

/** Root of the uv workspace that covers the folder, itself included; null when there is none. */
function uvWorkspaceOf(view: FileView, dir: string): string | null {
  for (const root of upwards(dir)) {
    const parsed = readManifest(view, join(root, 'pyproject.toml'));
    const workspace = asFields(asFields(asFields(parsed?.ok ? parsed.fields.tool : null).uv).workspace);
    const path = relative(root, dir);
    const covers = (field: unknown) => asStrings(field).some((glob) => globToRegExp(glob).test(path));
    if (root === dir ? 'members' in workspace : covers(workspace.members) && !covers(workspace.exclude)) return root;
  }
  return null;
}
