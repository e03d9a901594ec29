import { basename, extname, isBelow, join, relative, withoutExtension } from '../paths.ts';
import type { Candidate, FileView, LaunchPlan } from '../plan.ts';
import { sourceFiles } from '../settings.ts';
import { isTypeScript, outDirOf } from './source.ts';

/** A few files more may be types alone, which compile to nothing. */
const MOST_MISSING = 2;

/**
 * Whether to build although the first choice is in the tree: it is a script that loads what a compiler writes to a folder
 * that is not there (found by a framework, so no import names it), or it was compiled from fewer sources than there are.
 */
export function rebuilds(
  view: FileView,
  dir: string,
  [first]: readonly Candidate[],
  build: string | undefined,
): Pick<LaunchPlan, 'rebuild'> {
  const entry = first?.entry ?? null;
  const out = outDirOf(view, dir, build);
  if (entry === null || out === null || out === dir || !view.files.includes(entry) || isTypeScript(entry)) return {};
  const sources = sourceFiles(view, dir).filter((file) => isTypeScript(file) && !isBelow(file, out));
  if (sources.length === 0) return {};
  if (!isBelow(entry, out)) return view.has(out) ? {} : { rebuild: true };
  const missing = sources.filter((file) => !isCompiled(view, dir, out, file));
  // A bundle has one file for all of them.
  const isBundle = missing.length > sources.length / 2;
  return isBundle || missing.length <= MOST_MISSING ? {} : { rebuild: true };
}

function isCompiled(view: FileView, dir: string, out: string, file: string): boolean {
  const inside = withoutExtension(relative(dir, file));
  const below = inside.slice(inside.indexOf('/') + 1);
  const endings = { '.mts': '.mjs', '.cts': '.cjs' }[extname(file)] ?? '.js';
  return [inside, below, basename(inside)].some((stem) => view.files.includes(join(out, stem + endings)));
}
