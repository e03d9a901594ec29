import type { FileView } from '../plan.ts';

/** `{ line }` of a pattern's first match in a file, to be spread into evidence; `{}` when it has none. */
export function lineOf(view: FileView, file: string, pattern: RegExp): { readonly line?: number } {
  const text = view.read(file) ?? '';
  const match = pattern.exec(text);
  if (match === null) return {};
  // A pattern may begin with the white space before what it is about.
  const at = match.index + (/^\s*/.exec(match[0])?.[0].length ?? 0);
  return { line: text.slice(0, at).split('\n').length };
}
