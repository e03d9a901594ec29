/** Files that a program embeds and the repository does not hold, because another step builds them: mostly a web page. */

import { asFields, readManifest } from '../parse.ts';
import { dirname, isBelow, join, relative, upwards } from '../paths.ts';
import type { Command, FileView } from '../plan.ts';

export interface MissingEmbed {
  /** Below the tree, as written after `//go:embed`. */
  readonly path: string;
  readonly file: string;
  readonly line: number;
}

/** Patterns of `//go:embed` in these files that match nothing; each would end the build. */
export function missingEmbeds(view: FileView, files: readonly string[]): MissingEmbed[] {
  const missing = new Map<string, MissingEmbed>();
  for (const file of files) {
    for (const [index, line] of (view.read(file) ?? '').split('\n').entries()) {
      const rest = /^\/\/go:embed[ \t]+(.+)$/.exec(line.trimEnd())?.[1];
      for (const [, quoted, bare] of (rest ?? '').matchAll(/["`]([^"`]+)["`]|(\S+)/g)) {
        const pattern = (quoted ?? bare ?? '').replace(/^all:/, '');
        const path = join(dirname(file), pattern);
        if (pattern !== '' && !matches(view, path, rest?.includes('all:') === true)) {
          missing.set(path, { path, file, line: index + 1 });
        }
      }
    }
  }
  return [...missing.values()];
}

/** As Go does it: `*` stays within a name; of a folder, files that begin with a dot or `_` do not count. */
function matches(view: FileView, path: string, all: boolean): boolean {
  if (/[*?[]/.test(path)) {
    const source = path
      .replaceAll(/[.+^$(){}|\\]/g, '\\$&')
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '[^/]');
    const pattern = new RegExp(`^${source}(/.*)?$`);
    return view.files.some((file) => pattern.test(file));
  }
  return view.files.some(
    (file) =>
      file === path ||
      (isBelow(file, path) &&
        (all ||
          !relative(path, file)
            .split('/')
            .some((part) => /^[._]/.test(part)))),
  );
}

/** Empty files in their place, so that the rest of the program can be built: its tools work without a page. */
export function placeholders(missing: readonly MissingEmbed[]): Command[] {
  const files = missing.map(({ path }) => {
    const plain = path.replaceAll('*', 'placeholder').replaceAll(/\?|\[[^\]]*\]/g, 'x');
    const isFile = plain !== path || /\.[a-z0-9]{1,5}$/i.test(plain);
    return isFile ? plain : join(plain, 'index.html');
  });
  const folders = [...new Set(files.map(dirname).filter((folder) => folder !== ''))];
  return [
    ...(folders.length > 0 ? [{ program: 'mkdir', args: ['-p', ...folders], cwd: '' }] : []),
    { program: 'touch', args: files, cwd: '' },
  ];
}

/** Folders of packages whose `build` makes what is missing; [] when none is known to. */
export function pageBuilders(view: FileView, root: string, missing: readonly MissingEmbed[]): string[] {
  const builds = (dir: string): boolean => {
    const parsed = readManifest(view, join(dir, 'package.json'));
    return parsed?.ok === true && typeof asFields(parsed.fields.scripts).build === 'string';
  };
  const found = new Set<string>();
  for (const { path } of missing) {
    const above = upwards(dirname(path)).find((dir) => isBelow(dir, root) && builds(dir));
    const dir = above ?? writersOf(view, root, path).find(builds);
    if (dir !== undefined) found.add(dir);
  }
  return [...found];
}

/** Packages of web pages whose bundler is told to write to the folder of that name (`outDir: '../server/dist'`). */
function writersOf(view: FileView, root: string, path: string): string[] {
  const target = path.split('/').findLast((part) => !/[*.]/.test(part)) ?? '';
  return view.files
    .filter(
      (file) =>
        isBelow(file, root) && /(^|\/)(vite\.config\.[cm]?[jt]s|package\.json|webpack\.config\.[cm]?js)$/.test(file),
    )
    .filter((file) => target !== '' && new RegExp(`["'\`/]${target}["'\`/\\s]`).test(view.read(file) ?? ''))
    .map(dirname);
}
