/** Paths below a tree: '/' between the parts, '' is the root, never absolute. Launchers are pure, so not `node:path`. */

/** Joins and normalises (`a/./b/../c` → `a/c`); steps above the root are kept (`../x`), so callers can see them. */
export function join(...parts: readonly string[]): string {
  const kept: string[] = [];
  for (const part of parts.join('/').split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else kept.push(part);
  }
  return kept.join('/');
}

/** Folder of a path; '' for a file at the root. */
export const dirname = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

export const basename = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** `.ts` of `src/index.ts`; '' when there is none, also for dot files. */
export function extname(path: string): string {
  const name = basename(path);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(dot) : '';
}

export const withoutExtension = (path: string): string => path.slice(0, path.length - extname(path).length);

/** How `to` is written from the folder `from`, both below the same root; '.' when they are the same. */
export function relative(from: string, to: string): string {
  const here = from === '' ? [] : from.split('/');
  const there = to === '' ? [] : to.split('/');
  let common = 0;
  while (common < here.length && common < there.length && here[common] === there[common]) common++;
  return [...here.slice(common).map(() => '..'), ...there.slice(common)].join('/') || '.';
}

/** True when the path is the folder or lies below it. */
export const isBelow = (path: string, dir: string): boolean =>
  dir === '' ? !path.startsWith('..') : path === dir || path.startsWith(`${dir}/`);

/** The folder itself and those above it, nearest first, ending with the root ''. */
export function upwards(dir: string): string[] {
  const dirs = [dir];
  for (let at = dir; at !== ''; ) {
    at = dirname(at);
    dirs.push(at);
  }
  return dirs;
}

/** A glob of workspace lists (`packages/*`, `apps/**`, `libs/{a,b}`) as a regular expression on whole paths. */
export function globToRegExp(glob: string): RegExp {
  const source = join(glob)
    .replaceAll(/[.+^$()|[\]\\]/g, '\\$&')
    .replaceAll(/\{([^{}]*)\}/g, (_, inner: string) => `(?:${inner.replaceAll(',', '|')})`)
    .replaceAll('**/', '\0')
    .replaceAll('**', '\x01')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]')
    .replaceAll('\0', '(?:.*/)?')
    .replaceAll('\x01', '.*');
  return new RegExp(`^${source}$`);
}
