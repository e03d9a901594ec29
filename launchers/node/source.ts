/** Reads what a file, or the source that it is built from, says about itself. */

import { dirname, join, relative, withoutExtension } from '../paths.ts';
import type { FileView } from '../plan.ts';

const SERVER =
  /\b(McpServer|FastMCP|StdioServerTransport|StreamableHTTPServerTransport|WebStandardStreamableHTTPServerTransport|SSEServerTransport|McpAgent|createMcpHandler)\b|\bnew Server\(|\.listen\(|\bcreateServer\(|\bserve\(|\bBun\.serve\b|["']tools\/list["']/;

export const looksLikeServer = (text: string | undefined): boolean => text !== undefined && SERVER.test(text);

const SOURCES = ['.ts', '.mts', '.tsx', '.js', '.mjs'];

/** The source that a missing `dist/a/b.js` is most likely built from: `src/a/b.ts`, `a/b.ts`; null when none is there. */
export function sourceOf(view: FileView, dir: string, file: string): string | null {
  const inside = withoutExtension(relative(dir, file));
  const [, ...rest] = inside.split('/');
  const below = rest.join('/');
  const stems = ['src', '', 'lib', 'source', 'server'].flatMap((top) => (below === '' ? [] : [join(dir, top, below)]));
  // `dist/src/index.js` of a compiler that keeps the folder.
  const same = join(dir, inside);
  return (
    [...stems, same]
      .flatMap((stem) => SOURCES.map((ending) => stem + ending))
      .find((path) => path !== file && view.files.includes(path)) ?? null
  );
}

/** The file itself when it is in the tree, else its source. */
export function textOf(view: FileView, dir: string, file: string): string | undefined {
  const path = view.files.includes(file) ? file : sourceOf(view, dir, file);
  return path === null ? undefined : view.read(path);
}

/** Folders that a build writes. */
const OUTPUT = /(^|\/)(dist|build|lib|out)\//;

/**
 * The file of a build that a committed script loads and that is not there yet, null when it loads none; the last of
 * several, which stands for the case without arguments.
 */
export function unbuiltImport(view: FileView, dir: string, file: string): string | null {
  const text = view.files.includes(file) && !isTypeScript(file) ? view.read(file) : undefined;
  const loads = (text ?? '').matchAll(/(?:\bimport\s*\(?|\bfrom|\brequire\s*\()\s*["'](\.\.?\/[^"']+\.[cm]?js)["']/g);
  const built = [...loads].map(([, path = '']) => join(dirname(file), path));
  return built.findLast((path) => OUTPUT.test(relative(dir, path)) && !view.files.includes(path)) ?? null;
}

/** `sh` for shell scripts, `bun` by the first line (`needsBun` sees the rest), else node. */
export function interpreterOf(text: string | undefined): 'node' | 'bun' | 'sh' {
  const shebang = /^#!.*/.exec(text ?? '')?.[0] ?? '';
  if (/\bbun\b/.test(shebang)) return 'bun';
  return /\b(ba|z|da)?sh\b/.test(shebang) && !/node|tsx|deno/.test(shebang) ? 'sh' : 'node';
}

/** TypeScript whose first line is for node itself, with these options (`-S node --experimental-strip-types`); else null. */
export function nodeOptions(text: string | undefined): string[] | null {
  const words = /^#!.*\bnode\b(.*)/.exec(text ?? '')?.[1];
  return words === undefined ? null : words.split(/\s+/).filter((word) => word.startsWith('--'));
}

export const isTypeScript = (file: string): boolean => /\.[cm]?tsx?$/.test(file);

/**
 * Folder in which the compiler writes: by the build script, else by the tsconfig that it names, with what that extends;
 * null when none of them says. These files may hold comments.
 */
export function outDirOf(view: FileView, dir: string, build = ''): string | null {
  const said = /--outDir[= ](\S+)/.exec(build)?.[1];
  if (said !== undefined) return join(dir, said);
  const project = /\btsc\b[^&|;]*\s(?:-p|--project|-b|--build)[= ](\S+)/.exec(build)?.[1] ?? '.';
  let file = join(dir, project.endsWith('.json') ? project : join(project, 'tsconfig.json'));
  for (let steps = 0; steps < 3; steps++) {
    const text = view.read(file)?.replaceAll(/^\s*\/\/.*$/gm, '') ?? '';
    const out = /"outDir"\s*:\s*"([^"]+)"/.exec(text)?.[1];
    if (out !== undefined) return join(dirname(file), out);
    const base = /"extends"\s*:\s*"(\.[^"]+)"/.exec(text)?.[1];
    if (base === undefined) return null;
    file = join(dirname(file), base.endsWith('.json') ? base : `${base}.json`);
  }
  return null;
}
