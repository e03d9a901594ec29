/** Servers that are shell scripts: told from the many scripts that only ask a server by how they treat `tools/list`. */

import { createBasePlan } from './base-plan.ts';
import { byIdentity, sourceName } from './identity.ts';
import { basename, dirname, isBelow, join, relative } from './paths.ts';
import type { FileView, LaunchPlan, PluginSpec, Setting } from './plan.ts';
import { findSettings } from './settings.ts';

/** A choice between methods (`"tools/list")`, `== "tools/list"`), where a request has it behind `"method":`. */
const ANSWERS = /(?:^|[\s|(])["']?tools\/list["']?\s*[)|]|={1,2}\s*["']?tools\/list\b/m;
const SHEBANG = /^#!\s*(?:\/usr\/bin\/env\s+(?:-S\s+)?)?(?:\/\S*\/)?(sh|bash|zsh|dash|ksh)\b/;
const ASIDE = /(^|[-_.])(tests?|examples?|demo|clients?|install|setup|lib)([-_.]|$)/;

/** Most scripts that are read: a server of this kind has few files. */
const MAX_SCRIPTS = 15;

interface Script {
  readonly file: string;
  readonly text: string;
  readonly shell: string;
}

/** Scripts in the folder and in its `bin` and `src` that serve: they answer themselves, or source one that does. */
export function servingScripts(view: FileView, dir: string): Script[] {
  const scripts = view.files
    .filter((file) => ['.', 'bin', 'src'].includes(relative(dir, dirname(file))) && isBelow(file, dir))
    .filter((file) => /\.(sh|bash|zsh)$|^[\w-]+$/.test(basename(file)))
    .slice(0, MAX_SCRIPTS)
    .flatMap((file): Script[] => {
      const text = view.read(file) ?? '';
      const shell = SHEBANG.exec(text)?.[1] ?? (/\.(sh|bash)$/.test(file) ? 'bash' : undefined);
      return shell === undefined ? [] : [{ file, text, shell }];
    });
  const answering = scripts.filter(({ text }) => ANSWERS.test(text) && /\bread\b/.test(text));
  const names = answering.map(({ file }) => basename(file));
  const sourced = new Set(scripts.flatMap(({ text }) => sources(text)));
  return scripts
    .filter((each) => answering.includes(each) || sources(each.text).some((name) => names.includes(name)))
    .filter(({ file }) => !sourced.has(basename(file)) && !ASIDE.test(basename(file)));
}

/** Names of the scripts that one reads in. */
const sources = (text: string): string[] =>
  [...text.matchAll(/^\s*(?:source|\.)\s+[^\n]*?([\w.-]+\.(?:sh|bash|zsh))\b/gm)].map((match) => match[1] ?? '');

/** Medium, because the text alone says so; run by its shell, as not every checkout keeps the executable bit. */
export function planScript(view: FileView, dir: string, spec: PluginSpec, scripts: readonly Script[]): LaunchPlan {
  const order = byIdentity(
    scripts.map(({ file }) => basename(file).replace(/\.\w+$/, '')),
    [sourceName(spec.source), basename(dir)],
  );
  const sorted = order.flatMap(
    (name) => scripts.find(({ file }) => basename(file).replace(/\.\w+$/, '') === name) ?? [],
  );
  const [best, ...others] = sorted;
  if (best === undefined) throw new Error('no script to plan');
  const texts = [best.text, ...sources(best.text).flatMap((name) => view.read(join(dirname(best.file), name)) ?? [])];
  return {
    ...createBasePlan('binary', 'shell', dir),
    // Without it the script goes on and answers nothing, which tells nobody why.
    tools: texts.some((text) => /(^|[\s|$(])jq\s/m.test(text)) ? [{ name: 'jq', version: null }] : [],
    start: sorted.map(({ file, shell }) => ({
      id: `script:${basename(file)}`,
      command: { program: shell, args: [relative(dir, file)], cwd: dir },
      entry: file,
    })),
    wants: withReads(findSettings(view, dir), texts),
    confidence: 'medium',
    evidence: [{ file: best.file, says: 'is a shell script that answers tools/list' }],
    passedOver: others.map(({ file }) => ({
      file,
      what: `script: ${basename(file)}`,
      why: `is named less like a server than ${basename(best.file)}`,
    })),
  };
}

/** `${NAME:-…}` and its like say that a variable may come from outside. */
function withReads(known: readonly Setting[], texts: readonly string[]): Setting[] {
  const names = texts.flatMap((text) =>
    [...text.matchAll(/\$\{([A-Z][A-Z0-9]*_[A-Z0-9_]+):?[-?=]/g)].map((match) => match[1] ?? ''),
  );
  const more = [...new Set(names)].filter((name) => known.every((setting) => setting.name !== name));
  return [
    ...known,
    ...more.map((name) => ({ name, required: false, secret: /KEY|TOKEN|SECRET|PASS|AUTH/.test(name) })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}
