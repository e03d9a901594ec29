import { supervisorError } from './errors.ts';

/** Splits a command line without a shell: quotes and backslashes as in POSIX sh, nothing is expanded. */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] as string;
    if (quote === "'") {
      if (character === "'") quote = null;
      else word += character;
    } else if (character === '\\' && at + 1 < line.length) {
      const next = line[++at] as string;
      word = (word ?? '') + (quote === '"' && !'"\\$`'.includes(next) ? `\\${next}` : next);
    } else if (quote === '"') {
      if (character === '"') quote = null;
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + character;
  }
  if (quote !== null) throw supervisorError('CONFIG_INVALID', { message: `A quote is not closed in: ${line}` });
  if (word !== null) words.push(word);
  if (words.length === 0) throw supervisorError('CONFIG_INVALID', { message: 'The command is empty.' });
  return words;
}
