/** The imports that stand in a Python text. */

export interface Import {
  /** `a.b`, `.a` or `.`. */
  readonly module: string;
  /** What `from` takes from it: perhaps modules too. */
  readonly names: readonly string[];
  readonly line: number;
  /** At the file's top level: not in a function, a `try` or a condition. */
  readonly always: boolean;
}

const IMPORT =
  /^([ \t]*)(?:from[ \t]+(\.{0,9}[\w.]{0,200})[ \t]+import[ \t]+(\([^)]*\)|[^\n#;]+)|import[ \t]+([\w., \t]+))/gm;

export function importsIn(text: string): Import[] {
  // What stands in a docstring is no import; its line breaks are kept for the numbers.
  const code = text.replaceAll(/("""|''')[\s\S]*?\1/g, (quoted) => quoted.replaceAll(/[^\n]/g, ''));
  let line = 1;
  let at = 0;
  return [...code.matchAll(IMPORT)].flatMap((match): Import[] => {
    const [, indent = '', from = '', what = '', plain = ''] = match;
    for (; at < match.index; at++) if (code.charCodeAt(at) === NEW_LINE) line++;
    const place = { line, always: indent === '' };
    return from === ''
      ? namesIn(plain).map((module) => ({ module, names: [], ...place }))
      : [{ module: from, names: namesIn(what.replaceAll(/[()]/g, ' ')), ...place }];
  });
}

const NEW_LINE = 10;

const namesIn = (list: string): string[] =>
  list
    .replaceAll(/#[^\n]*/g, '')
    .split(',')
    .map((part) => part.trim().split(/\s+/)[0] ?? '')
    .filter((name) => /^[\w.]+$/.test(name));
