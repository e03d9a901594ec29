/** Splits a command line into words without a shell: quotes and backslashes count, everything that needs a shell is refused. */

export type Split =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly problem: string };

/**
 * `node "my file.js" --x=a\ b` → `['node', 'my file.js', '--x=a b']`. Outcomes: the words, or a problem in one sentence
 * (an operator such as `&&` or `|`, a variable, a missing quote, no words at all). `{port}` and its kin pass untouched.
 */
export function splitCommand(line: string): Split {
  const words: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? '';
    if (quote === "'") {
      if (char === "'") quote = null;
      else word += char;
      continue;
    }
    if (char === '\\') {
      const next = line[++at];
      if (next === undefined) return { ok: false, problem: 'ends with a backslash' };
      // Between double quotes a backslash escapes only what would be special there, as in a shell.
      word = (word ?? '') + (quote === '"' && !'"\\$`'.includes(next) ? `\\${next}` : next);
      continue;
    }
    const problem = needsShell(line, at, quote !== null);
    if (problem !== null) return { ok: false, problem };
    if (char === quote) quote = null;
    else if (quote === null && (char === '"' || char === "'")) {
      quote = char;
      word ??= '';
    } else if (quote === null && /\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + char;
  }
  if (quote !== null) return { ok: false, problem: `has a ${quote} that is never closed` };
  if (word !== null) words.push(word);
  return words.length > 0 ? { ok: true, words } : { ok: false, problem: 'is empty' };
}

function needsShell(line: string, at: number, quoted: boolean): string | null {
  const rest = line.slice(at);
  const variable = /^\$(?:\w+|\{[^}]*\}|\()/.exec(rest)?.[0] ?? (rest.startsWith('`') ? '`' : null);
  if (variable !== null) return `uses ${variable}, which only a shell would fill in`;
  if (quoted) return null;
  const operator = /^(?:&&|\|\||>>|<<|[|&;<>()])/.exec(rest)?.[0];
  if (operator !== undefined) return `uses the shell operator ${operator}; commands are run without a shell`;
  return /^\n\s*\S/.test(rest) ? 'has several lines; give one command' : null;
}
