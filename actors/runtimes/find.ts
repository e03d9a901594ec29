/** Looks for programs: on PATH, and where version managers keep the ones that are not. Starts them only to ask their version. */

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readdir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { ActorContext } from '../context.ts';
import { newestFirst } from './versions.ts';

/** A program that answered with its version. */
export interface Found {
  readonly program: string;
  readonly version: string;
}

type CallerEnv = ActorContext['callerEnv'];

/** A hung shim must not hang a start; a cold JVM takes a second. */
const ANSWERS_WITHIN = 15_000;

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

const pathDirs = (callerEnv: CallerEnv): string[] =>
  (callerEnv.PATH ?? '').split(delimiter).filter((dir) => dir.startsWith('/'));

/** Every executable of that name on PATH, first first. */
export async function onPath(name: string, callerEnv: CallerEnv): Promise<string[]> {
  const paths = pathDirs(callerEnv).map((dir) => join(dir, name));
  const found = await Promise.all(paths.map(isExecutable));
  return paths.filter((_, index) => found[index]);
}

const below = async (dir: string, tail: string): Promise<string[]> =>
  (await readdir(dir).catch(() => [])).sort(newestFirst).map((version) => join(dir, version, tail));

/** Node versions that nvm, fnm, mise, volta and asdf keep, newest first within each. */
export async function managedNodes(callerEnv: CallerEnv): Promise<string[]> {
  const home = callerEnv.HOME ?? homedir();
  const share = join(home, '.local', 'share');
  return (
    await Promise.all([
      below(join(callerEnv.NVM_DIR ?? join(home, '.nvm'), 'versions', 'node'), 'bin/node'),
      below(join(callerEnv.FNM_DIR ?? join(share, 'fnm'), 'node-versions'), 'installation/bin/node'),
      below(join(callerEnv.MISE_DATA_DIR ?? join(share, 'mise'), 'installs', 'node'), 'bin/node'),
      below(join(callerEnv.VOLTA_HOME ?? join(home, '.volta'), 'tools', 'image', 'node'), 'bin/node'),
      below(join(callerEnv.ASDF_DATA_DIR ?? join(home, '.asdf'), 'installs', 'nodejs'), 'bin/node'),
    ])
  ).flat();
}

/** Every `python3`, `python3.x` and `python` on PATH, and those that pyenv, uv, mise and asdf keep. */
export async function allPythons(callerEnv: CallerEnv): Promise<string[]> {
  const home = callerEnv.HOME ?? homedir();
  const share = join(home, '.local', 'share');
  const named = await Promise.all(
    pathDirs(callerEnv).map(async (dir) =>
      (await readdir(dir).catch(() => []))
        .filter((name) => /^python(3(\.\d+)?)?$/.test(name))
        .sort()
        .map((name) => join(dir, name)),
    ),
  );
  const managed = await Promise.all([
    below(join(callerEnv.PYENV_ROOT ?? join(home, '.pyenv'), 'versions'), 'bin/python3'),
    below(callerEnv.UV_PYTHON_INSTALL_DIR ?? join(share, 'uv', 'python'), 'bin/python3'),
    below(join(callerEnv.MISE_DATA_DIR ?? join(share, 'mise'), 'installs', 'python'), 'bin/python3'),
    below(join(callerEnv.ASDF_DATA_DIR ?? join(home, '.asdf'), 'installs', 'python'), 'bin/python3'),
  ]);
  const found = await uniqueFiles([...named.flat(), ...managed.flat()]);
  // A shim stands for one of the managed ones, and takes ten times as long to say so.
  const isShim = (path: string) => path.includes('/shims/');
  return found.every(isShim) || managed.flat().length === 0 ? found : found.filter((path) => !isShim(path));
}

/** The first path of each file, so that `/bin/python3` and `/usr/bin/python3` are asked once. */
async function uniqueFiles(paths: readonly string[]): Promise<string[]> {
  const seen = new Set<string>();
  const kept: string[] = [];
  for (const path of paths) {
    const real = await realpath(path).catch(() => null);
    // All of pyenv's shims are one script that acts by its name.
    const file = real === null || real.includes('/shims/') ? path : real;
    if (seen.has(file) || !(await isExecutable(path))) continue;
    seen.add(file);
    kept.push(path);
  }
  return kept;
}

export interface Asking {
  /** Neutral folder: a `.python-version` or `packageManager` in the current one must play no part. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const VERSION_ARGS: Readonly<Record<string, readonly string[]>> = { go: ['version'], java: ['-version'] };

/** The program with its version, null when it doesn't run or says none. */
export async function askVersion(tool: string, program: string, asking: Asking): Promise<Found | null> {
  const said = await output(program, VERSION_ARGS[tool] ?? ['--version'], asking);
  const version = said === null ? undefined : /\d+(\.\d+)+[\w.+-]*/.exec(said)?.[0];
  return version === undefined ? null : { program, version };
}

/** What a Python says of itself: the real interpreter behind a shim or a venv, which outlives both. */
export async function askPython(program: string, asking: Asking): Promise<Found | null> {
  const script =
    'import sys; print("%d.%d.%d" % sys.version_info[:3]); print(getattr(sys, "_base_executable", "") or sys.executable)';
  const said = await output(program, ['-I', '-c', script], asking);
  const [version = '', executable = ''] = (said ?? '').split('\n');
  if (!version.startsWith('3.')) return null;
  return { program: (await isExecutable(executable)) ? executable : program, version };
}

function output(program: string, args: readonly string[], { cwd, env, signal }: Asking): Promise<string | null> {
  return new Promise((resolve, reject) => {
    // A dozen at once listen to one signal, of which Node would warn as of a leak; they are few and short-lived.
    const own = AbortSignal.any([signal]);
    const options = { cwd, env: { ...env }, timeout: ANSWERS_WITHIN, killSignal: 'SIGKILL' as const, signal: own };
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      if (signal.aborted) reject(signal.reason);
      else resolve(error === null ? stdout + stderr : null);
    });
    child.stdin?.end();
  });
}
