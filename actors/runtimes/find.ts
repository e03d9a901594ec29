/** Looks for programs: on PATH, and where version managers keep the ones that are not. Starts them only to ask their version. */

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readdir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { ActorContext } from '../context.ts';
import { FailureError } from '../failure-error.ts';
import { isExhausted, spawnFailure } from '../process/spawn-failure.ts';
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

/** Go where its installer, `go install golang.org/dl/…` and version managers put it, newest first within each. */
export async function managedGos(callerEnv: CallerEnv): Promise<string[]> {
  const home = callerEnv.HOME ?? homedir();
  const share = join(home, '.local', 'share');
  const kept = await Promise.all([
    below(join(home, 'sdk'), 'bin/go'),
    below(join(callerEnv.MISE_DATA_DIR ?? join(share, 'mise'), 'installs', 'go'), 'bin/go'),
    below(join(callerEnv.ASDF_DATA_DIR ?? join(home, '.asdf'), 'installs', 'golang'), 'go/bin/go'),
    below(join(callerEnv.GOENV_ROOT ?? join(home, '.goenv'), 'versions'), 'bin/go'),
  ]);
  // The last two are where the official package and Homebrew on Apple silicon put it.
  const places = [...kept.flat(), '/usr/local/go/bin/go', '/opt/homebrew/bin/go'];
  const found = await Promise.all(places.map(isExecutable));
  return places.filter((_, index) => found[index]);
}

/** cargo where rustup puts it, also for who has it not on PATH, and all its toolchains: stable, newest number, nightly. */
export async function managedCargos(callerEnv: CallerEnv): Promise<string[]> {
  const home = callerEnv.HOME ?? homedir();
  const kept = await below(join(callerEnv.RUSTUP_HOME ?? join(home, '.rustup'), 'toolchains'), 'bin/cargo');
  const rank = (path: string) => (path.includes('/stable-') ? 0 : /\/(beta|nightly)/.test(path) ? 2 : 1);
  const places = [join(cargoHome(callerEnv), 'bin', 'cargo'), ...kept.sort((a, b) => rank(a) - rank(b))];
  const found = await Promise.all(places.map(isExecutable));
  return places.filter((_, index) => found[index]);
}

/** Where rustup puts itself. */
export const cargoHome = (callerEnv: CallerEnv): string =>
  callerEnv.CARGO_HOME ?? join(callerEnv.HOME ?? homedir(), '.cargo');

/** Ruby and what comes with it (`bundle`) where rbenv, chruby, mise, asdf and RVM keep it, newest first within each. */
export async function managedRubies(name: string, callerEnv: CallerEnv): Promise<string[]> {
  const home = callerEnv.HOME ?? homedir();
  const share = join(home, '.local', 'share');
  const kept = await Promise.all([
    below(join(callerEnv.RBENV_ROOT ?? join(home, '.rbenv'), 'versions'), `bin/${name}`),
    below(join(home, '.rubies'), `bin/${name}`),
    below('/opt/rubies', `bin/${name}`),
    below(join(callerEnv.MISE_DATA_DIR ?? join(share, 'mise'), 'installs', 'ruby'), `bin/${name}`),
    below(join(callerEnv.ASDF_DATA_DIR ?? join(home, '.asdf'), 'installs', 'ruby'), `bin/${name}`),
    below(join(callerEnv.rvm_path ?? join(home, '.rvm'), 'rubies'), `bin/${name}`),
  ]);
  return existing(kept.flat());
}

/** PHP where phpenv, mise, asdf and Homebrew keep it. */
export async function managedPhps(callerEnv: CallerEnv): Promise<string[]> {
  const home = callerEnv.HOME ?? homedir();
  const share = join(home, '.local', 'share');
  const kept = await Promise.all([
    below(join(callerEnv.PHPENV_ROOT ?? join(home, '.phpenv'), 'versions'), 'bin/php'),
    below(join(callerEnv.MISE_DATA_DIR ?? join(share, 'mise'), 'installs', 'php'), 'bin/php'),
    below(join(callerEnv.ASDF_DATA_DIR ?? join(home, '.asdf'), 'installs', 'php'), 'bin/php'),
    below('/opt/homebrew/Cellar/php', 'bin/php'),
  ]);
  return existing(kept.flat());
}

/** Deno where its installer and version managers put it; the first is on few PATHs. */
export async function managedDenos(callerEnv: CallerEnv): Promise<string[]> {
  const home = callerEnv.HOME ?? homedir();
  const share = join(home, '.local', 'share');
  const kept = await Promise.all([
    below(join(callerEnv.MISE_DATA_DIR ?? join(share, 'mise'), 'installs', 'deno'), 'bin/deno'),
    below(join(callerEnv.ASDF_DATA_DIR ?? join(home, '.asdf'), 'installs', 'deno'), 'bin/deno'),
  ]);
  return existing([join(callerEnv.DENO_INSTALL ?? join(home, '.deno'), 'bin/deno'), ...kept.flat()]);
}

async function existing(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map(isExecutable));
  return paths.filter((_, index) => found[index]);
}

/** Where the .NET SDK's own installers put it. */
export function managedDotnets(callerEnv: CallerEnv): string[] {
  const home = callerEnv.HOME ?? homedir();
  const roots = ['/usr/share/dotnet', '/usr/lib/dotnet', '/usr/local/share/dotnet', '/opt/homebrew/opt/dotnet/libexec'];
  return [callerEnv.DOTNET_ROOT ?? '', join(home, '.dotnet'), ...roots]
    .filter((root) => root !== '')
    .map((root) => join(root, 'dotnet'));
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

const VERSION_ARGS: Readonly<Record<string, readonly string[]>> = {
  go: ['version'],
  java: ['-version'],
  // The engine's: the program alone can do nothing.
  docker: ['version', '--format', '{{.Server.Version}}'],
};

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

/**
 * The cargo of the default toolchain: rustup's own act by the folder that they run in, where a plugin's file may name a
 * toolchain that is not there, or make them fetch it.
 */
export async function askCargo(program: string, asking: Asking): Promise<Found | null> {
  const sysroot = await output(join(dirname(program), 'rustc'), ['--print', 'sysroot'], asking);
  const real = sysroot === null ? null : join(sysroot.trim().split('\n')[0] ?? '', 'bin', 'cargo');
  return askVersion('cargo', real !== null && (await isExecutable(real)) ? real : program, asking);
}

const noRoom = (error: Error, program: string, cwd: string) =>
  new FailureError(spawnFailure(error, { program, cwd }, null), { cause: error });

function output(program: string, args: readonly string[], { cwd, env, signal }: Asking): Promise<string | null> {
  return new Promise((resolve, reject) => {
    // A dozen at once listen to one signal, of which Node would warn as of a leak; they are few and short-lived.
    const own = AbortSignal.any([signal]);
    const options = { cwd, env: { ...env }, timeout: ANSWERS_WITHIN, killSignal: 'SIGKILL' as const, signal: own };
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      if (signal.aborted) reject(signal.reason);
      // It may be there all the same.
      else if (error !== null && isExhausted(error as NodeJS.ErrnoException)) reject(noRoom(error, program, cwd));
      else resolve(error === null ? stdout + stderr : null);
    });
    child.stdin?.end();
  });
}
