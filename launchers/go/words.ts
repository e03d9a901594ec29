import { join } from '../paths.ts';
import type { Evidence, FileView, LaunchPlan } from '../plan.ts';
import { servingWords } from './commands.ts';
import { moduleAbove } from './module.ts';
import { closureOf, findSources } from './source.ts';

/** The words that the source of a planned Go program asks for before it serves; null when it asks for none. */
export function wordsFromSource(
  view: FileView,
  { install, evidence }: LaunchPlan,
  names: readonly string[],
): { readonly words: readonly string[]; readonly evidence: Evidence } | null {
  // Every build ends with the folder that it builds.
  const build = install[0]?.steps.at(-1);
  const folder = build?.args.at(-1);
  if (build === undefined || folder === undefined) return null;
  const module = moduleAbove(view, build.cwd);
  const sources = findSources(view, module?.dir ?? build.cwd);
  const { files } = closureOf(view, sources, module === null ? [] : [module], join(build.cwd, folder));
  const words = servingWords(
    files.map((file) => view.read(file) ?? ''),
    names,
  );
  if (words.length === 0) return null;
  const file =
    files.find((each) => words.some((word) => view.read(each)?.includes(`"${word.replace(/^-+/, '')}`))) ??
    evidence[0]?.file ??
    '';
  return { words, evidence: { file, says: `serves when started with ${words.join(' ')}` } };
}
