/** Properties that the README's client configuration gives the JVM to choose how to serve. */

import { join } from '../paths.ts';
import type { Evidence, FileView } from '../plan.ts';

/** Anything else there is its author's own setting. */
const CHOOSES = /stdio|transport|web-application-type|banner|logging\.pattern|profiles\.active|\bmode\b/i;

/** `<your-key>`, `${HOME}`, `/path/to`, `…`: for people to fill in. */
const PLACEHOLDER = /[<>{}$]|\.\.\.|…|YOUR|\/path\/|=\/|=[A-Z]:/;

/** `-Dname=value` words, program arguments `--spring.x=y` included, of the first block that runs a jar. */
export function usualFlags(
  view: FileView,
  dir: string,
): { readonly words: readonly string[]; readonly evidence: readonly Evidence[] } {
  const file = join(dir, 'README.md');
  const text = view.read(file) ?? '';
  for (const match of text.matchAll(/["']?args["']?\s*[:=]\s*\[([^\]]*)\]/g)) {
    const words = [...(match[1] ?? '').matchAll(/"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'/g)].map(([, a, b]) => a ?? b ?? '');
    if (!words.some((word) => word === '-jar' || word.endsWith('.jar'))) continue;
    const flags = words
      .map((word) => word.replace(/^--(?=(?:spring|logging|quarkus|micronaut)\.)/, '-D'))
      .filter((word) => /^-D[\w.-]+(=|$)/.test(word) && CHOOSES.test(word) && !PLACEHOLDER.test(word));
    if (flags.length === 0) return { words: [], evidence: [] };
    const line = text.slice(0, match.index).split('\n').length;
    return { words: [...new Set(flags)], evidence: [{ file, line, says: `starts it with ${flags.join(' ')}` }] };
  }
  return { words: [], evidence: [] };
}
