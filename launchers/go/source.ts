/** Go sources read as text: which packages are programs, and what they import. Nothing is run for it. */

import { basename, dirname, isBelow, relative } from '../paths.ts';
import type { FileView } from '../plan.ts';
import { folderOf, type GoModule, isSdk } from './module.ts';

/** Never a part of the project's own program, wherever they lie. */
const NEVER = /^(vendor|testdata|third_party|node_modules|[._].*)$/;

/** Folders of programs that try out or document the real one; never taken for it. */
const EXAMPLES =
  /^(examples?|samples?|demos?|tests?|testing|e2e|integration[-_]?tests?|fixtures|mocks?|benchmarks?|docs?)$/;

/** Folders of programs that help to make the real one; taken only where there is no other. */
const TOOLS = /^(tools?|scripts?|hack|build|ci|internal|generate|generators?|gen|codegen|linters?)$/;

export interface GoProgram {
  /** Folder of the package. */
  readonly dir: string;
  /** The file with `func main`. */
  readonly file: string;
  readonly kind: 'own' | 'tool' | 'example';
}

/** Go files by folder. */
export type GoSources = ReadonlyMap<string, readonly string[]>;

/** The Go files in and below a folder that are built on systems like ours; those of tests are not among them. */
export function findSources(view: FileView, root: string): GoSources {
  const folders = new Map<string, string[]>();
  for (const file of view.files) {
    if (!file.endsWith('.go') || !isBelow(file, root) || OTHER_BUILD.test(file)) continue;
    const dir = dirname(file);
    if (
      relative(root, dir)
        .split('/')
        .some((part) => part !== '.' && NEVER.test(part))
    )
      continue;
    const list = folders.get(dir) ?? [];
    list.push(file);
    folders.set(dir, list);
  }
  return folders;
}

const OTHER_BUILD =
  /_(test|windows|plan9|js|wasm|wasip1|android|ios|aix|solaris|(free|net|open|dragonfly)bsd)(_\w+)?\.go$/;

/** Every `package main` with a `func main` in or below a folder, other modules below it included; sorted by folder. */
export function findPrograms(view: FileView, sources: GoSources, root: string): GoProgram[] {
  const programs: GoProgram[] = [];
  for (const [dir, files] of sources) {
    const file = isBelow(dir, root) ? mainFile(view, files) : null;
    if (file === null) continue;
    const parts = relative(root, dir).split('/');
    const among = (names: RegExp) => parts.some((part) => names.test(part));
    programs.push({ dir, file, kind: among(EXAMPLES) ? 'example' : among(TOOLS) ? 'tool' : 'own' });
  }
  return programs.sort((a, b) => (a.dir < b.dir ? -1 : 1));
}

/** Whether the folder itself holds a program. Reads a few files at most. */
export function holdsProgram(view: FileView, dir: string): boolean {
  const files = view.files.filter((file) => file.endsWith('.go') && dirname(file) === dir && !OTHER_BUILD.test(file));
  return mainFile(view, files.slice(0, MOST_LOOKED_AT)) !== null;
}

const MOST_LOOKED_AT = 10;

function mainFile(view: FileView, files: readonly string[]): string | null {
  const first = (file: string) => Number(basename(file) !== 'main.go');
  for (const file of files.toSorted((a, b) => first(a) - first(b) || (a < b ? -1 : 1))) {
    const text = view.read(file) ?? '';
    if (!isBuilt(text)) continue;
    // One folder is one package: its first file tells what all are.
    if (packageOf(text) !== 'main') return null;
    if (/^func main\(\)/m.test(text)) return file;
  }
  return null;
}

const packageOf = (text: string): string | null => /^package[ \t]+(\w+)/m.exec(text)?.[1] ?? null;

/** What holds of builds here; the rest (`ignore`, `windows`, `tools`, `wasm`) does not. */
const TAGS = /^(linux|darwin|unix|amd64|arm64|cgo|gc|go1\.\d+)$/;

/** False when the `//go:build` line (or the older `// +build`) leaves the file out of ordinary builds. */
export function isBuilt(text: string): boolean {
  const head = text.slice(0, Math.max(0, text.search(/^package\s/m)));
  const constraint = /^\/\/go:build[ \t]+(.+)$/m.exec(head)?.[1];
  if (constraint !== undefined) return evaluate(constraint);
  return [...head.matchAll(/^\/\/[ \t]*\+build[ \t]+(.+)$/gm)].every(([, line = '']) =>
    line
      .trim()
      .split(/\s+/)
      .some((option) =>
        option.split(',').every((term) => (term.startsWith('!') ? !TAGS.test(term.slice(1)) : TAGS.test(term))),
      ),
  );
}

/** `(linux || darwin) && !race`. What can't be read holds: then the build itself will tell. */
function evaluate(constraint: string): boolean {
  const words = constraint.match(/\|\||&&|[!()]|[\w.]+/g) ?? [];
  let at = 0;
  const term = (): boolean => {
    const word = words[at++];
    if (word === '!') return !term();
    if (word !== '(') return TAGS.test(word ?? '');
    const inner = or();
    at++;
    return inner;
  };
  const and = (): boolean => {
    let all = term();
    while (words[at] === '&&') {
      at++;
      all = term() && all;
    }
    return all;
  };
  const or = (): boolean => {
    let any = and();
    while (words[at] === '||') {
      at++;
      any = and() || any;
    }
    return any;
  };
  return words.length === 0 || or();
}

/** Import paths of a file. */
export function importsOf(text: string): string[] {
  const blocks = [...text.matchAll(/^import\s*\(([^)]*)\)/gm)].map(([, block = '']) => block);
  const single = [...text.matchAll(/^import\s+(?:[\w.]+\s+)?["`]([^"`]+)["`]/gm)].map(([, path = '']) => path);
  return [
    ...blocks.flatMap((block) => [...block.matchAll(/["`]([^"`\n]+)["`]/g)].map(([, path = '']) => path)),
    ...single,
  ];
}

/** A program with everything of its own module that it is made of. */
export interface Closure {
  readonly files: readonly string[];
  /** Import paths of other modules and of the standard library. */
  readonly imports: ReadonlySet<string>;
}

/** Follows the imports of a program through its own modules, as a compiler would. */
export function closureOf(view: FileView, sources: GoSources, modules: readonly GoModule[], program: string): Closure {
  const imports = new Set<string>();
  const files: string[] = [];
  const seen = new Set([program]);
  const next = [program];
  for (let dir = next.pop(); dir !== undefined; dir = next.pop()) {
    for (const file of sources.get(dir) ?? []) {
      const text = view.read(file) ?? '';
      if (!isBuilt(text)) continue;
      files.push(file);
      for (const path of importsOf(text)) {
        const own = modules.map((module) => folderOf(module, path)).find((folder) => folder !== null);
        if (own === undefined || own === null) imports.add(path);
        else if (!seen.has(own)) {
          seen.add(own);
          next.push(own);
        }
      }
    }
  }
  return { files: files.sort(), imports };
}

/** True when the program speaks MCP: by an SDK, or by hand. */
export const speaksMcp = (view: FileView, { files, imports }: Closure): boolean =>
  [...imports].some(isSdk) || files.some((file) => /["`]tools\/list["`]/.test(view.read(file) ?? ''));
