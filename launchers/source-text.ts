/** A source as people write it, and as the one grammar (`src/source.ts`) reads it back. */

import type { Source, SourceOf } from './plan.ts';

/** One line for people; parses back to the same source. */
export function showSource(source: Source): string {
  switch (source.kind) {
    case 'git':
      return withPin(source.url, source.ref, source.subdir);
    case 'folder':
      return withPin(source.path, null, source.subdir);
    case 'archive':
      return withPin(source.location, source.sha256 === null ? null : `sha256=${source.sha256}`, source.subdir);
    case 'package':
      return showPackage(source);
    case 'command':
      return showCommand(source);
    case 'remote':
      return REMOTE + source.url;
  }
}

/** Tells the address of a running server from that of a repository. */
export const REMOTE = 'mcp+';

const withPin = (place: string, pin: string | null, subdir: string): string =>
  pin === null && subdir === '' ? place : `${place}#${pin ?? ''}${subdir === '' ? '' : `:${subdir}`}`;

function showPackage({ registry, name, version }: SourceOf<'package'>): string {
  if (version === null) return `${registry}:${name}`;
  if (registry === 'npm') return `npm:${name}@${version}`;
  return `pypi:${name}${/^[<>=~!]/.test(version) ? version : `==${version}`}`;
}

/** The source text of a command that is already split, as `readCommand` takes it. */
export const commandText = (argv: readonly string[]): string => `-- ${argv.map(quoteWord).join(' ')}`;

/** With the values of telling options left out; without any, it parses back to the same source. */
function showCommand({ argv }: SourceOf<'command'>): string {
  const shown = argv.map((word, at) => {
    const [, option] = /^(--?[\w-]+=)/.exec(word) ?? [];
    if (option !== undefined && SECRET.test(option)) return `${option}[redacted]`;
    return at > 0 && SECRET.test(argv[at - 1] ?? '') && /^--?[\w-]+$/.test(argv[at - 1] ?? '') && !word.startsWith('-')
      ? '[redacted]'
      : word;
  });
  return commandText(shown);
}

/** In the name of an option, a variable or a query parameter. */
export const SECRET = /(token|key|secret|password|passwd|pwd|credential|auth)/i;

const quoteWord = (word: string): string =>
  /^[\w@%+=:,./{}[\]~^-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
