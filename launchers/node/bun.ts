/** Tells packages that are written for Bun from those that are only installed or bundled with it. */

import { dirname, join, upwards } from '../paths.ts';
import type { FileView } from '../plan.ts';
import type { PackageJson } from './package-json.ts';
import { sourceOf } from './source.ts';

/** True where the authors run TypeScript with Bun: nothing need be compiled. */
export function isBunProject(view: FileView, dir: string, { dependencies, scripts, fields }: PackageJson): boolean {
  const file = (name: string) => upwards(dir).some((folder) => view.files.includes(join(folder, name)));
  return (
    ['bun', '@types/bun', 'bun-types'].some((name) => dependencies.has(name)) ||
    ['bun.lock', 'bun.lockb', 'bunfig.toml'].some(file) ||
    /^bun@/.test(String(fields.packageManager ?? '')) ||
    Object.values(scripts).some((script) => /(^|[\s&;])bun\s+(run\s+)?(--[\w-]+\s+)*\S+\.tsx?\b/.test(script))
  );
}

/** Files that are looked into, from an entry on. */
const MAX_FILES = 100;

/**
 * True when a program can run on Bun alone: its first line or its build says so, or it or a file that it loads imports
 * `bun:…` or calls `Bun.…`. A first line for Node, and a question whether Bun is there, mean that it does without.
 */
export function needsBun(view: FileView, dir: string, file: string, manifest: PackageJson | null): boolean {
  const entry = view.files.includes(file) ? file : sourceOf(view, dir, file);
  if (entry === null) return false;
  const shebang = /^#!.*/.exec(view.read(entry) ?? '')?.[0] ?? '';
  if (/\bbunx?\b/.test(shebang)) return true;
  if (entry !== file && builds(manifest).some((script) => /\bbun\s+build\b.*--target[=\s]bun\b/.test(script)))
    return true;
  const isForNode = /\bnode\b/.test(shebang);
  return reachable(view, entry).some(
    (text) => IMPORTS.test(text) || (!isForNode && CALLS.test(text) && !ASKS.test(text)),
  );
}

const builds = (manifest: PackageJson | null): string[] =>
  Object.entries(manifest?.scripts ?? {}).flatMap(([name, script]) =>
    /build|bundle|compile|prepare/.test(name) ? [script] : [],
  );

/** True for a program that the build makes of source and runtime (`bun build --compile`): it needs no other. */
export const isCompiled = (manifest: PackageJson | null, path: string): boolean =>
  !/\.[cm]?[jt]sx?$/.test(path) &&
  builds(manifest).some(
    (script) => /\bbun\s+build\b.*--compile\b/.test(script) && script.includes(path.replace(/^\.\//, '')),
  );

const IMPORTS = /^\s*(?:import|export)\b[^;'"]*\bfrom\s+["']bun(?::[\w/]+)?["']|^\s*import\s+["']bun(?::[\w/]+)?["']/m;
const CALLS = /(?<![\w.$'"`])Bun\.(?:\w+\s*[(<`]|env\b|argv\b|\$)|\bfor await \(const \w+ of console\)/;
const ASKS = /typeof\s+Bun\b|globalThis\.Bun\b|\bprocess\.versions\.bun\b|["']Bun["']\s+in\s+globalThis/;

/** Texts of a file and of those of the project that it imports, comments left out. */
function reachable(view: FileView, entry: string): string[] {
  const seen = new Set([entry]);
  const texts: string[] = [];
  for (const file of seen) {
    if (texts.length >= MAX_FILES) break;
    const text = (view.read(file) ?? '').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    texts.push(text);
    for (const [, path = ''] of text.matchAll(/\b(?:from|import)\s+["'](\.\.?\/[^"'\n]+)["']/g)) {
      const found = resolved(view, join(dirname(file), path));
      if (found !== null) seen.add(found);
    }
  }
  return texts;
}

/** `./db`, `./db.js` and `./db/` all may be `db.ts`. */
function resolved(view: FileView, path: string): string | null {
  const stem = path.replace(/\.[cm]?jsx?$/, '');
  const names = [
    path,
    ...['.ts', '.tsx', '.mts', '.js', '.mjs'].flatMap((ending) => [stem + ending, join(path, `index${ending}`)]),
  ];
  return names.find((name) => view.files.includes(name)) ?? null;
}
