/** Files that serve, found by their usual names and by their text, where a package names no program. */

import { basename, dirname, isBelow, join, relative, withoutExtension } from '../paths.ts';
import type { FileView } from '../plan.ts';
import { sourceFiles } from '../settings.ts';
import type { PackageJson } from './package-json.ts';
import { isTypeScript, looksLikeServer, outDirOf } from './source.ts';

const NAMES = ['server', 'index', 'app', 'main', 'mcp-server', 'mcp', 'stdio'];
const FOLDERS = ['', 'src', 'src/server', 'src/mcp', 'server', 'mcp', 'mcp-server', 'server/src', 'lib'];

/** Only what really begins to serve; a mere mention is a module's. */
const STARTS =
  /\bnew (?:Stdio|StreamableHTTP|SSE)ServerTransport\(|\.listen\(|\btransportType\s*:|\b(?:MCPServer|FastMCP)\b[\s\S]*\.start\(|\bNestFactory\.create/;

/**
 * server.js, index.js, app.js, main.js and their like, in the package, in its source folders, or where the compiler writes
 * what they become; else the only files that begin to serve. Best first.
 */
export function usualFiles(view: FileView, dir: string, manifest: PackageJson | null): string[] {
  const plain = NAMES.flatMap((name) => ['.js', '.mjs', '.cjs'].map((ending) => join(dir, name + ending)));
  const named = FOLDERS.flatMap((top) =>
    NAMES.flatMap((name) =>
      ['.ts', '.mts', ...(top === '' ? [] : ['.js', '.mjs'])].map((end) => join(dir, top, name + end)),
    ),
  );
  const own = ownFiles(view, dir);
  const serving = [...plain, ...named].filter((file) => own.has(file) && looksLikeServer(view.read(file)));
  const sources = serving.length > 0 ? serving : manifest === null ? [] : starting(view, dir, own);
  return [...new Set(sources.flatMap((file) => (isTypeScript(file) ? compiled(view, dir, file, manifest) : [file])))];
}

/** Files of the package itself, not of others below it. */
function ownFiles(view: FileView, dir: string): ReadonlySet<string> {
  const below = view.files.filter((file) => isBelow(file, dir));
  const others = below.filter((file) => basename(file) === 'package.json' && dirname(file) !== dir).map(dirname);
  return new Set(below.filter((file) => !others.some((other) => isBelow(file, other))));
}

/** A few of the shallowest: more are no answer. */
const MOST = 3;

function starting(view: FileView, dir: string, own: ReadonlySet<string>): string[] {
  const found = sourceFiles(view, dir).filter((file) => own.has(file) && STARTS.test(view.read(file) ?? ''));
  const depth = (file: string) => file.split('/').length;
  return found.filter((file) => depth(file) === depth(found[0] ?? '')).slice(0, MOST);
}

/** What the build makes of a source, as far as one can tell beforehand; the source itself where nothing compiles it. */
function compiled(view: FileView, dir: string, file: string, manifest: PackageJson | null): string[] {
  const scripts = Object.values(manifest?.scripts ?? {}).join('\n');
  const bundles = /\b(tsup|tsdown|unbuild|esbuild|rollup|vite build|pkgroll|bunchee|bun build)\b/.test(scripts);
  const out = outDirOf(view, dir, manifest?.scripts.build) ?? (bundles ? join(dir, 'dist') : null);
  // Nothing compiles it, or nobody says to where.
  if (out === null) return [file];
  const name = withoutExtension(basename(file));
  const inside = withoutExtension(relative(dir, file));
  // Whether `src` is kept below the output depends on rootDir and on what else is compiled.
  const below = inside.replace(/^src\//, '');
  const made = [`${below}.js`, `${inside}.js`, ...(bundles ? [`${name}.js`, `${name}.mjs`, `${name}.cjs`] : [])];
  return [...new Set(made.map((path) => join(out, path)))];
}
