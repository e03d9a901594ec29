/**
 * smithery.yaml: `commandFunction` is JavaScript that makes a command of a configuration. It is never run: only what it
 * writes as literals is read, up to the first word that the configuration would give.
 */

import { asFields, asString, readManifest } from './parse.ts';
import { join } from './paths.ts';
import type { FileView } from './plan.ts';

export interface LiteralCommand {
  readonly file: string;
  readonly words: readonly string[];
  /** False when words that the configuration gives follow. */
  readonly isWhole: boolean;
}

/** `config => ({command: 'node', args: ['dist/index.js', …]})`; null when there is none, or its program is computed. */
export function readSmitheryCommand(view: FileView, dir: string): LiteralCommand | null {
  const file = join(dir, 'smithery.yaml');
  const parsed = view.files.includes(file) ? readManifest(view, file) : null;
  const { commandFunction } = asFields(parsed?.ok ? parsed.fields.startCommand : null);
  const text = withoutComments(asString(commandFunction) ?? '');
  const program = new RegExp(`["']?\\bcommand["']?\\s*:\\s*${LITERAL.source}\\s*[,}]`).exec(text);
  if (program === null) return null;
  const list = /["']?\bargs["']?\s*:\s*\[/.exec(text);
  const { words, isWhole } = list === null ? { words: [], isWhole: true } : literals(text, list.index + list[0].length);
  return { file, words: [textOfLiteral(program), ...words], isWhole };
}

const LITERAL = /(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`([^`$\\]*)`)/;

const textOfLiteral = ([, double, single, back]: readonly (string | undefined)[]): string =>
  double ?? single ?? back ?? '';

/** The strings from `at` on, up to the list's end or to what is none. */
function literals(text: string, at: number): { words: string[]; isWhole: boolean } {
  const words: string[] = [];
  const item = new RegExp(`\\s*(?:${LITERAL.source}\\s*(?=[,\\]])|(\\]))\\s*,?`, 'y');
  for (item.lastIndex = at; ; ) {
    const match = item.exec(text);
    if (match === null) return { words, isWhole: false };
    if (match[4] !== undefined) return { words, isWhole: !/^\s*\.concat\(/.test(text.slice(item.lastIndex)) };
    words.push(textOfLiteral(match));
  }
}

/** Comments of their own lines; `//` inside a line may be a URL. */
const withoutComments = (text: string): string =>
  text.replaceAll(/^\s*\/\/.*$/gm, '').replaceAll(/\/\*[\s\S]*?\*\//g, '');
