/** Words on lines of at most `columns`, the later lines after `indent`. A longer word has a line of its own. */
export function wrap(words: readonly string[], columns: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line === '') line = word;
    else if (line.length + 1 + word.length <= columns) line += ` ${word}`;
    else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line].join('\n');
}
